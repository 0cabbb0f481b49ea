"""Recorded counters of two arms over time, and the numbers that guards read from them.

A count between two times is the difference of the counter at the last sample before each, a reset counted as a
restart from 0 and nothing before the first sample. Prometheus' `increase()` extrapolates to the ends of its
range and takes its samples from one scrape more; the two agree but for a stratum's share of one scrape, except
in the stratum in which a counter is born. What was counted while scrapes were missing lies between two samples that
no short range holds both of: neither counts it, and a range longer than the gap does.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal

Arm = Literal["canary", "stable"]
_MISSED: Final = 2
"""Usual steps to the sample before a range: a late scrape still counts, as extrapolation makes up for it."""
_LOOKED_AT: Final = 101


def milliseconds(seconds: float) -> int:
    """A time on Prometheus' clock."""
    return round(seconds * 1000)


class Counter:
    """A cumulative counter, sampled; times are whole milliseconds, growing."""

    __slots__ = ("reach", "times", "totals")

    def __init__(self, times: Sequence[int], values: Sequence[float]) -> None:
        if len(times) != len(values):
            raise ValueError("a counter needs one value a time")
        self.times = times
        self.totals = _without_resets(values)
        self.reach = _MISSED * _usual_step(times)

    def increase(self, start_ms: int, end_ms: int) -> float:
        """How far it grew from one time to another; 0 before its first sample and after its last."""
        if not self.times:
            return 0.0
        last = max(0, bisect_right(self.times, end_ms) - 1)
        first = max(0, bisect_right(self.times, start_ms) - 1)
        if start_ms - self.times[first] > self.reach:
            first = min(first + 1, last)
        return self.totals[last] - self.totals[first]


def _usual_step(times: Sequence[int]) -> int:
    """Median time between samples, of the first ones; 0 for a single sample."""
    steps = sorted(b - a for a, b in pairwise(times[:_LOOKED_AT]))
    return steps[len(steps) // 2] if steps else 0


def _without_resets(values: Sequence[float]) -> list[float]:
    totals: list[float] = []
    before, total = math.inf, 0.0
    for value in values:
        total += value - before if totals and value >= before else value
        totals.append(total)
        before = value
    return totals


@dataclass(frozen=True, slots=True)
class Side:
    """Requests and events of one arm, as one guard counts them."""

    requests: Counter
    events: Counter

    @property
    def born_ms(self) -> int | None:
        """Time of its first sample; None without any."""
        return self.requests.times[0] if self.requests.times else None


@dataclass(frozen=True, slots=True)
class Pair:
    """Both arms of one guard."""

    canary: Side
    stable: Side


@dataclass(frozen=True)
class Recording:
    """What was counted, by guard."""

    pairs: Mapping[str, Pair]

    @cached_property
    def start_s(self) -> float | None:
        """When the canary was first seen; None when it never was."""
        born = (pair.canary.born_ms for pair in self.pairs.values())
        first = min((time for time in born if time is not None), default=None)
        return None if first is None else first / 1000

    @cached_property
    def end_s(self) -> float | None:
        """When anything was last seen; None without any sample."""
        sides = [side for pair in self.pairs.values() for side in (pair.canary, pair.stable)]
        last = max((side.requests.times[-1] for side in sides if side.requests.times), default=None)
        return None if last is None else last / 1000

    def exposed(self, start_s: float, end_s: float) -> float:
        """Requests that the canary served in a time; the guard that saw most of them counts."""
        start, end = milliseconds(start_s), milliseconds(end_s)
        return max((p.canary.requests.increase(start, end) for p in self.pairs.values()), default=0.0)
