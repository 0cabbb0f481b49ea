"""One look of a guard that compares the ratio in a window with a constant.

Requests in the window are Poisson with mean m, so events X ~ Pois(m p) and other requests Y ~ Pois(m (1-p))
are independent, and `ratio >= c` says (1-c) X >= c Y. The Poisson form smooths the lattice of counts that a
fixed number of requests would show and is nearer to what a window of real traffic does.
"""

from __future__ import annotations

import math
from typing import Literal

from generator.stats.binomial import binom_cdf, binom_sf, ceil_on_lattice, floor_on_lattice
from generator.stats.domain import at_least_one, not_negative, open_probability, probability
from generator.stats.normal import normal_cdf, normal_quantile
from generator.stats.special import poisson_pmf

Bound = Literal["at_least", "at_most"]

NORMAL_ABOVE = 20_000.0
_POISSON_SPAN = 9.0
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
    """Probability that one look fails.

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
        empty_fails: a window without requests (0/0, NaN) counts as a failure, as with a bare
            successCondition.

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
    """P(breach) of a limit of 0 or 1: one wrong count is enough, or none is possible."""
    wrong = p if bound == "at_most" else 1.0 - p
    reachable = (limit == 0.0) == (bound == "at_most")
    return -math.expm1(-m * wrong) if reachable else 0.0


def _breach_normal(m: float, p: float, limit: float, bound: Bound) -> float:
    """P(the ratio is on the wrong side) by the normal form."""
    spread = math.sqrt(p * (1.0 - p) + (p - limit) ** 2)
    z = (limit - p) * math.sqrt(m) / spread
    return normal_cdf(z if bound == "at_least" else -z)


def _breach_poisson(m: float, p: float, limit: float, bound: Bound) -> float:
    """P(the ratio of a window with requests is on the wrong side), by summation."""
    slope = min((1.0 - limit) / limit, _BEYOND_COUNTS)
    first, masses = _poisson_range(m * p)
    cdf = _PoissonCdf(m * (1.0 - p))
    total = 0.0
    for x, mass in enumerate(masses, first):
        if bound == "at_least":
            total += mass * (1.0 - cdf.at(floor_on_lattice(slope * x)))
        else:
            total += mass * cdf.at(ceil_on_lattice(slope * x) - 1)
    # At X = Y = 0 neither sum counts the window: the first asks for Y > 0, the second for Y < 0.
    return min(1.0, max(0.0, total))


def _poisson_range(mean: float) -> tuple[int, list[float]]:
    """First value and masses of a Poisson variable: nine standard deviations and 40 counts each way."""
    span = _POISSON_SPAN * math.sqrt(mean) + 40.0
    first, last = max(0, math.floor(mean - span)), math.ceil(mean + span)
    mode = math.floor(mean)
    upward = [poisson_pmf(mode, mean)]
    for x in range(mode + 1, last + 1):
        upward.append(upward[-1] * mean / x)
    downward = [upward[0]]
    for x in range(mode, first, -1):
        downward.append(downward[-1] * x / mean)
    return first, downward[:0:-1] + upward


class _PoissonCdf:
    """Distribution function of one Poisson variable, tabulated once."""

    __slots__ = ("_first", "_sums")

    def __init__(self, mean: float) -> None:
        self._first, masses = _poisson_range(mean)
        self._sums: list[float] = []
        total = 0.0
        for mass in masses:
            total += mass
            self._sums.append(total)

    def at(self, k: int) -> float:
        """P(X <= k)."""
        index = k - self._first
        if index < 0:
            return 0.0
        return self._sums[index] if index < len(self._sums) else 1.0


def look_fail_fixed(n: int, p: float, limit: float, bound: Bound) -> float:
    """Probability that a ratio over exactly n rows or requests fails; n = 0 fails (0/0).

    P(Bin(n, p) <= ceil(c n) - 1) for `at_least` c, P(Bin(n, p) > floor(c n)) for `at_most` c. Exact.

    Raises:
        ValueError: an argument is outside its domain.
    """
    probability("limit", limit)
    if n == 0:
        return 1.0
    if bound == "at_least":
        return binom_cdf(ceil_on_lattice(limit * n) - 1, n, p)
    return binom_sf(floor_on_lattice(limit * n), n, p)


def requests_for_threshold(p: float, limit: float, looks: int, false_alarm: float) -> float:
    """Requests a window must hold so that all looks together raise a false alarm with the given probability.

    m >= z(1 - a/K)^2 (p (1-p) + (p-c)^2) / (p-c)^2: the normal form of one look with Bonferroni's correction.
    A rule of thumb: rare events are skewed, and a rise from 0.5 % to 1 % is then a false alarm two or three
    times as often as wanted; `look_fail` tells. Infinite when the limit equals p.

    Raises:
        ValueError: an argument is outside its domain.
    """
    open_probability("p", p)
    open_probability("limit", limit)
    open_probability("false alarm", false_alarm)
    if looks < 1:
        raise ValueError(f"looks must be at least 1, not {looks}")
    gap = (p - limit) ** 2
    z = -normal_quantile(false_alarm / looks)
    return z * z * (p * (1.0 - p) + gap) / gap if gap > 0.0 else math.inf
