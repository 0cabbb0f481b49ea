"""Binomial probabilities, and intervals for a proportion."""

from __future__ import annotations

import math
from collections.abc import Iterable

from generator.dataclass import dataclass
from generator.stats.domain import open_probability, positive, probability
from generator.stats.normal import normal_quantile
from generator.stats.special import beta_cdf, beta_quantile

_LATTICE_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, both ends included."""

    low: float
    high: float


def floor_on_lattice(value: float) -> int:
    """Return the largest integer <= value; a value within 1e-9 (relative) below an integer counts as that integer.

    0.07 * 100 is 7.000000000000001 in binary, (1 - 0.04) / 0.04 is 23.999999999999996: counts are compared
    with the decimal limit a person wrote, not with its nearest double.
    """
    return math.floor(value + _LATTICE_SLACK * max(1.0, abs(value)))


def ceil_on_lattice(value: float) -> int:
    """Return the smallest integer >= value, with the tolerance of `floor_on_lattice`."""
    return math.ceil(value - _LATTICE_SLACK * max(1.0, abs(value)))


def floors_on_lattice(values: Iterable[float]) -> list[int]:
    """Return `floor_on_lattice` of values that are not negative."""
    return [math.floor(value + _LATTICE_SLACK * (max(1.0, value))) for value in values]


def ceils_on_lattice(values: Iterable[float]) -> list[int]:
    """Return `ceil_on_lattice` of values that are not negative."""
    return [math.ceil(value - _LATTICE_SLACK * (max(1.0, value))) for value in values]


def binom_cdf(k: int, n: int, p: float) -> float:
    """Return P(X <= k) for X ~ Bin(n, p), as I_{1-p}(n-k, k+1); n up to 1e9, relative error below 1e-11.

    Raises:
        ValueError: n is negative or p outside [0, 1].
    """
    if n < 0:
        raise ValueError(f"n must be at least 0, not {n}")
    probability("p", p)
    if k < 0:
        return 0.0
    return 1.0 if k >= n else beta_cdf(1.0 - p, n - k, k + 1)


def _counts(successes: float, n: float) -> tuple[float, float]:
    positive("n", n)
    if not 0.0 <= successes <= n:
        raise ValueError(f"successes must be between 0 and n = {n}, not {successes}")
    return float(successes), float(n)


def wilson(successes: float, n: float, *, tail: float = 0.025) -> Interval:
    """Return Wilson's score interval of a proportion.

    Center (x + z^2/2) / (n + z^2), half width z sqrt(x (n-x) / n + z^2/4) / (n + z^2), z = quantile(1 - tail)
    (Wilson, JASA 22, 1927). Coverage is right on average over p; `clopper_pearson` guarantees it.

    Args:
        successes: rows that count, 0..n.
        n: rows, above 0.
        tail: chance that one end misses: 0.025 for a two-sided 95 % interval, 0.05 when one end is used at 95 %.

    Raises:
        ValueError: an argument is outside its domain.
    """
    x, n = _counts(successes, n)
    z = -normal_quantile(open_probability("tail", tail))
    center = (x + 0.5 * z * z) / (n + z * z)
    half = abs(z) * math.sqrt(x * (n - x) / n + 0.25 * z * z) / (n + z * z)
    low = 0.0 if x == 0.0 else max(0.0, center - half)
    return Interval(low, 1.0 if x == n else min(1.0, center + half))


def clopper_pearson(successes: float, n: float, *, tail: float = 0.025) -> Interval:
    """Return the interval of a proportion that misses with at most `tail` at each end, whatever the truth.

    Beta quantiles: low = B(tail; x, n-x+1), high = B(1-tail; x+1, n-x) (Clopper and Pearson, Biometrika 26,
    1934). Arguments as for `wilson`.

    Raises:
        ValueError: an argument is outside its domain.
    """
    x, n = _counts(successes, n)
    open_probability("tail", tail)
    low = 0.0 if x == 0.0 else beta_quantile(tail, x, n - x + 1.0)
    high = 1.0 if x == n else beta_quantile(1.0 - tail, x + 1.0, n - x)
    return Interval(low, high)


def difference_interval(
    p1: float, first: Interval, p2: float, second: Interval, correlation: float = 0.0
) -> tuple[float, Interval]:
    """Return the difference p1 - p2 with the square-and-add interval from the intervals of both.

    low = d - sqrt(x^2 + y^2 - 2 r x y) with x = p1 - l1, y = u2 - p2; high likewise with u1 - p1 and p2 - l2.
    """
    difference = p1 - p2

    def reach(x: float, y: float) -> float:
        return math.sqrt(x * x + y * y - 2.0 * correlation * x * y)

    low = difference - reach(p1 - first.low, second.high - p2)
    high = difference + reach(first.high - p1, p2 - second.low)
    return difference, Interval(max(-1.0, low), min(1.0, high))
