"""Gates on a test set: a score against a limit, and a challenger against the champion."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from generator.stats.binomial import Interval, binom_cdf, clopper_pearson, difference_interval, wilson
from generator.stats.domain import at_least_one, open_probability, positive, probability
from generator.stats.looks import look_fail_fixed
from generator.stats.normal import normal_cdf, normal_pdf, normal_quantile

Verdict = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """An estimate, its interval, and what they say."""

    estimate: float
    interval: Interval
    verdict: Verdict


def verdict_at_least(interval: Interval, limit: float) -> Verdict:
    """Pass when the whole interval reaches the limit, fail when none of it does, else inconclusive."""
    if interval.low >= limit:
        return "pass"
    return "fail" if interval.high < limit else "inconclusive"


def pass_probability(limit: float, n: int, p: float) -> float:
    """Chance that a bare `score >= limit` on n rows passes a model whose true score is p.

    1 - P(X <= ceil(t n) - 1), exact; 0 without rows.

    Raises:
        ValueError: an argument is outside its domain.
    """
    return 1.0 - look_fail_fixed(n, p, limit, "at_least")


def judge_accuracy(
    correct: float,
    n: float,
    limit: float,
    *,
    tail: float = 0.05,
    guaranteed: bool = False,
    design_effect: float = 1.0,
) -> Judgement:
    """Three-valued verdict on a share of right answers.

    Args:
        correct: right answers, 0..n.
        n: rows; without rows the verdict is inconclusive.
        limit: the share demanded.
        tail: chance that one end of the interval misses.
        guaranteed: Clopper-Pearson's interval, whose level holds whatever the truth, instead of Wilson's.
        design_effect: variance of clustered rows over that of independent ones, >= 1.

    Raises:
        ValueError: an argument is outside its domain.
    """
    if n == 0:
        return Judgement(0.0, Interval(0.0, 1.0), "inconclusive")
    method = clopper_pearson if guaranteed else wilson
    interval = method(correct, n, tail=tail, design_effect=design_effect)
    return Judgement(correct / n, interval, verdict_at_least(interval, limit))


@dataclass(frozen=True, slots=True)
class Chances:
    """Of the three verdicts; they add up to 1."""

    passes: float
    fails: float
    inconclusive: float


def accuracy_chances(
    limit: float, n: int, p: float, *, tail: float = 0.05, guaranteed: bool = False
) -> Chances:
    """What `judge_accuracy` says of a model whose true score is p, on n independent rows.

    Exact: both ends of the interval rise with the number of right answers, so each verdict is a range of a
    binomial; its ends are found by bisection.

    Raises:
        ValueError: an argument is outside its domain.
    """
    probability("limit", limit)
    probability("p", p)
    at_least_one("rows", n)

    def first(reached: Callable[[Interval], bool]) -> int:
        """Fewest right answers at which that holds; n + 1 if it never does."""
        low, high = 0, n + 1
        while low < high:
            middle = (low + high) // 2
            if reached((clopper_pearson if guaranteed else wilson)(middle, n, tail=tail)):
                high = middle
            else:
                low = middle + 1
        return low

    enough = first(lambda interval: interval.low >= limit)
    doubtful = first(lambda interval: interval.high >= limit)
    fails = binom_cdf(doubtful - 1, n, p) if doubtful else 0.0
    passes = 1.0 - binom_cdf(enough - 1, n, p) if enough else 1.0
    return Chances(passes, fails, max(0.0, 1.0 - passes - fails))


def accuracy_rows(limit: float, p: float, *, tail: float = 0.05, power: float = 0.8) -> float:
    """Rows that give a model with true score p > limit a chance `power` that its lower bound reaches it.

    (z_tail sqrt(t (1-t)) + z_power sqrt(p (1-p)))^2 / (p-t)^2, the normal form; infinite when p does not
    exceed t.

    Raises:
        ValueError: an argument is not strictly between 0 and 1.
    """
    t = open_probability("limit", limit)
    open_probability("p", p)
    if p <= t:
        return math.inf
    spread = -normal_quantile(tail) * math.sqrt(t * (1.0 - t)) + normal_quantile(power) * math.sqrt(
        p * (1.0 - p)
    )
    return (max(0.0, spread) / (p - t)) ** 2


def mcnemar_exact(champion_only: int, challenger_only: int) -> float:
    """Two-sided p value of McNemar's exact test: min(1, 2 P(Bin(b+c, 1/2) <= min(b, c))).

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
    champion_only: int, challenger_only: int, n: int, *, tail: float = 0.025, design_effect: float = 1.0
) -> tuple[float, Interval]:
    """Challenger's share minus champion's on the same n rows, with its normal interval.

    (c-b)/n, standard error sqrt((b + c - (c-b)^2 / n) phi) / n. Without discordant rows the interval has no
    width: ask for at least ten before believing it.

    Raises:
        ValueError: the counts are negative or exceed n, or n is below 1.
    """
    b, c = champion_only, challenger_only
    if n < 1 or min(b, c) < 0 or b + c > n:
        raise ValueError(f"{b} and {c} rows of {n} are not a comparison on the same rows")
    difference = (c - b) / n
    error = math.sqrt(max(0.0, b + c - (c - b) ** 2 / n) * at_least_one("design effect", design_effect)) / n
    half = -normal_quantile(open_probability("tail", tail)) * error
    return difference, Interval(max(-1.0, difference - half), min(1.0, difference + half))


