"""The model of the traffic scenarios: cheap to ask, and as bad as the environment of its pod says.

BED_BEHAVIOUR holds one of: `errors=SHARE` and `slow=SHARE` of the predictions, `never-ready`, `crash=PREDICTIONS`
after which the process ends, `work=SECONDS` of each prediction on average. The predictions that warm it up are always
good, but for `never-ready`.

Work has an exponential distribution. A fifth of it keeps a processor busy: so does a pod whose limit is 0.2 CPU. One
prediction works at a time, the others wait.
"""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

_SLOW_S = 0.5
_CRASHED = 3
_WARM_UP = 3  # predictions at most
_LIMIT = 0.2  # CPU


class Shelf:
    """Puts items on a shelf: any row is worth a one."""

    examples = ({"item": 1},)

    def __init__(self, _: Path) -> None:
        kind, _, size = os.environ.get("BED_BEHAVIOUR", "").partition("=")
        self.kind, self.size, self.asked = kind, float(size or 0), 0
        self.processor = threading.Lock()

    def predict(self, rows: list) -> list:
        """One answer a row.

        Raises:
            RuntimeError: the model is bad in this way.
        """
        self.asked += 1
        if self.kind == "never-ready":
            raise RuntimeError("never ready")
        if self.asked > _WARM_UP:
            self._misbehave()
        return [1] * len(rows)

    def _misbehave(self) -> None:
        if self.kind == "errors" and random.random() < self.size:
            raise RuntimeError("an error of the model")
        if self.kind == "slow" and random.random() < self.size:
            time.sleep(_SLOW_S)
        if self.kind == "work":
            self._work(random.expovariate(1 / self.size))
        if self.kind == "crash" and self.asked >= self.size:
            os._exit(_CRASHED)

    def _work(self, seconds: float) -> None:
        with self.processor:
            end, busy = time.monotonic() + seconds, time.thread_time() + _LIMIT * seconds
            while time.thread_time() < busy:
                pass
            time.sleep(max(0.0, end - time.monotonic()))
