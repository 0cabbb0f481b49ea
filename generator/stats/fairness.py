"""Differences and ratios of rates between groups, with intervals that hold for all pairs of groups at once.

The point estimate is biased upward: the more groups and the smaller they are, the larger the difference a
perfectly fair model shows. Intervals of all pairs, at a level that allows for their number, decide instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations, permutations
from typing import Final

from generator.stats.binomial import Interval, ceil_on_lattice, difference_interval, wilson
from generator.stats.domain import open_probability, positive, probability
from generator.stats.normal import normal_cdf, normal_pdf

Rates = Mapping[str, tuple[float, float]]
"""Rows that count, and all rows, of each group."""

# 95 % quantiles of the range of k standard normals, k = 2..10: computing one takes 50 ms.
_RANGE_95: Final = {
    2: 2.771808, 3: 3.314493, 4: 3.633160, 5: 3.857656, 6: 4.030092, 7: 4.169554, 8: 4.286309, 9: 4.386509,
    10: 4.474124,
}  # fmt: skip


def newcombe(
    selected_1: float, n_1: float, selected_2: float, n_2: float, *, tail: float = 0.025
) -> tuple[float, Interval]:
    """Return the difference p1 - p2 of two independent proportions with Newcombe's hybrid score interval.

    Low = d - sqrt((p1-l1)^2 + (u2-p2)^2), high = d + sqrt((u1-p1)^2 + (p2-l2)^2), l and u the ends of
    Wilson's intervals (Newcombe, Statistics in Medicine 17, 1998, method 10).

    Args:
        selected_1: rows selected in the first group, 0..n_1.
        n_1: rows of the first group, > 0.
        selected_2: rows selected in the second group.
        n_2: rows of the second group.
        tail: chance that one end misses.

    Raises:
        ValueError: an argument is outside its domain.
    """
    first, second = wilson(selected_1, n_1, tail=tail), wilson(selected_2, n_2, tail=tail)
    return difference_interval(selected_1 / n_1, first, selected_2 / n_2, second)


def largest_difference(groups: Rates, *, alpha: float = 0.05) -> tuple[float, Interval]:
    """Return the largest difference of the rates of two groups, with its simultaneous interval.

    Newcombe intervals of all k (k-1) / 2 pairs at level 1 - alpha / pairs: the truth of every pair is within them
    with probability 1 - alpha.

    Args:
        groups: at least two groups, each with at least one row.
        alpha: chance that any of the intervals misses.

    Raises:
        ValueError: an argument is outside its domain.
    """
    rates, bounds = _rates_and_bounds(groups, alpha)
    low = high = 0.0
    for one, other in combinations(sorted(rates), 2):
        _, pair = difference_interval(rates[one], bounds[one], rates[other], bounds[other])
        low, high = max(low, pair.low, -pair.high), max(high, pair.high, -pair.low)
    return max(rates.values()) - min(rates.values()), Interval(low, high)


def smallest_ratio(groups: Rates, *, alpha: float = 0.05) -> tuple[float | None, Interval]:
    """Return the smallest ratio of the rates of two groups, with its simultaneous interval.

    Each pair by the method of variance estimates recovery from Wilson's intervals (Donner and Zou, Statistical
    Methods in Medical Research 21, 2012). Where nothing is selected in any group there is no ratio.

    Args:
        groups: at least two groups, each with at least one row.
        alpha: chance that any of the intervals misses.

    Raises:
        ValueError: an argument is outside its domain.
    """
    rates, bounds = _rates_and_bounds(groups, alpha)
    if not any(rates.values()):
        return None, Interval(0.0, 1.0)
    low = high = 1.0
    for one, other in permutations(rates, 2):
        if rates[other] > 0:
            pair = _ratio_interval(rates[one], bounds[one], rates[other], bounds[other])
            low, high = min(low, pair.low), min(high, pair.high)
    return min(rates.values()) / max(rates.values()), Interval(low, max(low, high))


def _rates_and_bounds(groups: Rates, alpha: float) -> tuple[dict[str, float], dict[str, Interval]]:
    open_probability("alpha", alpha)
    if len(groups) < 2:
        raise ValueError(f"groups must be at least 2, not {len(groups)}")
    tail = alpha / (len(groups) * (len(groups) - 1) // 2) / 2.0
    bounds = {name: wilson(count, rows, tail=tail) for name, (count, rows) in groups.items()}
    return {name: count / rows for name, (count, rows) in groups.items()}, bounds


def _ratio_interval(p1: float, first: Interval, p2: float, second: Interval) -> Interval:
    """Return the interval of p1 / p2, where p2 > 0 and its Wilson interval therefore does not reach 0."""
    low_term = first.low * second.high * (2 * p1 - first.low) * (2 * p2 - second.high)
    low = (
        (p1 * p2 - math.sqrt(max(0.0, (p1 * p2) ** 2 - low_term))) / (second.high * (2 * p2 - second.high))
        if 2 * p2 > second.high
        else 0.0
    )
    high_term = first.high * second.low * (2 * p1 - first.high) * (2 * p2 - second.low)
    high = (p1 * p2 + math.sqrt(max(0.0, (p1 * p2) ** 2 - high_term))) / (second.low * (2 * p2 - second.low))
    return Interval(max(0.0, low), high)


def range_cdf(width: float, groups: int) -> float:
    """Return P(largest minus smallest of k standard normals <= width).

    k times the integral of phi(x) (Phi(x+w) - Phi(x))^(k-1) over x, the smallest, by Simpson's rule.
    Absolute error below 1e-10 for up to 1000 groups.

    Raises:
        ValueError: fewer than two groups, or over a thousand.
    """
    if not 2 <= groups <= 1000:
        raise ValueError(f"groups must be between 2 and 1000, not {groups}")
    if width <= 0.0:
        return 0.0
    step, points = 0.02, 1000
    total = 0.0
    for i in range(points + 1):
        x = -12.0 + step * i
        weight = 1.0 if i in {0, points} else 4.0 if i % 2 else 2.0
        total += weight * normal_pdf(x) * (normal_cdf(x + width) - normal_cdf(x)) ** (groups - 1)
    return min(1.0, groups * total * step / 3.0)


def range_quantile(p: float, groups: int) -> float:
    """Return the studentised range quantile with infinite degrees of freedom, by bisection to 1e-9.

    Raises:
        ValueError: p is not strictly between 0 and 1, or the number of groups is outside 2..1000.
    """
    open_probability("p", p)
    low, high = 0.0, 1.0
    while range_cdf(high, groups) < p and high < 24.0:
        low, high = high, 2.0 * high
    while high - low > 1e-9:
        middle = 0.5 * (low + high)
        if range_cdf(middle, groups) < p:
            low = middle
        else:
            high = middle
    return high


def minimum_group(limit: float, groups: int = 2, *, rate: float = 0.5) -> int:
    """Return the rows each group needs so that a bare limit fails a perfectly fair model in 5 % of all runs at most.

    ceil(s (1-s) (q / limit)^2), q the studentised range quantile. To pass the interval verdict a fair model needs
    about twice as many.

    Args:
        limit: largest difference accepted, above 0.
        groups: how many groups are compared.
        rate: selection rate s of all groups; one half is the worst case.

    Raises:
        ValueError: an argument is outside its domain.
    """
    positive("limit", limit)
    quantile = _RANGE_95.get(groups) or range_quantile(0.95, groups)
    return max(1, ceil_on_lattice(probability("rate", rate) * (1.0 - rate) * (quantile / limit) ** 2))
