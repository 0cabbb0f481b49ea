"""Gates on a test set: the verdict on a number, a share against a limit, and a challenger against the champion."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.stats.binomial import Interval, binom_cdf, clopper_pearson, difference_interval, wilson
from generator.stats.domain import at_least_one, probability

Verdict = Literal["pass", "fail", "inconclusive"]
TAIL: Final = 0.05
"""Chance that the end of an interval which faces the limit misses the truth."""


def verdict(interval: Interval, limit: float, *, at_least: bool = True) -> Verdict:
    """Return pass if the whole interval meets the limit, fail if none of it does, else inconclusive.

    Args:
        interval: where the number may be; for a bare number both ends are that number.
        limit: the bound; a number equal to it keeps to it.
        at_least: the limit bounds the number from below, otherwise from above.
    """
    if not at_least:
        return verdict(Interval(-interval.high, -interval.low), -limit)
    if interval.low >= limit:
        return "pass"
    return "fail" if interval.high < limit else "inconclusive"


def share_interval(right: float, rows: float, *, guaranteed: bool = False, tail: float = TAIL) -> Interval:
    """Return the interval of a share of rows that are independent of each other.

    Args:
        right: rows that count, 0..rows.
        rows: all rows, above 0.
        guaranteed: Clopper and Pearson's interval, whose level holds whatever the truth, instead of Wilson's.
        tail: chance that one end of the interval misses.

    Raises:
        ValueError: an argument is outside its domain.
    """
    return (clopper_pearson if guaranteed else wilson)(right, rows, tail=tail)


@dataclass(frozen=True, slots=True)
class Chances:
    """Of the three verdicts; they add up to 1."""

    passes: float
    fails: float
    inconclusive: float


def share_chances(limit: float, rows: int, share: float, *, guaranteed: bool = False) -> Chances:
    """Return the chances of each verdict on a share that has to reach a limit.

    Exact: both ends of `share_interval` rise with the number of right answers, so each verdict is a range of a
    binomial; its ends are found by bisection.

    Args:
        limit: the share demanded.
        rows: independent rows, at least 1.
        share: the true share.
        guaranteed: see `share_interval`.

    Raises:
        ValueError: an argument is outside its domain.
    """
    probability("limit", limit)
    probability("share", share)
    at_least_one("rows", rows)

    def first(reached: Callable[[Verdict], bool]) -> int:
        """Return the fewest right answers with such a verdict; rows + 1 if there are none."""
        low, high = 0, rows + 1
        while low < high:
            middle = (low + high) // 2
            if reached(verdict(share_interval(middle, rows, guaranteed=guaranteed), limit)):
                high = middle
            else:
                low = middle + 1
        return low

    passing = first(lambda found: found == "pass")
    doubtful = first(lambda found: found != "fail")
    fails = binom_cdf(doubtful - 1, rows, share) if doubtful else 0.0
    passes = 1.0 - binom_cdf(passing - 1, rows, share) if passing else 1.0
    return Chances(passes, fails, max(0.0, 1.0 - passes - fails))


def mcnemar_exact(champion_only: int, challenger_only: int) -> float:
    """Return the two-sided p value of McNemar's exact test: min(1, 2 P(Bin(b+c, 1/2) <= min(b, c))).

    Args:
        champion_only: rows that only the champion gets right, b >= 0.
        challenger_only: rows that only the challenger gets right, c >= 0.

    Raises:
        ValueError: a count is negative.
    """
    b, c = champion_only, challenger_only
    if min(b, c) < 0:
        raise ValueError(f"counts must be at least 0, not {b} and {c}")
    return min(1.0, 2.0 * binom_cdf(min(b, c), b + c, 0.5))


def paired_difference(
    champion_only: int, challenger_only: int, rows: int, *, tail: float = TAIL
) -> tuple[float, Interval]:
    """Return the challenger's share minus the champion's on the same rows, with its interval.

    Square-and-add interval of c/n - b/n from their Wilson intervals, correlated by
    -sqrt(b c / ((n-b) (n-c))) (Newcombe, Statistics in Medicine 17, 1998; Zou and Donner, 27, 2008). Unlike
    the normal interval it keeps a width when the models hardly differ.

    Args:
        champion_only: rows that only the champion gets right, b.
        challenger_only: rows that only the challenger gets right, c.
        rows: all rows, n >= 1.
        tail: chance that one end of the interval misses.

    Raises:
        ValueError: an argument is outside its domain.
    """
    b, c, n = champion_only, challenger_only, rows
    if n < 1 or min(b, c) < 0 or b + c > n:
        raise ValueError(f"{b} and {c} rows of {n} are not a comparison on the same rows")
    correlation = -math.sqrt(b * c / ((n - b) * (n - c))) if b * c else 0.0
    return difference_interval(c / n, wilson(c, n, tail=tail), b / n, wilson(b, n, tail=tail), correlation)
