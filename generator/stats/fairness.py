"""Demographic parity difference: largest minus smallest selection rate over groups, with its uncertainty.

The point estimate is biased upward: the more groups and the smaller they are, the larger the difference a
perfectly fair model shows. Intervals of all pairs, at a level that allows for their number, decide instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from generator.stats.binomial import Interval, difference_interval, wilson
from generator.stats.domain import open_probability, positive, probability
from generator.stats.normal import normal_cdf, normal_pdf
from generator.stats.offline import Verdict

SMALLEST_GROUP = 30


@dataclass(frozen=True, slots=True)
class Parity:
    """What a parity gate found.

    Args:
        difference: largest minus smallest selection rate of the groups that count.
        interval: simultaneous interval of the largest difference.
        highest: group with the largest rate, empty when fewer than two groups count.
        lowest: group with the smallest rate, likewise.
        small_groups: groups with too few rows to be judged, in order of name.
        verdict: what that says about the limit.
    """

    difference: float
    interval: Interval
    highest: str
    lowest: str
    small_groups: tuple[str, ...]
    verdict: Verdict


def newcombe(
    selected_1: float,
    n_1: float,
    selected_2: float,
    n_2: float,
    *,
    tail: float = 0.025,
    design_effect: float = 1.0,
) -> tuple[float, Interval]:
    """Difference p1 - p2 of two independent proportions with Newcombe's hybrid score interval.

    Low = d - sqrt((p1-l1)^2 + (u2-p2)^2), high = d + sqrt((u1-p1)^2 + (p2-l2)^2), l and u the ends of
    Wilson's intervals (Newcombe, Statistics in Medicine 17, 1998, method 10).

    Args:
        selected_1: rows selected in the first group, 0..n_1.
        n_1: rows of the first group, > 0.
        selected_2: rows selected in the second group.
        n_2: rows of the second group.
        tail: chance that one end misses.
        design_effect: variance of clustered rows over that of independent ones, >= 1.

    Raises:
        ValueError: an argument is outside its domain.
    """
    first = wilson(selected_1, n_1, tail=tail, design_effect=design_effect)
    second = wilson(selected_2, n_2, tail=tail, design_effect=design_effect)
    return difference_interval(selected_1 / n_1, first, selected_2 / n_2, second)


def demographic_parity(
    groups: Mapping[str, tuple[float, float]],
    limit: float,
    *,
    alpha: float = 0.05,
    design_effect: float = 1.0,
    smallest_group: int = SMALLEST_GROUP,
) -> Parity:
    """Three-valued verdict on the demographic parity difference.

    Newcombe intervals of all k (k-1) / 2 pairs at level 1 - alpha / pairs. Pass when every pair stays below
    the limit, fail when one pair surely reaches it, else inconclusive. Groups below `smallest_group` rows are
    named and keep the verdict from passing, but cannot fail it.

    Args:
        groups: selected rows and rows of each group.
        limit: largest difference accepted, strictly between 0 and 1.
        alpha: chance that any of the intervals misses.
        design_effect: variance of clustered rows over that of independent ones, >= 1.
        smallest_group: fewest rows of a group that counts, at least 1.

    Raises:
        ValueError: an argument is outside its domain.
    """
    open_probability("limit", limit)
    open_probability("alpha", alpha)
    small = tuple(sorted(name for name, (_, n) in groups.items() if n < max(1, smallest_group)))
    names = sorted(set(groups) - set(small))
    if len(names) < 2:
        return Parity(0.0, Interval(0.0, 1.0), "", "", small, "inconclusive")
    pairs = len(names) * (len(names) - 1) // 2
    rates = {name: groups[name][0] / groups[name][1] for name in names}
    bounds = {
        name: wilson(*groups[name], tail=alpha / pairs / 2.0, design_effect=design_effect) for name in names
    }
    low = high = 0.0
    for one, other in combinations(names, 2):
        _, pair = difference_interval(rates[one], bounds[one], rates[other], bounds[other])
        low, high = max(low, pair.low, -pair.high), max(high, pair.high, -pair.low)
    highest, lowest = max(names, key=rates.__getitem__), min(names, key=rates.__getitem__)
    verdict: Verdict = "inconclusive"
    if low >= limit:
        verdict = "fail"
    elif high < limit and not small:
        verdict = "pass"
    return Parity(rates[highest] - rates[lowest], Interval(low, high), highest, lowest, small, verdict)


def range_cdf(width: float, groups: int) -> float:
    """P(largest minus smallest of k standard normals <= width).

    k times the integral of phi(x) (Phi(x+w) - Phi(x))^(k-1) over x, the smallest, by Simpson's rule.
    Absolute error below 1e-10 for up to 1000 groups.

    Raises:
        ValueError: fewer than two groups, or over a thousand.
    """
    if not 2 <= groups <= 1000:
        raise ValueError(f"groups must lie between 2 and 1000, not {groups}")
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
    """Studentised range quantile with infinite degrees of freedom, by bisection to 1e-9.

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


def dpd_false_fail(limit: float, rate: float, group_rows: float, groups: int = 2) -> float:
    """Chance that a bare `difference < limit` fails a perfectly fair model with k groups of n rows.

    P(range of k normals > limit / sqrt(s (1-s) / n)); with two groups that is
    2 (1 - Phi(limit / sqrt(2 s (1-s) / n))). The normal form ignores that rates are multiples of 1/n:
    simulation fails up to 0.085 more often at 30 rows a group, 0.04 at 100.

    Raises:
        ValueError: an argument is outside its domain.
    """
    positive("limit", limit)
    spread = math.sqrt(probability("rate", rate) * (1.0 - rate) / positive("rows of a group", group_rows))
    if spread == 0.0:
        return 0.0
    if groups == 2:
        return 2.0 * normal_cdf(-limit / (spread * math.sqrt(2.0)))
    return max(0.0, 1.0 - range_cdf(limit / spread, groups))


def minimum_group(limit: float, rate: float, groups: int = 2, *, false_fail: float = 0.05) -> int:
    """Rows each group needs so that a bare limit seldom fails a fair model.

    ceil(s (1-s) (q / limit)^2), q the studentised range quantile of 1 - false_fail. To pass the interval
    verdict a fair model needs about twice as many.

    Raises:
        ValueError: an argument is outside its domain.
    """
    positive("limit", limit)
    quantile = range_quantile(1.0 - open_probability("false fail", false_fail), groups)
    return max(1, math.ceil(probability("rate", rate) * (1.0 - rate) * (quantile / limit) ** 2))
