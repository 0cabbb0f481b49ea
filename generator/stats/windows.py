"""The looks of a guard that compares the ratio of a sliding window with a constant, while the weight changes.

Requests in the window are Poisson with mean m, so events X ~ Pois(m p) and other requests Y ~ Pois(m (1-p))
are independent, and `ratio >= c` means (1-c) X >= c Y. The Poisson form smooths the lattice of counts that a
fixed number of requests would show and is nearer to what a window of real traffic does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from operator import mul
from typing import Literal

from generator.dataclass import dataclass
from generator.stats.binomial import ceils_on_lattice, floors_on_lattice
from generator.stats.domain import at_least_one, not_negative, positive, probability
from generator.stats.normal import normal_cdf
from generator.stats.runs import Looks, check_failure_limit
from generator.stats.special import poisson_pmf
from generator.stats.timeline import Rollout, looks_until

Bound = Literal["at_least", "at_most"]

_MAX_LOOKS_IN_WINDOW = 1000
NORMAL_ABOVE = 20_000.0
_POISSON_SPAN, _POISSON_COUNTS = 9.0, 16.0
_BEYOND_COUNTS = 1e12


def look_fail(
    requests: float,
    p: float,
    limit: float,
    bound: Bound,
    *,
    design_effect: float = 1.0,
    empty_fails: bool = True,
) -> float:
    """Return the probability that one look fails.

    q = sum_x pois(x; m p) P(Y > floor((1-c) x / c)) + e^-m for `at_least` c,
    q = sum_x pois(x; m p) P(Y <= ceil((1-c) x / c) - 1) + e^-m for `at_most` c. Above 20 000 requests, or
    with a design effect, q = Phi((c-p) sqrt(m/phi) / sqrt(p (1-p) + (p-c)^2)) and its complement. Error of
    the sums below 1e-12, of the normal form below 0.005 at 20 000 requests.

    Args:
        requests: expected requests m of the arm in the window, >= 0.
        p: true probability of an event.
        limit: the constant c the ratio is compared with, 0..1.
        bound: which side of the limit passes.
        design_effect: variance of clustered requests over that of independent ones, >= 1.
        empty_fails: a window without requests (0/0, NaN) is a failure, as with a bare successCondition.

    Raises:
        ValueError: an argument is outside its domain.
    """
    m = not_negative("requests", requests)
    probability("p", p)
    probability("limit", limit)
    at_least_one("design effect", design_effect)
    if limit in {0.0, 1.0}:
        breach = _breach_edge(m, p, limit, bound)
    elif m > NORMAL_ABOVE or design_effect > 1.0:
        breach = _breach_normal(m / design_effect, p, limit, bound)
    else:
        breach = _breach_poisson(m, p, limit, bound)
    return min(1.0, breach + (math.exp(-m) if empty_fails else 0.0))


def _breach_edge(m: float, p: float, limit: float, bound: Bound) -> float:
    """Return P(breach) of a limit of 0 or 1: one wrong count is enough, or a breach is impossible."""
    wrong = p if bound == "at_most" else 1.0 - p
    reachable = (limit == 0.0) == (bound == "at_most")
    return -math.expm1(-m * wrong) if reachable else 0.0


def _breach_normal(m: float, p: float, limit: float, bound: Bound) -> float:
    """Return P(the ratio is on the wrong side) by the normal form."""
    spread = math.sqrt(p * (1.0 - p) + (p - limit) ** 2)
    z = (limit - p) * math.sqrt(m) / spread
    return normal_cdf(z if bound == "at_least" else -z)


def _breach_poisson(m: float, p: float, limit: float, bound: Bound) -> float:
    """Return P(the ratio of a window with requests is on the wrong side), by summation."""
    slope = min((1.0 - limit) / limit, _BEYOND_COUNTS)
    first, masses = _poisson_range(m * p)
    lowest, sums = _poisson_sums(m * (1.0 - p))
    # Below `start` the other requests are surely more than x allows, from `end` on surely fewer.
    start = min(len(masses), max(0, math.floor(lowest / slope) - 1 - first))
    end = max(start, min(len(masses), math.ceil((lowest + len(sums) + 1) / slope) + 2 - first))
    total = math.fsum(masses[:start] if bound == "at_least" else masses[end:])
    limits = [slope * x for x in range(first + start, first + end)]
    if bound == "at_least":
        indices = [floor - lowest for floor in floors_on_lattice(limits)]
    else:
        indices = [ceil - 1 - lowest for ceil in ceils_on_lattice(limits)]
    most = len(sums)
    within = [0.0 if index < 0 else sums[index] if index < most else 1.0 for index in indices]
    if bound == "at_least":
        within = [1.0 - share for share in within]
    total += math.fsum(map(mul, masses[start:end], within))
    # At X = Y = 0 neither sum counts the window: the first needs Y > 0, the second Y < 0.
    return min(1.0, max(0.0, total))


@lru_cache(maxsize=256)
def _poisson_sums(mean: float) -> tuple[int, list[float]]:
    """Return the first value of a Poisson variable, and its distribution function from there on."""
    first, masses = _poisson_range(mean)
    return first, list(accumulate(masses))


@lru_cache(maxsize=256)
def _poisson_range(mean: float) -> tuple[int, list[float]]:
    """Return the first value and the masses of a Poisson variable: nine standard deviations and 16 counts each way."""
    span = _POISSON_SPAN * math.sqrt(mean) + _POISSON_COUNTS
    first, last = max(0, math.floor(mean - span)), math.ceil(mean + span)
    mode = math.floor(mean)
    middle = poisson_pmf(mode, mean)
    # Neighbours differ by a factor; `accumulate` multiplies thousands of them without a loop in Python.
    upward = accumulate(map(mean.__truediv__, range(mode + 1, last + 1)), mul, initial=middle)
    downward = accumulate(
        map((1.0 / mean if mean else 0.0).__mul__, range(mode, first, -1)), mul, initial=middle
    )
    return first, [*list(downward)[:0:-1], *upward]


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
        empty_fails: a window without canary requests counts as a failure.
        design_effect: variance of clustered requests over that of independent ones.
    """

    limit: float
    bound: Bound
    window_s: float
    interval_s: float
    failure_limit: int = 0
    first_look_s: float | None = None
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

    @property
    def first_s(self) -> float:
        """The time of the first look."""
        return self.window_s if self.first_look_s is None else self.first_look_s

    def looks_by(self, time_s: float) -> int:
        """Return the number of looks by a time."""
        if time_s < self.first_s - 1e-9:
            return 0
        return looks_until(time_s - self.first_s, self.interval_s) + 1


def window_looks(guard: WindowGuard, rollout: Rollout, p: float) -> Iterator[Looks]:
    """Yield the looks of a guard over a rollout; looks that are alike are one value.

    Expected requests of a look: m = rps times the integral of the weight over the window. Neighbours
    correlate by overlap / sqrt(m' m), the requests they share, which also holds for a window that straddles a
    change of weight.

    Args:
        guard: the guard.
        rollout: the rollout.
        p: true probability of the event with the canary.
    """
    start, taken = 0.0, 0
    for end in rollout.ends:
        total = guard.looks_by(end)
        while taken < total:
            time = guard.first_s + taken * guard.interval_s
            alike = total - taken if time - guard.window_s - guard.interval_s >= start - 1e-9 else 1
            fail, correlation = _look(guard, rollout, p, time)
            yield Looks(time, guard.interval_s, alike, fail, correlation)
            taken += alike
        start = end


def _look(guard: WindowGuard, rollout: Rollout, p: float, time: float) -> tuple[float, float]:
    """Return P(the look at a time fails) and its correlation with the look before."""

    def served(since: float, until: float) -> float:
        return max(0.0, rollout.exposure(until) - rollout.exposure(since))

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
