"""What scenarios measure: shares of traffic against weights."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.cluster.load import Load
from tests.cluster.watch import Watch

SETTLED_S = 2.5
"""Seconds that Envoy may need after a change until every answer follows it."""
_USUAL, _MOST = 3.0, 4.0
# With fewer requests of the canary to expect, standard errors say little: of 20 requests at 5 % four are 3.1 of them off.
_FEWEST = 10


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


def splits(
    watch: Watch,
    load: Load,
    canary: str,
    after: float = 0.0,
    before: float = math.inf,
    others: Sequence[Load] = (),
) -> list[Split]:
    """One measurement for each time with a weight strictly between 0 and 100 that lasted, and began between these two.

    A proxy that takes turns gives each version its share of all requests, but not of those of each sender: `others` are
    the senders that count with the first one.
    """
    found = []
    for weight, start, end in watch.spans():
        times = start + SETTLED_S, end - SETTLED_S
        answered = sum((one.versions(*times) for one in (load, *others)), Counter[str]())
        if 0 < weight < 100 and after <= start < before and answered.total() * weight / 100 >= _FEWEST:
            found.append(Split(weight, answered.total(), answered[canary]))
    return found


def fair(found: Sequence[Split]) -> bool:
    """Whether the weights were real: every share within three standard errors.

    One share in 370 of a perfect router is outside, and a run measures a dozen: one may be, if it is within four. A
    perfect router then fails once in a thousand runs. Nothing measured is not fair.
    """
    unusual = sum(split.errors >= _USUAL for split in found)
    return bool(found) and unusual <= 1 and all(split.errors < _MOST for split in found)


def holds(watch: Watch, weights: Sequence[int]) -> list[float]:
    """Seconds that each of these weights lasted, when they came in this order and nothing else came between.

    Raises:
        AssertionError: they did not.
    """
    spans = [span for span in watch.spans() if 0 < span[0] < 100]
    assert [weight for weight, _, _ in spans] == list(weights)
    return [end - start for _, start, end in spans]
