"""An attacker on the public route makes up clicks and repeats those of users: a good update takes over all the same.

It has what any caller has: the host, tokens from its requests and from those of users, and the names of both versions, from the answers. It
sends clicks for the stable version only, which would make the new one look worse, and names of versions that never ran.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import threading
import urllib.parse
import urllib.request
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import report
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.layout import ENVOY_PORT, PROMETHEUS
from tests.cluster.load import Load
from tests.cluster.visitors import CLICKS, RPS, VISITOR
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

_BATCH = 50


class Attacker:
    """Sends batches of clicks until it is stopped; counts what the service answered."""

    def __init__(self, load: Load, stable: str) -> None:
        self._load, self._stable = load, stable
        self.answers: Counter[str] = Counter()
        self.errors: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        """Attack."""
        for number in itertools.count():
            if self.stop.wait(0.2):
                return
            stolen = [token for token in list(self._load.tokens) if token.startswith(self._stable)][-_BATCH:]
            for batch in (self._forged(number), stolen):
                if batch:
                    self._send(batch)

    def _forged(self, number: int) -> list[str]:
        signature = urlsafe_b64encode(os.urandom(52)).decode().rstrip("=")
        return [f"{self._stable}.{signature}"] * (_BATCH - 1) + [f"arm-{number}.{signature}"]

    def _send(self, tokens: list[str]) -> None:
        body = json.dumps([{"served_by": token, "outcome": "click"} for token in tokens])
        headers = {"content-type": "application/json", "host": self._load.host}
        connection = http.client.HTTPConnection("127.0.0.1", ENVOY_PORT, timeout=15)
        try:
            connection.request("POST", "/feedback", body, headers)
            answer = connection.getresponse()
            self.answers.update(
                json.loads(answer.read()) if answer.status == http.client.OK else {"failed": 1}
            )
        except (OSError, http.client.HTTPException) as error:
            self.errors.append(str(error))
        finally:
            connection.close()


@contextmanager
def attacking(load: Load, stable: str) -> Iterator[Attacker]:
    """An attacker as long as the context lasts."""
    attacker = Attacker(load, stable)
    thread = threading.Thread(target=attacker.run)
    thread.start()
    try:
        yield attacker
    finally:
        attacker.stop.set()
        thread.join()


def _largest(label: str, query: str) -> dict[str, float]:
    """The largest values that the series of a counter had, as sums by a label; pods that ended count, too."""
    text = urllib.parse.urlencode({"query": f"sum by ({label}) (max_over_time({query}[30m]))"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{PROMETHEUS}/api/v1/query?{text}", timeout=10) as answer:
        return {
            found["metric"][label]: float(found["value"][1]) for found in json.load(answer)["data"]["result"]
        }


def test_forged_and_repeated_clicks(delivered: Delivered) -> None:
    git, plan = delivered("shop/recommender", "s14")
    release, host, space = git.release, plan.routing.hosts[0], plan.identity.namespace
    stable = release.stable(plan)
    with Watch(release.api, plan) as watch, Load(host, RPS, VISITOR, lambda _: CLICKS) as load:
        until("traffic", lambda: load.exposed(stable) > 5 * RPS, 60)
        with attacking(load, stable) as attacker:
            plan = release.fresh("2")
            git.synced(plan, git.commit(plan))
            try:
                release.until_phase(plan, "Healthy", 300)
            finally:
                predictions = _largest("served_by", f'sluice_predictions_total{{namespace="{space}"}}')
                counted = _largest("served_by", f'sluice_outcomes_total{{namespace="{space}"}}')
                rejected = _largest("reason", f'sluice_feedback_refused_total{{namespace="{space}"}}')
                print(f"{predictions=} {counted=} {rejected=} {attacker.answers=} {len(load.tokens)=}")
    clicks, refusals = sum(counted.values()), sum(rejected.values())
    told = {
        "clicks of users": len(load.tokens),
        "clicks counted": f"{clicks:.0f}",
        "clicks of the attacker": sum(attacker.answers.values()),
        "refused or repeated": f"{refusals:.0f}",
    }
    report.figures("14 forged feedback", {**load.told(), **told})
    print(watch.story())
    assert not load.failed, refused(release.layout, host)
    assert release.stable(plan) != stable  # the good version took over
    assert attacker.answers["refused"] > 1000
    assert attacker.answers["repeated"] > 1000
    # A click that was still being counted at its user's request may have been repeated first: then the user's is the repetition.
    assert attacker.answers["counted"] <= 0.05 * len(load.tokens)
    assert clicks <= len(load.tokens) + attacker.answers["counted"]
    assert refusals > 0
