"""What scenarios measure: shares of traffic against weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tests.cluster.load import Load
from tests.cluster.watch import Watch

SETTLED_S = 1.5
"""Seconds that Envoy may need after a change until every answer follows it."""


@dataclass(frozen=True)
class Split:
    """The canary's share of requests while its weight did not change."""

    weight: int
    requests: int
    canary: int

    @property
    def errors(self) -> float:
        """Standard errors between share and weight."""
        expected = self.requests * self.weight / 100
        return abs(self.canary - expected) / math.sqrt(expected * (1 - self.weight / 100))

    def __str__(self) -> str:
        return f"{self.canary}/{self.requests} at {self.weight} %"


def splits(watch: Watch, load: Load, canary: str) -> list[Split]:
    """One measurement for each weight strictly between 0 and 100 that lasted."""
    found = []
    for weight, start, end in watch.spans():
        answered = load.versions(start + SETTLED_S, end - SETTLED_S)
        if 0 < weight < 100 and answered.total():
            found.append(Split(weight, answered.total(), answered[canary]))
    return found
