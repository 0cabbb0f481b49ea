"""The rendered queries of a plan, sent to the Prometheus that watched the release."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Final

from generator.cluster.prometheus import Prometheus
from generator.dataclass import dataclass
from generator.plan.values import Plan
from generator.promql.metric import Metric
from generator.render.metrics import counted

_ARGUMENT: Final = re.compile(r"\{\{args\.(canary|stable)-hash\}\}")
_HASH: Final = re.compile(r"[A-Za-z0-9._-]+")


def is_hash(text: str) -> bool:
    """Return whether a text can be a pod-template hash, or another value of the label that identifies an arm."""
    return _HASH.fullmatch(text) is not None


@dataclass
class Live:
    """Results of a server for one release.

    Args:
        server: the server.
        canary: value of `canary-hash`.
        stable: value of `stable-hash`.
        start_s: time of the first weight, seconds since 1970.
        end_s: end of the data.
    """

    server: Prometheus
    canary: str
    stable: str
    start_s: float
    end_s: float
    _answers: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    _asked_until: dict[str, float] = field(default_factory=dict)

    def __call__(self, metric: Metric, at_s: float) -> list[float]:
        """Return the result of a metric's query; one request also fetches those of its later measurements.

        Raises:
            HttpError: the server does not answer.
        """
        time, query = self.start_s + at_s, metric.query
        if time > self._asked_until.get(query, -1.0):
            interval = metric.interval_s or 1.0
            count = metric.count or (None if metric.interval_s else 1)
            last = self.end_s if count is None else min(self.end_s, time + (count - 1) * interval)
            self._answers[query] = self._ask(query, time, max(time, last), interval)
            self._asked_until[query] = last
        return self._answers[query].get(round(time * 1000), [])

    def exposed(self, plan: Plan, at_s: float) -> float | None:
        """Return how many requests the canary has served; None when no guard counts them."""
        counts = next((guard.counts for guard in plan.guards if guard.counts), None)
        time = min(self.start_s + at_s, self.end_s)
        window = round(time - self.start_s)
        if counts is None or window < 1:
            return None
        proportion, arms = counted(plan, counts)
        query = proportion.count_requests(arms.of_canary, window)
        return next((values[0] for values in self._ask(query, time, time, 1.0).values()), 0.0)

    def _ask(self, query: str, start_s: float, end_s: float, step_s: float) -> dict[int, list[float]]:
        return self.server.range(_ARGUMENT.sub(self._value, query), start_s, end_s, step_s)

    def _value(self, match: re.Match[str]) -> str:
        return self.canary if match[1] == "canary" else self.stable
