"""Numbers that an independent reference program computed once, and the worked example of a whole rollout."""

from __future__ import annotations

import math

import pytest

from generator.stats.binomial import binom_cdf, clopper_pearson, wilson
from generator.stats.delay import delay_share
from generator.stats.drift import ks_critical
from generator.stats.fairness import minimum_group, newcombe
from generator.stats.normal import bvn
from generator.stats.odds import sprt_odds
from generator.stats.offline import mcnemar_exact, paired_difference
from generator.stats.passage import Sprt, sprt_reached
from generator.stats.runs import Looks, run_stops
from generator.stats.sequential import (
    boundary,
    event_llr,
    llr_drift,
    neutral_ratio,
)
from generator.stats.timeline import Phase, Rollout, detection
from generator.stats.windows import WindowGuard, look_fail, window_looks

STEPS = (Phase(0.05, 1200), Phase(0.25, 1200), Phase(0.5, 1200))
RATE = llr_drift(200, 0.05, 0.04, 0.9, 0.9)
LN60 = math.log(60)
ROLLOUT = Rollout(STEPS, 200)
HOUR = Rollout((Phase(0.05, 3600),), 200)


def mass(looks: Looks, limit: int) -> float:
    return math.fsum(stop.mass for stop in run_stops([looks], limit))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (binom_cdf(21, 600, 0.04), "0.309545510"),
        (binom_cdf(1859, 2000, 0.93), "0.477527861"),
        (look_fail(600, 0.04, 0.036, "at_least"), "0.317071904"),
        (look_fail(60, 0.02, 0.036, "at_least"), "0.825941789"),
        (look_fail(30000, 0.038, 0.036, "at_least"), "0.035015880"),
        (look_fail(600, 0.005, 0.01, "at_most"), "0.055974876"),
        (look_fail(600, 0.02, 0.01, "at_most"), "0.969268783"),
        (bvn(-1, -1, 0.8), "0.0976365191"),
        (bvn(0, 0, 0.5), "0.333333333"),
        (mass(Looks(0, 1, 10, 0.1, 0.8), 0), "0.425312132"),
        (mass(Looks(0, 1, 10, 0.1, 0.8), 1), "0.258513147"),
        (ROLLOUT.exposure(1500), "27000"),
        (ROLLOUT.exposure(3600), "192000"),
        (event_llr(20, 600, 456, 11_400, 0.9), "0.278759595"),
        (event_llr(360, 10_000, 7600, 190_000, 0.9), "1.970047279"),
        (event_llr(400, 10_000, 7600, 190_000, 0.9), "-2.043871675"),
        (event_llr(40, 3000, 285, 57_000, 1.5), "8.193505232"),
        (RATE.mean, "0.00197004728"),
        (RATE.variance, "0.00367791039"),
        (sprt_reached(Sprt(0.04, 0.9, 0.05), HOUR, 0.9), "0.926396954"),
        (sprt_reached(Sprt(0.04, 0.9, 0.05, look_s=1e-9), HOUR, 0.9), "0.938772444"),
        (sprt_reached(Sprt(0.04, 0.9, 1 / 60, 300), ROLLOUT, 1.0), "0.007901"),
        (sprt_reached(Sprt(0.04, 0.9, 1 / 60, 300), ROLLOUT, 0.95), "0.404486"),
        (sprt_reached(Sprt(0.04, 0.9, 1 / 60, 300), ROLLOUT, 0.8), "1.000000"),
        (neutral_ratio(0.9, 0.05), "0.949080395"),
        (wilson(470, 500, tail=0.05).low, "0.920049258"),
        (clopper_pearson(470, 500, tail=0.05).low, "0.919495266"),
        (wilson(184, 200).low, "0.874010512"),
        (wilson(184, 200).high, "0.950159414"),
        (clopper_pearson(184, 200).low, "0.873335144"),
        (clopper_pearson(184, 200).high, "0.953582392"),
        (mcnemar_exact(40, 61), "0.0460440669"),
        (mcnemar_exact(10, 25), "0.0166738478"),
        (paired_difference(40, 61, 2000)[0], "0.0105"),
        (newcombe(60, 200, 44, 200)[0], "0.080000"),
        (newcombe(60, 200, 44, 200)[1].low, "-0.006041"),
        (newcombe(60, 200, 44, 200)[1].high, "0.164545"),
        (minimum_group(0.1), "193"),
        (minimum_group(0.1, rate=0.2), "123"),
        (minimum_group(0.1, rate=0.1), "70"),
        (ks_critical(1000, 1000, 0.05), "0.0607361462"),
        (ks_critical(10_000, 1000, 0.05), "0.0450431315"),
        (delay_share(300, 60), "0.801347589"),
    ],
)
def test_row(value: float, expected: str):
    """Right to a millionth, or to the digits that are given when they are fewer."""
    places = len(expected.partition(".")[2])
    assert value == pytest.approx(float(expected), rel=1e-6, abs=0.51 * 10.0**-places if places else 0.0)


def test_stop_distribution():
    stops = run_stops([Looks(0, 1, 5, 0.1)], 1)
    assert [stop.mass for stop in stops] == pytest.approx([0, 0.01, 0.018, 0.0243, 0.02916], abs=1e-15)


