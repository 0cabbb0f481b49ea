"""Latency, delays and the fixed test, against scipy."""

from __future__ import annotations

import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from generator.stats.delay import (
    delay_share,
    llr_shift,
    lost_event_shift,
    mask_dead_time,
    mask_lookback,
    mask_tolerance,
)
from generator.stats.fixed import mde_z, n_canary, power_z, two_prop_z
from generator.stats.latency import (
    lognormal_exceedance,
    lognormal_sigma,
    quantile_fail,
    quantile_relative_error,
)


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
