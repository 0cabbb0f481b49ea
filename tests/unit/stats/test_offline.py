"""Accuracy gates, paired comparisons, fairness, drift, latency, delays and the fixed test, against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.stats.delay import (
    delay_share,
    llr_shift,
    lost_event_shift,
    mask_dead_time,
    mask_lookback,
    mask_tolerance,
)
from generator.stats.drift import (
    has_drifted,
    kolmogorov_sf,
    ks_critical,
    ks_distance,
    ks_pvalue,
    psi_critical,
    psi_rows,
)
from generator.stats.fairness import (
    demographic_parity,
    dpd_false_fail,
    minimum_group,
    newcombe,
    range_cdf,
    range_quantile,
)
from generator.stats.fixed import mde_z, n_canary, power_z, two_prop_z
from generator.stats.latency import (
    lognormal_exceedance,
    lognormal_sigma,
    quantile_fail,
    quantile_relative_error,
)
from generator.stats.offline import (
    accuracy_rows,
    judge_accuracy,
    judge_not_worse,
    mcnemar_exact,
    paired_difference,
    paired_rows,
    pass_probability,
    selection_bias,
)


@pytest.mark.parametrize(
    ("n", "shares"),
    [
        (100, (0.321, 0.449, 0.593, 0.734, 0.854)),
        (200, (0.208, 0.367, 0.566, 0.762, 0.905)),
        (1000, (0.018, 0.147, 0.530, 0.902, 0.996)),
        (10_000, (0, 0, 0.509, 1, 1)),
    ],
)
def test_chance_to_pass_a_bare_accuracy_gate(n, shares):
    passed = [pass_probability(0.92, n, p) for p in (0.90, 0.91, 0.92, 0.93, 0.94)]
    assert passed == pytest.approx(shares, abs=6e-4)


def test_accuracy_verdicts():
    assert judge_accuracy(470, 500, 0.92).verdict == "pass"
    assert judge_accuracy(470, 500, 0.92, guaranteed=True).verdict == "inconclusive"
    assert judge_accuracy(471, 500, 0.92, guaranteed=True).verdict == "pass"
    assert judge_accuracy(460, 500, 0.92).verdict == "inconclusive"
    assert judge_accuracy(430, 500, 0.92).verdict == "fail"
    assert judge_accuracy(471, 500, 0.92, design_effect=2).verdict == "inconclusive"
    assert judge_accuracy(0, 0, 0.92).verdict == "inconclusive"


def test_rows_for_accuracy():
    rows = [accuracy_rows(0.92, p) for p in (0.93, 0.94, 0.95, 0.96)]
    assert rows == pytest.approx([4369, 1044, 441, 234], abs=0.6)
    assert accuracy_rows(0.92, 0.92) == math.inf


@settings(deadline=None)
@given(st.integers(0, 2000), st.integers(0, 2000))
def test_mcnemar(b, c):
    exact = scipy.stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar_exact(b, c) == pytest.approx(exact, rel=1e-8)


def test_paired_rows():
    assert paired_rows(0.01, 0.04) == pytest.approx(2471, abs=0.6)
    assert paired_rows(-0.005, 0.03) == pytest.approx(7417, abs=0.6)


def test_not_worse_verdicts():
    assert judge_not_worse(40, 61, 2000, 0.0).verdict == "pass"
    assert judge_not_worse(61, 40, 2000, 0.0).verdict == "fail"
    assert judge_not_worse(50, 50, 2000, 0.01).verdict == "pass"
    assert judge_not_worse(50, 50, 200, 0.01).verdict == "inconclusive"
    assert judge_not_worse(0, 0, 50, 0.01).verdict == "inconclusive"
    assert judge_not_worse(0, 0, 0, 0.01).verdict == "inconclusive"
    assert judge_not_worse(0, 0, 1000, 0.01).verdict == "pass"
    assert judge_not_worse(50, 50, 2000, 0.01, design_effect=3).verdict == "inconclusive"


@pytest.mark.parametrize(("champion", "challenger"), [(0.01, 0.0), (0.03, 0.02), (0.10, 0.09)])
def test_a_model_at_the_margin_seldom_passes(champion, challenger):
    """True difference exactly -1 %: the verdict may pass in about one comparison of twenty."""
    n, runs = 1000, 4000
    rng = np.random.default_rng(1)
    counts = rng.multinomial(n, [champion, challenger, 1 - champion - challenger], runs)
    verdicts = {}
    passed = 0
    for b, c, _ in counts.tolist():
        if (b, c) not in verdicts:
            verdicts[b, c] = judge_not_worse(b, c, n, 0.01).verdict
        passed += verdicts[b, c] == "pass"
    assert passed / runs <= 0.05 + 0.02 + 4 * math.sqrt(0.05 * 0.95 / runs)


def test_paired_interval_agrees_with_the_normal_one_on_many_rows():
    _, normal = paired_difference(400, 610, 20_000, tail=0.05)
    added = judge_not_worse(400, 610, 20_000, 0.0).interval
    assert (added.low, added.high) == pytest.approx((normal.low, normal.high), abs=1e-4)


@pytest.mark.parametrize(
    ("k", "mean"), [(1, 0.0), (2, 1 / math.sqrt(math.pi)), (5, 1.163), (10, 1.539), (50, 2.249)]
)
def test_selection_bias(k, mean):
    assert selection_bias(k) == pytest.approx(mean, abs=5e-4)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 7.0), st.integers(2, 40))
def test_range_of_normals(width, k):
    exact = scipy.stats.studentized_range.cdf(width, k, math.inf)
    assert range_cdf(width, k) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize(("rate", "rows"), [(0.5, (193, 275, 373, 460)), (0.2, (123, 176, 239, 294))])
def test_smallest_group(rate, rows):
    assert tuple(minimum_group(0.1, rate, k) for k in (2, 3, 5, 8)) == rows


@pytest.mark.parametrize(
    ("groups", "shares"),
    [(2, (0.521, 0.367, 0.182, 0.053)), (3, (0.793, 0.643, 0.370, 0.123)), (8, (0.998, 0.987, 0.880, 0.513))],
)
def test_false_failures_of_a_bare_parity_limit(groups, shares):
    """Simulated shares; the normal form ignores the lattice of counts, worst for small groups."""
    planned = [dpd_false_fail(0.1, 0.5, n, groups) for n in (30, 50, 100, 200)]
    assert planned == pytest.approx(shares, abs=0.085)
    assert planned[2:] == pytest.approx(shares[2:], abs=0.04)
    assert all(low <= high + 1e-12 for low, high in zip(planned, shares, strict=True))


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


def test_parity_verdicts():
    undecided = demographic_parity({"b": (60, 200), "a": (44, 200)}, 0.1)
    assert (undecided.verdict, undecided.highest, undecided.lowest) == ("inconclusive", "b", "a")
    assert (undecided.interval.low, undecided.interval.high) == pytest.approx((0.0, 0.164545), abs=1e-6)
    assert demographic_parity({"a": (200, 400), "b": (200, 400)}, 0.1).verdict == "pass"
    assert (
        demographic_parity({"a": (100, 200), "b": (100, 200)}, 0.1, design_effect=3).verdict == "inconclusive"
    )
    assert demographic_parity({"a": (300, 400), "b": (150, 400)}, 0.1).verdict == "fail"
    three = {"a": (2000, 4000), "b": (2000, 4000), "c": (1000, 4000)}
    assert demographic_parity(three, 0.1).verdict == "fail"


def test_groups_too_small_to_judge():
    fair = {"a": (2000, 4000), "b": (2000, 4000)}
    found = demographic_parity({**fair, "z": (0, 20), "y": (0, 0)}, 0.1)
    assert (found.verdict, found.small_groups) == ("inconclusive", ("y", "z"))
    assert found.difference == 0.0
    alone = demographic_parity({"a": (2000, 4000), "z": (0, 20)}, 0.1)
    assert (alone.verdict, alone.highest, alone.interval.high) == ("inconclusive", "", 1.0)
    assert demographic_parity({}, 0.1).verdict == "inconclusive"


def test_unfair_model_seldom_passes_and_fair_model_seldom_fails():
    rng = np.random.default_rng(2)
    runs, n = 1500, 300
    for rates, wrong in (((0.5, 0.5, 0.6), "pass"), ((0.5, 0.5, 0.5), "fail")):
        counts = rng.binomial(n, rates, (runs, 3)).tolist()
        verdicts = [
            demographic_parity({str(i): (x, n) for i, x in enumerate(row)}, 0.1).verdict for row in counts
        ]
        assert verdicts.count(wrong) / runs <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / runs)


@given(st.floats(0.0, 6.0))
def test_kolmogorov(x):
    assert kolmogorov_sf(x) == pytest.approx(scipy.special.kolmogorov(x), abs=1e-14)


@given(st.integers(50, 10**6), st.integers(50, 10**6), st.floats(1e-6, 0.1))
def test_critical_distance_has_its_p_value(n, m, alpha):
    assert ks_pvalue(min(1.0, ks_critical(n, m, alpha)), n, m) == pytest.approx(alpha, rel=2e-4)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=60), st.lists(st.floats(-3, 9), min_size=1, max_size=60)
)
def test_distance_of_samples(one, other):
    values = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (one, other)]
    exact = np.abs(below[0] - below[1]).max()
    assert ks_distance(one, other) == pytest.approx(exact, abs=1e-12)


def test_drift_needs_effect_and_significance():
    assert not has_drifted(0.02, 10**6, 10**6)
    assert not has_drifted(0.15, 50, 50)
    assert has_drifted(0.15, 1000, 1000, features=20)
    assert ks_pvalue(0.02, 10**6, 10**6) < 1e-100


@pytest.mark.parametrize(("n", "critical"), [(100, 0.338), (200, 0.169), (500, 0.068), (1000, 0.034)])
def test_stability_index(n, critical):
    assert psi_critical(10, n, n) == pytest.approx(critical, abs=6e-4)
    assert psi_critical(10, n, n) == pytest.approx(scipy.stats.chi2.ppf(0.95, 9) * 2 / n, rel=1e-9)


def test_rows_for_the_stability_index():
    assert [math.floor(psi_rows(bins, at)) for at in (0.2, 0.1) for bins in (10, 20)] == [169, 301, 338, 602]


def test_latency_quantiles():
    """The median is 80 ms, p95 250 ms, the limit 300 ms; the slower model by a quarter."""
    usual, slower = (lognormal_exceedance(80 * s, 250 * s, 300) for s in (1.0, 1.25))
    assert usual == pytest.approx(scipy.stats.lognorm.sf(300, lognormal_sigma(80, 250), scale=80))
    assert (quantile_fail(300, usual), quantile_fail(300, slower)) == pytest.approx((0.018, 0.671), abs=6e-4)
    assert quantile_fail(3000, slower) == pytest.approx(0.937, abs=6e-4)
    sigma = lognormal_sigma(80, 250)
    errors = [quantile_relative_error(300, sigma, q) for q in (0.95, 0.99)]
    assert errors == pytest.approx([0.085, 0.149], abs=6e-4)
    assert quantile_relative_error(1, 1.0) == pytest.approx(2.11, abs=5e-3)


def test_latency_without_spread():
    assert lognormal_exceedance(80, 80, 300) == 0.0
    assert lognormal_exceedance(80, 80, 50) == 1.0
    assert quantile_fail(0, 0.5) == 0.0


@pytest.mark.parametrize(("delay", "share"), [(10, 0.967), (30, 0.900), (60, 0.801), (120, 0.633)])
def test_share_of_outcomes_seen(delay, share):
    assert delay_share(300, delay) == pytest.approx(share, abs=6e-4)


def test_delays_at_the_ends():
    assert delay_share(300, 0) == 1.0
    assert delay_share(0, 60) == 0.0
    assert delay_share(1e-4, 1.0) == pytest.approx(0.5e-4, rel=1e-4)
    assert delay_share(0.99e-4, 1.0) == pytest.approx(delay_share(1.01e-4, 1.0) * 0.99 / 1.01, rel=1e-5)


def test_shift_by_delay_and_mask():
    assert llr_shift(200, 0.05, 0.05, 0.04, 60, 0.9) == pytest.approx(2.41, abs=5e-3)
    assert llr_shift(2000, 0.05, 0.05, 0.04, 10, 0.9) == pytest.approx(4.01, abs=5e-3)
    assert llr_shift(200, 0.05, 0.05, 0.04, 60, 1.5) < 0.0
    assert lost_event_shift(0.05, 0.9) == pytest.approx(0.10, abs=5e-3)
    assert (mask_lookback(60), mask_dead_time(mask_lookback(60))) == (150, 300)
    assert mask_tolerance(1e9) == 1.1
    assert mask_tolerance(18) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("drop", "requests"),
    [(0.05, (61_406, 84_684)), (0.1, (15_079, 20_700)), (0.2, (3630, 4933)), (0.5, (507, 663))],
)
def test_published_sample_sizes(drop, requests):
    needed = [n_canary(0.04, 1 - drop, 0.05, power=power) for power in (0.8, 0.9)]
    assert needed == pytest.approx(requests, abs=0.6)


@given(st.floats(0.001, 0.4), st.floats(0.3, 2.0).filter(lambda r: abs(r - 1) > 0.02), st.floats(0.01, 0.6))
def test_sample_size_and_power_are_inverse(baseline, ratio, weight):
    needed = n_canary(baseline, ratio, weight, design_effect=1.5)
    assert power_z(baseline, ratio, weight, needed, design_effect=1.5) == pytest.approx(0.8, abs=1e-9)


def test_fixed_test_at_the_ends():
    assert mde_z(0.04, 0.05, 1.0) is None
    drop = mde_z(0.04, 0.05, 15_079.266)
    assert drop == pytest.approx(0.1, abs=1e-6)
    assert two_prop_z(0, 10, 0, 10) == 0.0
    assert two_prop_z(10, 10, 10, 10) == 0.0
    assert two_prop_z(360, 10_000, 7600, 190_000, design_effect=4) == pytest.approx(-1.99434095 / 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda: mcnemar_exact(-1, 2),
        lambda: paired_difference(5, 6, 10),
        lambda: judge_not_worse(1, 1, 10, -0.1),
        lambda: judge_not_worse(8, 8, 10, 0.1),
        lambda: paired_rows(0.0, 0.1),
        lambda: paired_rows(0.2, 0.1),
        lambda: selection_bias(0),
        lambda: pass_probability(0.9, -1, 0.9),
        lambda: range_cdf(1.0, 1),
        lambda: range_quantile(1.0, 2),
        lambda: demographic_parity({}, 0.0),
        lambda: demographic_parity({"a": (50, 40), "b": (1, 40)}, 0.1),
        lambda: dpd_false_fail(0.1, 0.5, 0),
        lambda: ks_critical(0, 10, 0.05),
        lambda: ks_distance([], [1.0]),
        lambda: ks_distance([math.nan], [1.0]),
        lambda: has_drifted(0.2, 10, 10, features=0),
        lambda: psi_critical(1, 10, 10),
        lambda: lognormal_sigma(80, 70),
        lambda: lognormal_sigma(80, 90, 0.4),
        lambda: lognormal_exceedance(0, 250, 300),
        lambda: delay_share(-1, 60),
        lambda: mask_tolerance(0),
        lambda: llr_shift(200, 0.05, 0.05, 0.04, 60, 1.0),
        lambda: two_prop_z(11, 10, 1, 10),
        lambda: two_prop_z(1, 0, 1, 10),
        lambda: n_canary(0.6, 2.0, 0.05),
        lambda: n_canary(0.04, 0.9, 1.0),
        lambda: power_z(0.04, 1.0, 0.05, 100),
    ],
)
def test_arguments_out_of_their_domain(call):
    with pytest.raises(
        ValueError, match=r"must|needs|below|not a comparison|both samples|nothing to detect|holds NaN"
    ):
        call()