@pytest.mark.parametrize(
    ("rps", "window", "interval", "count", "limit", "p", "expected"),
    [
        (200, 300, 60, 20, 0, 0.04, (0.739334, 732.057, 1290, 7320.6)),
        (200, 300, 60, 20, 3, 0.04, (0.303899, 990.080, 1410, 9900.8)),
        (200, 300, 60, 20, 0, 0.036, (0.994011, 465.288, 750, 4652.9)),
        (200, 300, 300, 20, 3, 0.036, (0.998914, 2397.291, 3630, 23972.9)),
        (2000, 60, 60, 10, 1, 0.04, (0.101909, 452.798, 630, 45279.8)),
    ],
)
def test_run_row(rps, window, interval, count, limit, p, expected):
    guard = WindowGuard(0.036, "at_least", window, interval, limit)
    rollout = Rollout((Phase(0.05, window + (count - 1) * interval + 50),), rps)
    caught = detection(rollout, run_stops(window_looks(guard, rollout, p), limit), 30)
    probability, mean, p90, exposed = expected
    assert caught.probability == pytest.approx(probability, abs=6e-7)
    assert caught.mean_s == pytest.approx(mean, abs=6e-4)
    assert caught.p90_s == p90
    assert caught.exposed == pytest.approx(exposed, abs=0.06)


def test_promql_unit_test_row():
    """Fifteen-second samples, a stratum every minute read over [75s] and rescaled by 60/75."""
    expected = {
        11: 0.225165534,
        12: 0.503925129,
        15: 1.340203915,
        20: 2.734001887,
        30: 5.521597836,
        60: 13.884385681,
    }

    def increase(per_scrape: float, born: int, at: int) -> float:
        """Increase over a closed range of 75 s: samples span it, or begin at 0 and are not extrapolated."""
        samples = [k for k in range((at - 75) // 15, at // 15 + 1) if k * 15 >= born]
        return (len(samples) - 1) * per_scrape

    total, seen = 0.0, {}
    for minute in range(61):
        at = minute * 60
        if at >= 600 + 15:
            xc, nc = increase(5, 600, at), increase(150, 600, at)
            total += 0.8 * event_llr(xc, nc, increase(114, 0, at), increase(2850, 0, at), 0.9)
        seen[minute] = total
    for minute, value in expected.items():
        assert seen[minute] == pytest.approx(value, abs=1e-8)


def test_worked_example():
    odds = sprt_odds(ROLLOUT, Sprt(0.04, 0.9, 0.05 / 3, 300), 30)
    assert odds.boundary == pytest.approx(LN60, abs=1e-12)
    assert odds.power == pytest.approx(0.996093, abs=5e-7)
    assert odds.power_by_step == pytest.approx((0.116588, 0.913331, 0.996093), abs=5e-7)
    # A simpler closed form of a false rollback; the odds use a better one (`stats.false_alarm`).
    assert sprt_reached(Sprt(0.04, 0.9, 1 / 60, 300), ROLLOUT, 1.0) == pytest.approx(0.007901, abs=5e-7)
    assert odds.detect_mean_s == pytest.approx(1883.83, abs=0.005)
    assert odds.detect_p90_s == 2370
    assert odds.exposed_mean == pytest.approx(49405.9, abs=0.05)
    assert odds.exposed_if_missed == 192_000
    assert odds.lost_outcomes_mean == pytest.approx(198, abs=0.5)
    assert odds.mde_at_power == pytest.approx(0.059, abs=5e-4)
    assert odds.planned_requests == (12_000, 72_000, 192_000)
    assert boundary(0.05 / 3) == pytest.approx(LN60, abs=1e-12)


@pytest.mark.parametrize(
    ("baseline", "ratio", "first_step", "mean_min", "p90_min", "exposed", "smallest"),
    [
        (0.005, 2.0, 0.98, 11, 15, 6663, 0.18),
        (0.028, 1.5, 0.999, 9, 12, 5443, 0.07),
    ],
)
def test_worked_example_of_rises(baseline, ratio, first_step, mean_min, p90_min, exposed, smallest):
    odds = sprt_odds(ROLLOUT, Sprt(baseline, ratio, 0.05 / 3, 300), 30)
    assert odds.power_by_step[0] == pytest.approx(first_step, abs=0.006)
    assert odds.power_by_step[1:] == pytest.approx((1.0, 1.0), abs=1e-6)
    assert odds.detect_mean_s == pytest.approx(mean_min * 60, abs=30.5)
    assert odds.detect_p90_s == pytest.approx(p90_min * 60, abs=30.5)
    assert odds.exposed_mean == pytest.approx(exposed, abs=0.5)
    assert odds.mde_at_power == pytest.approx(smallest, abs=0.005)


def test_worked_example_with_a_longer_first_step():
    odds = sprt_odds(Rollout((Phase(0.05, 3600), *STEPS[1:]), 200), Sprt(0.04, 0.9, 0.05 / 3, 300), 30)
    assert odds.power_by_step[0] == pytest.approx(0.83, abs=0.005)
    assert odds.exposed_mean == pytest.approx(30_466, abs=0.5)
