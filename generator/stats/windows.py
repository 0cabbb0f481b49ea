"""The looks of a guard that reads a ratio over a sliding window while the weight changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.stats.domain import at_least_one, not_negative, positive, probability
from generator.stats.looks import Bound, look_fail
from generator.stats.runs import Looks, check_failure_limit
from generator.stats.timeline import Phase, exposure, looks_until, step_ends

_MAX_LOOKS_IN_WINDOW = 1000


@dataclass(frozen=True, slots=True)
class WindowGuard:
    """A guard that compares the ratio of a sliding window with a constant, again and again.

    Args:
        limit: the constant, 0..1.
        bound: which side of the limit passes.
        window_s: length of the range, seconds.
        interval_s: time between looks, seconds.
        failure_limit: failures that are forgiven, 0..50.
        first_look_s: time of the first look; None waits until the window is full.
        count: number of looks; None looks until the rollout ends.
        empty_fails: a window without canary requests counts as a failure.
        design_effect: variance of clustered requests over that of independent ones.
    """

    limit: float
    bound: Bound
    window_s: float
    interval_s: float
    failure_limit: int = 0
    first_look_s: float | None = None
    count: int | None = None
    empty_fails: bool = True
    design_effect: float = 1.0

    def __post_init__(self) -> None:
        probability("limit", self.limit)
        positive("window", self.window_s)
        positive("interval", self.interval_s)
        not_negative("first look", self.first_s)
        check_failure_limit(self.failure_limit)
        at_least_one("design effect", self.design_effect)
        if self.window_s > _MAX_LOOKS_IN_WINDOW * self.interval_s:
            raise ValueError(f"a window of {self.window_s} s holds over 1000 looks {self.interval_s} s apart")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be at least 1, not {self.count}")

    @property
    def first_s(self) -> float:
        """Time of the first look."""
        return self.window_s if self.first_look_s is None else self.first_look_s

    def looks_by(self, time_s: float) -> int:
        """Number of looks taken by a time."""
        if time_s < self.first_s - 1e-9:
            return 0
        taken = looks_until(time_s - self.first_s, self.interval_s) + 1
        return taken if self.count is None else min(taken, self.count)


def window_looks(guard: WindowGuard, phases: Sequence[Phase], rps: float, p: float) -> Iterator[Looks]:
    """Looks of a guard over a rollout, those alike in one value.

    Expected requests of a look: m = rps times the integral of the weight over the window. Neighbours
    correlate by overlap / sqrt(m' m), the requests they share, so a window that straddles a change of weight
    is right.

    Args:
        guard: the guard.
        phases: the rollout.
        rps: requests per second of both versions.
        p: true probability of the event with the canary.
    """
    start, taken = 0.0, 0
    for end in step_ends(phases):
        total = guard.looks_by(end)
        while taken < total:
            time = guard.first_s + taken * guard.interval_s
            alike = total - taken if time - guard.window_s - guard.interval_s >= start - 1e-9 else 1
            fail, correlation = _look(guard, phases, rps, p, time)
            yield Looks(time, guard.interval_s, alike, fail, correlation)
            taken += alike
        start = end


def _look(
    guard: WindowGuard, phases: Sequence[Phase], rps: float, p: float, time: float
) -> tuple[float, float]:
    """P(the look at a time fails), correlation with the look before."""

    def served(since: float, until: float) -> float:
        return max(0.0, exposure(phases, rps, until) - exposure(phases, rps, since))

    requests = served(time - guard.window_s, time)
    fail = look_fail(
        requests,
        p,
        guard.limit,
        guard.bound,
        design_effect=guard.design_effect,
        empty_fails=guard.empty_fails,
    )
    earlier = time - guard.interval_s
    shared = served(time - guard.window_s, earlier) if guard.window_s > guard.interval_s else 0.0
    before = served(earlier - guard.window_s, earlier)
    if shared <= 0.0:
        return fail, 0.0
    return fail, min(1.0, shared / (math.sqrt(before) * math.sqrt(requests)))
