"""The load of a canary's pods next to that of the stable pods: latency is only comparable where the two are alike.

Argo Rollouts 1.10 (utils/replicaset/canary.go, `CalculateReplicaCountsForTrafficRoutedCanary`) keeps all N stable pods
and gives a canary of weight w `ceil(N w)` pods, or `ceil(N s)` when a step sets the scale s. A canary pod then carries

    L = (w / c) / ((1 - w) / N)

times the load of a stable pod. Slow requests that wait in a queue depend on the load, so a comparison of latencies
between unequal loads finds the load and not the version.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from generator.dataclass import dataclass

COMPARABLE: Final = 1.25
"""The largest ratio of the loads of a canary pod and a stable pod, either way, at which latencies are compared."""
_COUNTS: Final = 50
_ALL: Final = 100


@dataclass(frozen=True, slots=True)
class StepLoad:
    """The load of a canary pod in one weight step, in units of the load of a stable pod.

    Args:
        weight: share of live requests, whole percent.
        scale: size of the canary in percent of the stable pods; equal to the weight if no step sets it.
        least: smallest load over all numbers of pods that the autoscaler may choose.
        most: largest load.
    """

    weight: int
    scale: int
    least: float
    most: float

    @property
    def text(self) -> str:
        """The load in words: `0.21`, or `0.21 to 0.63` where the autoscaler changes it."""
        least, most = f"{self.least:.2f}", f"{self.most:.2f}"
        return least if least == most else f"{least} to {most}"

    @property
    def comparable(self) -> bool:
        """Whether latencies may be compared, whatever the autoscaler does."""
        return self.least >= 1 / COMPARABLE - 1e-9 and self.most <= COMPARABLE + 1e-9


def canary_pods(stable: int, scale: int) -> int:
    """Return the number of canary pods: `scale` percent of the stable pods, rounded up."""
    return -(-stable * scale // _ALL)


def relative_load(weight: int, scale: int, stable: int) -> float:
    """Return the load of a canary pod over that of a stable pod; infinite when the stable version has no requests."""
    if weight >= _ALL:
        return math.inf
    return weight / canary_pods(stable, scale) * stable / (_ALL - weight)


@lru_cache(maxsize=4096)
def step_load(weight: int, fewest: int, most: int, *, scaled: bool) -> StepLoad:
    """Return the load in a step; where it is too unequal, with the scale of the canary that makes it comparable.

    A canary of many pods has the load of the stable pods at the scale 100 w / (1 - w).

    Args:
        weight: share of live requests, whole percent, at least 1.
        fewest: smallest number of stable pods.
        most: largest number of stable pods.
        scaled: whether the step may set the scale of the canary; otherwise it is the weight.
    """
    counts = list(_pod_counts(max(1, fewest), max(1, most)))
    plain = _loads(weight, weight, counts)
    if plain.comparable or not scaled or weight >= _ALL:
        return plain
    alike = _ALL * weight / (_ALL - weight)
    found = [_loads(weight, size, counts) for size in range(weight, min(_ALL, math.ceil(alike)) + 1)]
    best = min(found, key=lambda load: (round(_distance(load), 9), abs(load.scale - alike)))
    return best if best.comparable else plain


def comparable_weights(fewest: int, most: int) -> tuple[int, ...]:
    """Return the weights below 100% at which loads are alike for every number of pods."""
    loads = (step_load(weight, fewest, most, scaled=True) for weight in range(1, _ALL))
    return tuple(load.weight for load in loads if load.comparable)


def _loads(weight: int, scale: int, counts: list[int]) -> StepLoad:
    loads = [relative_load(weight, scale, count) for count in counts]
    return StepLoad(weight, scale, min(loads), max(loads))


def _distance(load: StepLoad) -> float:
    """Return the largest distance of the load from 1, as a logarithm."""
    return max(-math.log(load.least), math.log(load.most))


def _pod_counts(fewest: int, most: int) -> Iterator[int]:
    """Yield numbers of pods from the smallest to the largest; 50 of them when there are more."""
    span = max(0, most - fewest)
    parts = min(span, _COUNTS)
    for part in range(parts + 1):
        yield fewest + (span * part // parts if parts else 0)
