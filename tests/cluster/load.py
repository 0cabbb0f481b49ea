"""Users of a model: requests through Envoy at a steady rate, and clicks on what they are shown.

Open loop: a slow answer does not slow the next request down, so that a stall shows as failures, not as fewer requests.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from tests.cluster.layout import ENVOY_PORT

_WORKERS = 16
_TIMEOUT_S = 15


@dataclass(frozen=True)
class Answer:
    """What became of one prediction.

    Args:
        at: when it was sent (Unix time).
        version: pod-template hash of the version that answered; empty when none did.
        error: why it failed; empty when it did not.
        took: seconds until the answer.
    """

    at: float
    version: str
    error: str = ""
    took: float = 0.0


@dataclass
class Load:
    """Requests to one host as long as the context lasts.

    Args:
        host: host name of the model.
        rps: predictions per second; may be changed at any time.
        row: the input of the prediction; a function is called for each request.
        clicks: chance that the user of this version clicks; None for a model without feedback.
        headers: what its requests carry in addition.
        address: of the proxy.
        port: of the proxy.
    """

    host: str
    rps: float
    row: object
    clicks: Callable[[str], float] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    port: int = ENVOY_PORT
    answers: list[Answer] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    """`served_by` of each prediction whose click was accepted, with which an attacker begins."""
    _start: float = 0.0
    _errors: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._start = time.time()
        self._threads = [
            threading.Thread(target=self._work, args=(self._start, index)) for index in range(_WORKERS)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def failed(self) -> list[str]:
        """Errors of predictions and of feedback, with the seconds since the first request."""
        return sorted(self._errors)

    def told(self) -> dict[str, object]:
        """Figures for the report: how many, how many failed, and how long answers took."""
        took = sorted(answer.took for answer in self.answers) or [0.0]
        middle, late = took[len(took) // 2], took[len(took) * 99 // 100]
        return {
            "requests": f"{len(self.answers):,}",
            "failed": len(self.failed),
            "p50 / p99": f"{1000 * middle:.0f} / {1000 * late:.0f} ms",
        }

    def versions(self, start: float, end: float) -> Counter[str]:
        """How many predictions that were sent in this time each version answered."""
        return Counter(a.version for a in list(self.answers) if start <= a.at < end and not a.error)

    def exposed(self, version: str) -> int:
        """How many predictions a version answered."""
        return sum(answer.version == version for answer in list(self.answers))

    def _work(self, start: float, index: int) -> None:
        user, chance = _User(self), random.Random(index)
        due = start + index / self.rps
        while not self._stop.wait(max(0.0, due - time.time())):
            self._visit(user, chance)
            due += _WORKERS / self.rps
        user.close()

    def _visit(self, user: _User, chance: random.Random) -> None:
        at = time.time()
        try:
            served_by = user.post("/predict", {"rows": [self.row() if callable(self.row) else self.row]})[
                "served_by"
            ]
        except (OSError, http.client.HTTPException) as error:
            self.answers.append(Answer(at, "", str(error) or type(error).__name__, time.time() - at))
            self._errors.append(f"{at - self._start:6.1f} s  prediction: {error}")
            return
        version = served_by.partition(".")[0]
        self.answers.append(Answer(at, version, "", time.time() - at))
        if self.clicks and chance.random() < self.clicks(version):
            try:
                user.post("/feedback", {"served_by": served_by, "outcome": "click"})
                self.tokens.append(served_by)
            except (OSError, http.client.HTTPException) as error:
                self._errors.append(f"{at - self._start:6.1f} s  feedback: {error}")


class _User:
    """A connection that is kept as browsers do."""

    def __init__(self, load: Load) -> None:
        self._headers = {"content-type": "application/json", "host": load.host, **load.headers}
        self._connection = http.client.HTTPConnection(load.address, load.port, timeout=_TIMEOUT_S)

    def post(self, path: str, document: object) -> dict[str, str]:
        """The JSON of the answer.

        Raises:
            OSError: there was no answer, or it is not a success.
        """
        try:
            self._connection.request("POST", path, json.dumps(document), self._headers)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.status != http.client.OK:
            raise OSError(f"{answer.status} {body[:200].decode(errors='replace')}")
        parsed: dict[str, str] = json.loads(body)
        return parsed

    def close(self) -> None:
        """Let the connection go; the next request makes a new one."""
        self._connection.close()
