"""Odds of a guard: properties that hold for any plan, and plans at the edge of sense."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.stats.effect import smallest_effect
from generator.stats.odds import (
    GuardOdds,
    family_error,
    family_false_rollback,
    sprt_odds,
    threshold_odds,
)
from generator.stats.passage import Sprt, sprt_reached, sprt_stops
from generator.stats.sequential import (
    Evidence,
    boundary,
    crossing_probability,
    event_llr,
    horizon,
    llr_drift,
    neutral_ratio,
)
from generator.stats.timeline import (
    Phase,
    evidence_floors,
    exposure,
    look_blocks,
    looks_until,
    planned_requests,
    step_ends,
)
from generator.stats.windows import WindowGuard

STEPS = (Phase(0.05, 1200), Phase(0.25, 1200), Phase(0.5, 1200))
GUARD = WindowGuard(0.036, "at_least", 300, 60, 3)

phases = st.lists(
    st.builds(Phase, st.floats(0, 1), st.sampled_from([0.0, 60.0, 90.0, 600.0, 7200.0])),
    min_size=1,
    max_size=4,
)
rps = st.one_of(st.just(0.0), st.floats(-3, 5).map(lambda e: 10.0**e))
drops = st.one_of(st.floats(0.01, 0.999), st.floats(1.001, 3.0))


def assert_sound(odds: GuardOdds) -> None:
    """Every number is a number, shares are shares, and what follows from one another does."""
    for field in dataclasses.fields(odds):
        value = getattr(odds, field.name)
        for number in value if isinstance(value, tuple) else [value]:
            assert number is None or isinstance(number, str) or math.isfinite(number), field.name
    assert 0.0 <= odds.power <= 1.0
    assert 0.0 <= odds.false_rollback <= 1.0
    assert list(odds.power_by_step) == sorted(odds.power_by_step)
    assert odds.power_by_step[-1] <= odds.power + 1e-9
    assert list(odds.planned_requests) == sorted(odds.planned_requests)
    assert odds.exposed_if_missed == odds.planned_requests[-1]
    assert (odds.detect_mean_s is None) == (odds.power == 0.0)
    if odds.detect_mean_s is not None:
        assert odds.exposed_mean <= odds.exposed_if_missed * (1 + 1e-9)
        assert odds.lost_outcomes_mean <= odds.exposed_mean * 2


@pytest.mark.parametrize("ratio", [0.01, 0.8, 2.0])
def test_neutral_ratio_at_both_ends_of_the_weight(ratio):
    assert neutral_ratio(ratio, 1e-13) == pytest.approx((ratio - 1) / math.log(ratio), rel=1e-9)
    assert neutral_ratio(ratio, 1 - 2**-53) == pytest.approx(ratio * math.log(ratio) / (ratio - 1), rel=1e-9)


@settings(deadline=None)
@given(phases, rps, st.floats(0.001, 0.3), drops, st.floats(1e-4, 0.3), st.floats(0, 900), st.floats(1, 5))
def test_sprt_odds_are_sound(plan, traffic, baseline, ratio, alpha, mask, phi):
    odds = sprt_odds(plan, traffic, baseline, ratio, alpha, mask, phi, 30)
    assert_sound(odds)
    assert odds.false_rollback <= alpha
    if odds.smallest_caught is not None:
        assert odds.smallest_caught > 0.0


@settings(deadline=None, max_examples=25)
@given(phases, rps, st.floats(0.001, 0.3), drops, st.integers(0, 4), st.floats(1, 5))
def test_threshold_odds_are_sound(plan, traffic, baseline, ratio, failures, phi):
    bound = "at_least" if ratio < 1 else "at_most"
    limit = baseline * (1 + ratio) / 2
    guard = WindowGuard(limit, bound, 300, 60, failures, design_effect=phi)
    odds = threshold_odds(plan, traffic, baseline, ratio, guard, 30)
    assert_sound(odds)
    assert odds.smallest_caught == odds.mde_at_power


@settings(deadline=None)
@given(st.floats(1, 1e4), st.floats(1.01, 4), st.floats(0.5, 0.97), st.floats(0.005, 0.3))
def test_power_grows_with_traffic_and_falls_with_the_design_effect(traffic, factor, ratio, baseline):
    test = Sprt(baseline, ratio, boundary(0.05), 300)
    power = sprt_reached(test, STEPS, traffic, ratio)
    # The closed form overshoots by up to 1e-3 where one look decides; it never loses power beyond that.
    assert sprt_reached(test, STEPS, traffic * factor, ratio) >= power - 1e-3
    clustered = dataclasses.replace(test, design_effect=factor)
    assert sprt_reached(clustered, STEPS, traffic, ratio) <= power + 1e-3


@settings(deadline=None)
@given(st.floats(1, 1e4), st.floats(0.3, 0.97), st.floats(0.01, 0.5))
def test_doubling_the_traffic_halves_the_horizon(traffic, ratio, weight):
    level = boundary(0.05)
    once, twice = (
        horizon(llr_drift(factor * traffic, weight, 0.04, ratio, ratio), level, 0.8, look_s=0.0)
        for factor in (1, 2)
    )
    assert once == pytest.approx(2 * twice, rel=1e-8)


@pytest.mark.parametrize(
    ("drop", "minutes"),
    [(0.05, (1498, 154, 16.8)), (0.1, (372, 39.4, 4.6)), (0.2, (91.8, 10.2, 1.3)), (0.5, (13.6, 1.7, 1.0))],
)
def test_published_horizons(drop, minutes):
    rates = [llr_drift(traffic, 0.05, 0.04, 1 - drop, 1 - drop) for traffic in (20, 200, 2000)]
    found = [horizon(rate, boundary(0.05), 0.8) / 60 for rate in rates]
    assert found == pytest.approx(minutes, abs=0.06, rel=1e-3)


def test_horizon_of_a_good_canary_never_ends():
    assert horizon(llr_drift(200, 0.05, 0.04, 1.0, 0.9), boundary(0.05), 0.8) is None
    assert horizon(llr_drift(0, 0.05, 0.04, 0.9, 0.9), boundary(0.05), 0.8) is None


@settings(deadline=None)
@given(st.floats(0.3, 0.95), st.floats(0.5, 0.95))
def test_smallest_change_reaches_the_power_and_no_smaller_one_does(ratio, power):
    odds = sprt_odds(STEPS, 200, 0.04, ratio, 0.05, 300, 1.0, 30, power=power)
    test = Sprt(0.04, ratio, odds.boundary, 300)
    assert sprt_reached(test, STEPS, 200, 1 - odds.smallest_caught) >= power
    assert sprt_reached(test, STEPS, 200, 1 - odds.smallest_caught * 0.999) < power
    for change, caught in ((odds.mde_at_power, True), (odds.mde_at_power * 0.999, False)):
        declared = Sprt(0.04, 1 - change, odds.boundary, 300)
        assert (sprt_reached(declared, STEPS, 200, 1 - change) >= power) == caught


def test_smallest_effect_at_the_ends():
    assert smallest_effect(lambda _: 0.9, 0.1, 1.0, 0.8) == 0.0
    assert smallest_effect(lambda _: 0.1, 0.1, 1.0, 0.8) is None
    step = smallest_effect(lambda effect: float(effect >= 0.3), 0.1, 1.0, 0.8)
    assert 0.3 <= step <= 0.3 * (1 + 1e-5)


def test_bare_threshold_of_the_worked_example():
    """Limit 3.6 %, window 5 m, every minute, 3 failures forgiven: one good deploy in four is rolled back."""
    odds = threshold_odds(STEPS, 200, 0.04, 0.9, GUARD, 0)
    assert odds.false_rollback == pytest.approx(0.261, abs=5e-4)
    assert odds.power == pytest.approx(1.0, abs=1e-3)
    assert odds.detect_mean_s == pytest.approx(797, abs=0.6)
    assert odds.looks == 56
    late = threshold_odds(STEPS, 200, 0.04, 0.9, GUARD, 30)
    assert late.detect_mean_s == pytest.approx(odds.detect_mean_s + 30)
    assert late.exposed_mean == pytest.approx(10_242, abs=0.5)
    assert threshold_odds(STEPS, 20, 0.04, 0.9, GUARD, 30).false_rollback == pytest.approx(0.973, abs=5e-4)
    assert threshold_odds(STEPS, 2000, 0.04, 0.95, GUARD, 30).power == pytest.approx(0.035, abs=5e-4)


def test_no_traffic():
    sprt = sprt_odds(STEPS, 0, 0.04, 0.9, 0.05, 300, 1.0, 30)
    assert (sprt.power, sprt.false_rollback, sprt.detect_mean_s, sprt.smallest_caught) == (
        0.0,
        0.0,
        None,
        None,
    )
    bare = threshold_odds(STEPS, 0, 0.04, 0.9, GUARD, 30)
    assert (bare.power, bare.false_rollback, bare.exposed_mean) == (1.0, 1.0, 0.0)
    silent = threshold_odds(STEPS, 0, 0.04, 0.9, dataclasses.replace(GUARD, empty_fails=False), 30)
    assert (silent.power, silent.false_rollback, silent.detect_mean_s) == (0.0, 0.0, None)


def test_no_time_and_no_look():
    for plan in ([Phase(0.05, 0.0)], [Phase(0.05, 30.0)]):
        odds = sprt_odds(plan, 200, 0.04, 0.9, 0.05, 0, 1.0, 30)
        assert (odds.power, odds.power_by_step) == (0.0, (0.0,))
        assert threshold_odds(plan, 200, 0.04, 0.9, GUARD, 30).looks == 0


def test_one_look():
    odds = sprt_odds([Phase(0.05, 60.0)], 1e5, 0.04, 0.8, 0.05, 0, 1.0, 30)
    assert odds.detect_mean_s == odds.detect_p90_s == 90.0


def test_a_million_looks():
    plan = [Phase(0.05, 60e6)]
    sprt = sprt_odds(plan, 0.02, 0.04, 0.9, 0.05, 300, 1.0, 30)
    assert_sound(sprt)
    assert len(sprt_stops(Sprt(0.04, 0.9, sprt.boundary), plan, 0.02, 0.9)) < 2000
    assert_sound(threshold_odds(plan, 200, 0.04, 0.9, GUARD, 30))


def test_blocks_of_looks():
    assert list(look_blocks(256)) == [1] * 256
    blocks = list(look_blocks(1_000_000))
    assert sum(blocks) == 1_000_000
    done = 0
    for size in blocks:
        assert size.bit_count() == 1
        assert size <= max(1, done // 128)
        done += size


def test_blocks_hardly_move_the_time_of_detection():
    """A day at 2 requests a second, looked at every 60 s in blocks; the same with every look alone."""
    test, plan = Sprt(0.04, 0.5, boundary(0.05)), [Phase(0.05, 7 * 86_400)]
    stops = sprt_stops(test, plan, 2, 0.5)
    mean = math.fsum(s.mass * (s.first_s + s.last_s) / 2 for s in stops) / math.fsum(s.mass for s in stops)
    reached = [sprt_reached(test, [Phase(0.05, 60.0 * k)], 2, 0.5) for k in range(7 * 1440 + 1)]
    exact = math.fsum(60.0 * k * (reached[k] - reached[k - 1]) for k in range(1, len(reached))) / reached[-1]
    assert mean == pytest.approx(exact, rel=1e-4)


def test_mask_follows_changes_of_weight_only():
    """Cutting a phase in two at the same weight, or adding an empty one, leaves the evidence as it was."""
    test = Sprt(0.04, 0.9, boundary(0.05), 300)
    whole = sprt_reached(test, [Phase(0.05, 3600)], 200, 0.9)
    assert sprt_reached(test, [Phase(0.05, 120), Phase(0.05, 3480)], 200, 0.9) == pytest.approx(
        whole, abs=1e-12
    )
    empty = [Phase(0.05, 1800), Phase(0.5, 0.0), Phase(0.05, 1800)]
    assert sprt_reached(test, empty, 200, 0.9) == pytest.approx(whole, abs=1e-12)
    hidden = sprt_reached(dataclasses.replace(test, mask_s=3600), [Phase(0.05, 3600)], 200, 0.9)
    assert hidden == 0.0


def test_weights_without_a_comparison_carry_no_evidence():
    for weight in (0.0, 1.0):
        odds = sprt_odds([Phase(weight, 3600)], 200, 0.04, 0.9, 0.05, 0, 1.0, 30)
        assert odds.power == 0.0
        assert odds.neutral_ratios == (None,)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(1e-6, 1e3))
def test_crossing_probability_is_one(mean, variance, level):
    assert 0.0 <= crossing_probability(Evidence(mean, variance), level) <= 1.0


def test_crossing_probability_beyond_the_range_of_numbers():
    assert crossing_probability(Evidence(1.0, 5e-324), 1e80) == 0.0
    assert crossing_probability(Evidence(1e80, 5e-324), 1.0) == 1.0
    assert crossing_probability(Evidence(-1e150, 1e-20), 1.0) == 0.0
    assert crossing_probability(Evidence(1e180, 1e180), 1e80) == 1.0


def test_stratum_without_canary_requests_says_nothing():
    assert event_llr(0, 0, 5, 100, 0.9) == 0.0
    assert event_llr(5, 100, 0, 0, 0.9) == 0.0
    assert event_llr(20, 600, 456, 11_400, 0.9, design_effect=2) == pytest.approx(0.278759595 / 2)


def test_exposure_and_evidence_floors():
    assert exposure(STEPS, 200, -5) == 0.0
    assert exposure(STEPS, 200, 1e9) == 192_000
    assert planned_requests(STEPS, 200) == (12_000, 72_000, 192_000)
    assert step_ends(STEPS) == (1200, 2400, 3600)
    first, _, last = evidence_floors(STEPS, 200, 0.04)
    assert first.requests == pytest.approx(9600)
    assert first.stable_events == pytest.approx(0.5 * 0.04 * 228_000)
    assert last.stable_events == pytest.approx(0.5 * 0.04 * (720_000 - 192_000))
    assert looks_until(0.3, 0.1) == 3


def test_family():
    assert [family_error(0.05, k) for k in (3, 5, 10, 50)] == pytest.approx(
        [0.143, 0.226, 0.401, 0.923], abs=5e-4
    )
    assert family_error(0.0, 5) == family_error(0.3, 0) == 0.0
    assert family_error(1.0, 1) == 1.0
    assert family_false_rollback([0.0079, 0.0028, 0.0029]) == pytest.approx(0.0136)
    assert family_false_rollback([0.9, 0.9]) == 1.0


def plan(**changed):
    given_values = {"phases": STEPS, "rps": 200, "baseline": 0.04, "ratio": 0.9, "alpha": 0.05}
    given_values |= {"mask_s": 300, "design_effect": 1.0, "latency_s": 30}
    return sprt_odds(**{**given_values, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"phases": ()},
        {"rps": -1.0},
        {"rps": math.inf},
        {"rps": math.nan},
        {"baseline": 0.0},
        {"baseline": 1.0},
        {"baseline": 0.6, "ratio": 2.0},
        {"ratio": 1.0},
        {"ratio": 0.0},
        {"ratio": math.nan},
        {"alpha": 0.0},
        {"alpha": 1.0},
        {"mask_s": -1.0},
        {"design_effect": 0.5},
        {"latency_s": -1.0},
        {"look_s": 0.0},
        {"power": 1.0},
    ],
)
def test_plans_that_cannot_be(changed):
    with pytest.raises(ValueError, match=r"must|needs|nothing to detect|more than every"):
        plan(**changed)


@pytest.mark.parametrize(
    ("weight", "duration"), [(-0.1, 1), (1.1, 1), (math.nan, 1), (0.5, -1), (0.5, math.inf)]
)
def test_phases_that_cannot_be(weight, duration):
    with pytest.raises(ValueError, match="must"):
        Phase(weight, duration)


def test_threshold_in_the_other_direction():
    with pytest.raises(ValueError, match="cannot catch"):
        threshold_odds(STEPS, 200, 0.04, 1.1, GUARD, 30)


def test_import_is_light():
    """A validator imports this on every run: nothing beyond dataclasses and what they need."""
    program = (
        "import sys, __future__, dataclasses, collections.abc, typing, math, itertools;"
        "before = set(sys.modules);"
        "import generator.stats.odds, generator.stats.offline, generator.stats.fairness;"
        "import generator.stats.drift, generator.stats.latency, generator.stats.delay, generator.stats.fixed;"
        "print(sorted(m for m in set(sys.modules) - before if not m.startswith('generator')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
