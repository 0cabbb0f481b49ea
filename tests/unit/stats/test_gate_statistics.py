"""Verdicts, shares, paired comparisons, fairness and drift of gates, against scipy and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.stats.binomial import Interval
from generator.stats.drift import association_critical, ks_critical, ks_rows, psi_critical, psi_rows
from generator.stats.fairness import (
    _RANGE_95,
    largest_difference,
    minimum_group,
    newcombe,
    range_cdf,
    range_quantile,
    smallest_ratio,
)
from generator.stats.offline import (
    mcnemar_exact,
    paired_difference,
    share_chances,
    share_interval,
    verdict,
)

ends = st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).map(lambda pair: Interval(min(pair), max(pair)))


@pytest.mark.parametrize(
    ("low", "high", "at_least", "at_most"),
    [
        (0.92, 0.94, "pass", "inconclusive"),
        (0.93, 0.94, "pass", "fail"),
        (0.91, 0.92, "inconclusive", "pass"),
        (0.90, 0.91, "fail", "pass"),
        (0.92, 0.92, "pass", "pass"),
        (0.91, 0.93, "inconclusive", "inconclusive"),
    ],
)
def test_a_limit_is_kept_by_the_whole_interval(low, high, at_least, at_most):
    assert verdict(Interval(low, high), 0.92) == at_least
    assert verdict(Interval(low, high), 0.92, at_least=False) == at_most


@given(ends, st.floats(-1e6, 1e6))
def test_a_verdict_mirrors(interval, limit):
    mirrored = Interval(-interval.high, -interval.low)
    assert verdict(interval, limit) == verdict(mirrored, -limit, at_least=False)


def test_shares():
    assert verdict(share_interval(470, 500), 0.92) == "pass"
    assert verdict(share_interval(470, 500, guaranteed=True), 0.92) == "inconclusive"
    assert verdict(share_interval(471, 500, guaranteed=True), 0.92) == "pass"
    assert verdict(share_interval(460, 500), 0.92) == "inconclusive"
    assert verdict(share_interval(430, 500), 0.92) == "fail"


@settings(deadline=None)
@given(
    st.floats(0.0, 1.0),
    st.integers(1, 400),
    st.floats(0.0, 1.0, allow_subnormal=False).filter(
        lambda share: share == 0 or share > 1e-300
    ),  # SciPy's limits
    st.booleans(),
)
def test_chances_are_those_of_every_count(limit, rows, share, guaranteed):
    found = share_chances(limit, rows, share, guaranteed=guaranteed)
    verdicts = [
        verdict(share_interval(right, rows, guaranteed=guaranteed), limit) for right in range(rows + 1)
    ]
    masses = scipy.stats.binom.pmf(np.arange(rows + 1), rows, share)
    for name, chance in (("pass", found.passes), ("fail", found.fails), ("inconclusive", found.inconclusive)):
        expected = math.fsum(mass for mass, each in zip(masses, verdicts, strict=True) if each == name)
        assert chance == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(st.integers(0, 2000), st.integers(0, 2000))
def test_mcnemar(b, c):
    exact = scipy.stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize(
    ("champion", "challenger", "rows", "margin", "expected"),
    [
        (40, 61, 2000, 0.0, "pass"),
        (61, 40, 2000, 0.0, "fail"),
        (50, 50, 2000, 0.01, "pass"),
        (50, 50, 200, 0.01, "inconclusive"),
        (0, 0, 50, 0.01, "inconclusive"),
        (0, 0, 1000, 0.01, "pass"),
    ],
)
def test_not_worse(champion, challenger, rows, margin, expected):
    _, interval = paired_difference(champion, challenger, rows)
    assert verdict(interval, -margin) == expected


@pytest.mark.parametrize(("champion", "challenger"), [(0.01, 0.0), (0.03, 0.02), (0.10, 0.09)])
def test_a_model_at_the_margin_rarely_passes(champion, challenger):
    """True difference exactly -1 %: the verdict may pass in about one comparison of twenty."""
    n, runs = 1000, 4000
    rng = np.random.default_rng(1)
    counts = rng.multinomial(n, [champion, challenger, 1 - champion - challenger], runs)
    verdicts = {}
    passed = 0
    for b, c, _ in counts.tolist():
        if (b, c) not in verdicts:
            verdicts[b, c] = verdict(paired_difference(b, c, n)[1], -0.01)
        passed += verdicts[b, c] == "pass"
    assert passed / runs <= 0.05 + 0.02 + 4 * math.sqrt(0.05 * 0.95 / runs)


def test_the_paired_interval_agrees_with_the_normal_one_on_many_rows():
    b, c, n = 400, 610, 20_000
    difference, found = paired_difference(b, c, n)
    half = scipy.stats.norm.isf(0.05) * math.sqrt(b + c - (c - b) ** 2 / n) / n
    assert difference == pytest.approx((c - b) / n)
    assert (found.low, found.high) == pytest.approx((difference - half, difference + half), abs=1e-4)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 7.0), st.integers(2, 40))
def test_range_of_normals(width, k):
    exact = scipy.stats.studentized_range.cdf(width, k, math.inf)
    assert range_cdf(width, k) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize(("rate", "rows"), [(0.5, (193, 275, 373, 460)), (0.2, (123, 176, 239, 294))])
def test_smallest_group(rate, rows):
    assert tuple(minimum_group(0.1, k, rate=rate) for k in (2, 3, 5, 8)) == rows


@pytest.mark.parametrize("groups", [*_RANGE_95, 11])
def test_quantiles_of_the_range(groups):
    exact = scipy.stats.studentized_range.ppf(0.95, groups, math.inf)
    assert _RANGE_95.get(groups, exact) == pytest.approx(exact, abs=2e-6)
    assert minimum_group(0.05, groups) == math.ceil(0.25 * (exact / 0.05) ** 2)


def test_the_smallest_group_is_as_good_as_promised():
    """The normal form ignores that counts are whole: simulated, a fair model fails in up to 9 % of all runs."""
    rows, runs = minimum_group(0.1, 3), 20_000
    counts = np.random.default_rng(4).binomial(rows, 0.5, (runs, 3)) / rows
    failed = ((counts.max(axis=1) - counts.min(axis=1)) > 0.1).mean()
    assert 0.03 < failed < 0.09


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((60, 200, 44, 200), (0.08, -0.006, 0.165)),
        ((500, 1000, 440, 1000), (0.06, 0.016, 0.103)),
        ((25, 50, 18, 50), (0.14, -0.052, 0.319)),
    ],
)
def test_newcombe(counts, expected):
    difference, interval = newcombe(*counts)
    assert (difference, interval.low, interval.high) == pytest.approx(expected, abs=6e-4)


def test_differences_of_groups():
    difference, interval = largest_difference({"b": (60, 200), "a": (44, 200)})
    assert difference == pytest.approx(0.08)
    assert (interval.low, interval.high) == pytest.approx((0.0, 0.164545), abs=1e-6)
    three = {"a": (2000, 4000), "b": (2000, 4000), "c": (1000, 4000)}
    difference, interval = largest_difference(three)
    assert difference == 0.25
    assert interval.low > 0.2
    assert interval.low < difference < interval.high


@pytest.mark.parametrize(
    ("rates", "wrong"), [((0.5, 0.5, 0.6), "pass"), ((0.5, 0.5, 0.5), "fail")], ids=["unfair", "fair"]
)
def test_a_wrong_verdict_on_groups_is_rare(rates, wrong):
    rng = np.random.default_rng(2)
    runs, n = 1500, 300
    counts = rng.binomial(n, rates, (runs, 3)).tolist()
    tables = [{str(i): (x, n) for i, x in enumerate(row)} for row in counts]
    verdicts = [verdict(largest_difference(table)[1], 0.1, at_least=False) for table in tables]
    assert verdicts.count(wrong) / runs <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / runs)


def test_ratios_of_groups():
    assert smallest_ratio({"a": (0, 40), "b": (0, 40)}) == (None, Interval(0.0, 1.0))
    value, interval = smallest_ratio({"a": (80, 400), "b": (100, 400), "c": (400, 400)})
    assert value == pytest.approx(0.2)
    assert 0.1 < interval.low < value < interval.high < 0.3
    value, interval = smallest_ratio({"a": (0, 100), "b": (50, 100)})
    assert (value, interval.low) == (0.0, 0.0)
    assert 0.0 < interval.high < 0.2


def test_the_interval_of_a_ratio_covers_the_truth():
    rng, runs, n = np.random.default_rng(3), 2000, 400
    missed = 0
    for a, b in zip(rng.binomial(n, 0.4, runs), rng.binomial(n, 0.5, runs), strict=True):
        _, interval = smallest_ratio({"a": (int(a), n), "b": (int(b), n)})
        missed += not interval.low <= 0.8 <= interval.high
    assert missed / runs <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / runs)


@given(st.integers(50, 10**6), st.integers(50, 10**6), st.floats(1e-6, 0.1))
def test_the_critical_distance_has_its_p_value(n, m, alpha):
    distance = ks_critical(n, m, alpha) * math.sqrt(n * m / (n + m))
    assert scipy.stats.kstwobign.sf(distance) == pytest.approx(alpha, rel=2e-4)


@given(st.integers(50, 10**6), st.floats(1e-6, 0.1))
def test_rows_at_which_a_distance_is_significant(n, alpha):
    assert ks_rows(ks_critical(n, n, alpha), alpha) == pytest.approx(n)


@given(st.integers(50, 10**6), st.integers(50, 10**6), st.integers(2, 30), st.floats(1e-6, 0.1))
def test_the_critical_association_has_its_p_value(n, m, categories, alpha):
    found = association_critical(categories, n, m, alpha)
    statistic = found**2 * 4 * n * m / (n + m)
    assert scipy.stats.chi2.sf(statistic, categories - 1) == pytest.approx(alpha, rel=1e-6)


@pytest.mark.parametrize(("n", "critical"), [(100, 0.338), (200, 0.169), (500, 0.068), (1000, 0.034)])
def test_stability_index(n, critical):
    assert psi_critical(10, n, n) == pytest.approx(critical, abs=6e-4)
    assert psi_critical(10, n, n) == pytest.approx(scipy.stats.chi2.ppf(0.95, 9) * 2 / n, rel=1e-9)


def test_rows_for_the_stability_index():
    assert [math.floor(psi_rows(bins, at)) for at in (0.2, 0.1) for bins in (10, 20)] == [169, 301, 338, 602]


@pytest.mark.parametrize(
    "call",
    [
        lambda: share_interval(1, 0),
        lambda: share_chances(1.1, 10, 0.9),
        lambda: share_chances(0.9, 0, 0.9),
        lambda: mcnemar_exact(-1, 2),
        lambda: paired_difference(5, 6, 10),
        lambda: paired_difference(0, 0, 0),
        lambda: range_cdf(1.0, 1),
        lambda: range_quantile(1.0, 2),
        lambda: largest_difference({"a": (1, 40)}),
        lambda: largest_difference({"a": (50, 40), "b": (1, 40)}),
        lambda: smallest_ratio({"a": (5, 40), "b": (1, 40)}, alpha=1.0),
        lambda: minimum_group(0.0),
        lambda: ks_critical(0, 10, 0.05),
        lambda: association_critical(1, 10, 10, 0.05),
        lambda: psi_critical(1, 10, 10),
    ],
)
def test_arguments_out_of_their_domain(call):
    with pytest.raises(ValueError, match=r"must|not a comparison"):
        call()
