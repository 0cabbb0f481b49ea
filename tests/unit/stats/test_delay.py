"""Late outcomes: what a new version seems to lose, and the mask against it."""

from __future__ import annotations

import pytest

from generator.stats.delay import (
    delay_share,
    llr_shift,
    mask_dead_time,
    mask_lookback,
    mask_tolerance,
)


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
    assert (mask_lookback(60), mask_dead_time(mask_lookback(60))) == (150, 300)
    assert (mask_lookback(0, 60), mask_lookback(60, 60)) == (60, 150)
    assert mask_tolerance(1e9) == 1.1
    assert mask_tolerance(18) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: delay_share(-1, 60),
        lambda: mask_tolerance(0),
        lambda: llr_shift(200, 0.05, 0.05, 0.04, 60, 1.0),
    ],
)
def test_arguments_out_of_their_domain(call):
    with pytest.raises(ValueError, match=r"must|nothing to detect"):
        call()