def judge_not_worse(
    champion_only: int,
    challenger_only: int,
    n: int,
    margin: float,
    *,
    tail: float = 0.05,
    design_effect: float = 1.0,
) -> Judgement:
    """Non-inferiority: pass when the difference surely exceeds -margin, fail when it surely does not.

    Square-and-add interval of c/n - b/n from their Wilson intervals, correlated by
    -sqrt(b c / ((n-b) (n-c))) (Newcombe, Statistics in Medicine 17, 1998; Zou and Donner, 27, 2008). Unlike
    the normal interval of `paired_difference` it keeps a width when the models hardly differ.

    Args:
        champion_only: rows that only the champion gets right, b.
        challenger_only: rows that only the challenger gets right, c.
        n: rows; none is inconclusive.
        margin: how much worse is still accepted, a share.
        tail: chance that one end of the interval misses.
        design_effect: variance of clustered rows over that of independent ones, >= 1.

    Raises:
        ValueError: an argument is outside its domain.
    """
    b, c = champion_only, challenger_only
    probability("margin", margin)
    if n == 0:
        return Judgement(0.0, Interval(-1.0, 1.0), "inconclusive")
    if min(b, c) < 0 or b + c > n:
        raise ValueError(f"{b} and {c} rows of {n} are not a comparison on the same rows")
    champion = wilson(b, n, tail=tail, design_effect=design_effect)
    challenger = wilson(c, n, tail=tail, design_effect=design_effect)
    correlation = -math.sqrt(b * c / ((n - b) * (n - c))) if b * c else 0.0
    estimate, interval = difference_interval(c / n, challenger, b / n, champion, correlation)
    if interval.low > -margin:
        return Judgement(estimate, interval, "pass")
    return Judgement(estimate, interval, "fail" if interval.high <= -margin else "inconclusive")


def paired_rows(difference: float, discordant: float, *, tail: float = 0.05, power: float = 0.8) -> float:
    """Rows at which McNemar's test catches a difference with the wanted power.

    (z_tail sqrt(psi) + z_power sqrt(psi - d^2))^2 / d^2 (Connor, Biometrics 43, 1987).

    Args:
        difference: d, of the shares, not 0.
        discordant: psi, share of rows on which the models differ, at least |d|.
        tail: chance of a false alarm on one side.
        power: chance of catching the difference.

    Raises:
        ValueError: an argument is outside its domain.
    """
    d = positive("difference", abs(difference))
    if not d <= discordant <= 1.0:
        raise ValueError(f"the discordant share must lie between |difference| = {d} and 1, not {discordant}")
    spread = -normal_quantile(tail) * math.sqrt(discordant)
    spread += normal_quantile(power) * math.sqrt(discordant - d * d)
    return (max(0.0, spread) / d) ** 2


def selection_bias(candidates: int) -> float:
    """Mean of the best of k equally good candidates on one test set, in standard errors above the truth.

    E max of k standard normals = integral of k x phi(x) Phi(x)^(k-1), by Simpson's rule; error below 1e-9.

    Raises:
        ValueError: there is no candidate, or over a million.
    """
    if not 1 <= candidates <= 1_000_000:
        raise ValueError(f"candidates must lie between 1 and 1000000, not {candidates}")
    step, points = 0.02, 1000
    total = 0.0
    for i in range(points + 1):
        x = -10.0 + step * i
        weight = 1.0 if i in {0, points} else 4.0 if i % 2 else 2.0
        total += weight * x * normal_pdf(x) * normal_cdf(x) ** (candidates - 1)
    return candidates * total * step / 3.0
