"""Odds of a guard: properties that hold for any plan, and plans at the edge of sense."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.stats.odds import (
    GuardOdds,
    family_false_rollback,
    smallest_effect,
    sprt_odds,
    threshold_odds,
)
from generator.stats.passage import Sprt, sprt_reached, sprt_stops
from generator.stats.sequential import (
    Evidence,
    crossing_probability,
    event_llr,
    neutral_ratio,
)
from generator.stats.timeline import (
    Phase,
    Rollout,
    evidence_floors,
    look_blocks,
    looks_until,
)
from generator.stats.windows import WindowGuard

STEPS = (Phase(0.05, 1200), Phase(0.25, 1200), Phase(0.5, 1200))
ROLLOUT = Rollout(STEPS, 200)
TEST = Sprt(0.04, 0.9, 0.05, 300)
GUARD = WindowGuard(0.036, "at_least", 300, 60, 3)

phases = st.lists(
    st.builds(Phase, st.floats(0, 1), st.sampled_from([0.0, 60.0, 90.0, 600.0, 7200.0])),
    min_size=1,
    max_size=4,
).map(tuple)
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
    odds = sprt_odds(Rollout(plan, traffic), Sprt(baseline, ratio, alpha, mask, phi), 30)
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
    odds = threshold_odds(Rollout(plan, traffic), guard, baseline, ratio, 30)
    assert_sound(odds)
    assert odds.smallest_caught == odds.mde_at_power


@settings(deadline=None)
@given(st.floats(1, 1e4), st.floats(1.01, 4), st.floats(0.5, 0.97), st.floats(0.005, 0.3))
def test_power_grows_with_traffic_and_falls_with_the_design_effect(traffic, factor, ratio, baseline):
    test, rollout = Sprt(baseline, ratio, 0.05, 300), Rollout(STEPS, traffic)
    power = sprt_reached(test, rollout, ratio)
    # The closed form overshoots by up to 1e-3 where one look decides; it never loses power beyond that.
    assert sprt_reached(test, Rollout(STEPS, traffic * factor), ratio) >= power - 1e-3
    clustered = dataclasses.replace(test, design_effect=factor)
    assert sprt_reached(clustered, rollout, ratio) <= power + 1e-3


@settings(deadline=None)
@given(st.floats(0.3, 0.95), st.floats(0.5, 0.95))
def test_smallest_change_reaches_the_power_and_no_smaller_one_does(ratio, power):
    test = Sprt(0.04, ratio, 0.05, 300)
    odds = sprt_odds(ROLLOUT, test, 30, power=power)
    assert sprt_reached(test, ROLLOUT, 1 - odds.smallest_caught) >= power
    assert sprt_reached(test, ROLLOUT, 1 - odds.smallest_caught * 0.999) < power
    for change, caught in ((odds.mde_at_power, True), (odds.mde_at_power * 0.999, False)):
        declared = Sprt(0.04, 1 - change, 0.05, 300)
        assert (sprt_reached(declared, ROLLOUT, 1 - change) >= power) == caught


def test_smallest_effect_at_the_ends():
    assert smallest_effect(lambda _: 0.9, 0.1, 1.0, 0.8) == 0.0
    assert smallest_effect(lambda _: 0.1, 0.1, 1.0, 0.8) is None
    step = smallest_effect(lambda effect: float(effect >= 0.3), 0.1, 1.0, 0.8)
    assert 0.3 <= step <= 0.3 * (1 + 1e-5)


def test_bare_threshold_of_the_worked_example():
    """Limit 3.6 %, window 5 m, every minute, 3 failures forgiven: one good deploy in four is rolled back."""
    odds = threshold_odds(ROLLOUT, GUARD, 0.04, 0.9, 0)
    assert odds.false_rollback == pytest.approx(0.261, abs=5e-4)
    assert odds.power == pytest.approx(1.0, abs=1e-3)
    assert odds.detect_mean_s == pytest.approx(797, abs=0.6)
    assert odds.looks == 56
    late = threshold_odds(ROLLOUT, GUARD, 0.04, 0.9, 30)
    assert late.detect_mean_s == pytest.approx(odds.detect_mean_s + 30)
    assert late.exposed_mean == pytest.approx(10_242, abs=0.5)
    assert threshold_odds(Rollout(STEPS, 20), GUARD, 0.04, 0.9, 30).false_rollback == pytest.approx(
        0.973, abs=5e-4
    )
    assert threshold_odds(Rollout(STEPS, 2000), GUARD, 0.04, 0.95, 30).power == pytest.approx(0.035, abs=5e-4)


def test_no_traffic():
    sprt = sprt_odds(Rollout(STEPS, 0), TEST, 30)
    assert (sprt.power, sprt.false_rollback, sprt.detect_mean_s, sprt.smallest_caught) == (
        0.0,
        0.0,
        None,
        None,
    )
    bare = threshold_odds(Rollout(STEPS, 0), GUARD, 0.04, 0.9, 30)
    assert (bare.power, bare.false_rollback, bare.exposed_mean) == (1.0, 1.0, 0.0)
    silent = threshold_odds(Rollout(STEPS, 0), dataclasses.replace(GUARD, empty_fails=False), 0.04, 0.9, 30)
    assert (silent.power, silent.false_rollback, silent.detect_mean_s) == (0.0, 0.0, None)


def test_no_time_and_no_look():
    for duration in (0.0, 30.0):
        rollout = Rollout((Phase(0.05, duration),), 200)
        odds = sprt_odds(rollout, Sprt(0.04, 0.9, 0.05), 30)
        assert (odds.power, odds.power_by_step) == (0.0, (0.0,))
        assert threshold_odds(rollout, GUARD, 0.04, 0.9, 30).looks == 0


def test_one_look():
    odds = sprt_odds(Rollout((Phase(0.05, 60.0),), 1e5), Sprt(0.04, 0.8, 0.05), 30)
    assert odds.detect_mean_s == odds.detect_p90_s == 90.0


def test_a_million_looks():
    slow, fast = (Rollout((Phase(0.05, 60e6),), traffic) for traffic in (0.02, 200))
    assert_sound(sprt_odds(slow, TEST, 30))
    assert len(sprt_stops(Sprt(0.04, 0.9, 0.05), slow, 0.9)) < 2000
    assert_sound(threshold_odds(fast, GUARD, 0.04, 0.9, 30))


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
    test = Sprt(0.04, 0.5, 0.05)
    stops = sprt_stops(test, Rollout((Phase(0.05, 7 * 86_400),), 2), 0.5)
    mean = math.fsum(s.mass * (s.first_s + s.last_s) / 2 for s in stops) / math.fsum(s.mass for s in stops)
    ends = [Rollout((Phase(0.05, 60.0 * k),), 2) for k in range(7 * 1440 + 1)]
    reached = [sprt_reached(test, rollout, 0.5) for rollout in ends]
    exact = math.fsum(60.0 * k * (reached[k] - reached[k - 1]) for k in range(1, len(reached))) / reached[-1]
    assert mean == pytest.approx(exact, rel=1e-4)


def test_mask_follows_changes_of_weight_only():
    """Cutting a phase in two at the same weight, or adding an empty one, leaves the evidence as it was."""

    def reached(*phases: Phase, mask_s: float = 300) -> float:
        return sprt_reached(Sprt(0.04, 0.9, 0.05, mask_s), Rollout(phases, 200), 0.9)

    whole = reached(Phase(0.05, 3600))
    assert reached(Phase(0.05, 120), Phase(0.05, 3480)) == pytest.approx(whole, abs=1e-12)
    empty = (Phase(0.05, 1800), Phase(0.5, 0.0), Phase(0.05, 1800))
    assert reached(*empty) == pytest.approx(whole, abs=1e-12)
    assert reached(Phase(0.05, 3600), mask_s=3600) == 0.0


def test_weights_without_a_comparison_carry_no_evidence():
    for weight in (0.0, 1.0):
        odds = sprt_odds(Rollout((Phase(weight, 3600),), 200), Sprt(0.04, 0.9, 0.05), 30)
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
    assert ROLLOUT.exposure(-5) == 0.0
    assert ROLLOUT.exposure(1e9) == 192_000
    assert ROLLOUT.planned_requests == (12_000, 72_000, 192_000)
    assert ROLLOUT.ends == (1200, 2400, 3600)
    first, _, last = evidence_floors(ROLLOUT, 0.04)
    assert first.requests == pytest.approx(9600)
    assert first.stable_events == pytest.approx(0.5 * 0.04 * 228_000)
    assert last.stable_events == pytest.approx(0.5 * 0.04 * (720_000 - 192_000))
    assert looks_until(0.3, 0.1) == 3


def test_a_phase_that_does_not_count_is_time_without_evidence():
    apart = (Phase(0.05, 3600, counts=False), Phase(0.5, 1200))
    found = sprt_odds(Rollout(apart, 200), TEST, 0.0)
    alone = sprt_odds(Rollout(apart[1:], 200), TEST, 0.0)
    assert found.power_by_step == pytest.approx((0.0, alone.power), abs=1e-12)
    assert found.detect_mean_s == pytest.approx(3600 + (alone.detect_mean_s or 0))
    assert found.false_rollback == pytest.approx(alone.false_rollback)
    assert sprt_reached(TEST, Rollout(apart, 200), 0.9) == pytest.approx(found.power)
    behind = sprt_odds(Rollout((*STEPS[:2], Phase(0.5, 1200, counts=False)), 200), TEST, 0.0)
    assert behind.power_by_step[1:] == (behind.power_by_step[1],) * 2


def test_the_floor_of_a_phase_that_counts_leaves_out_the_others_and_the_mask():
    apart = Rollout((Phase(0.05, 1200, counts=False), *STEPS[1:]), 200)
    first, second, last = evidence_floors(apart, 0.04, 120)
    assert first.requests == pytest.approx(0.8 * 12_000)
    assert second.requests == pytest.approx(0.8 * 0.25 * 200 * 1080)
    assert last.requests == pytest.approx(0.8 * (0.25 + 0.5) * 200 * 1080)
    assert last.stable_events == pytest.approx(0.5 * 0.04 * (720_000 - 192_000))


def test_family():
    assert family_false_rollback([0.0079, 0.0028, 0.0029]) == pytest.approx(0.0136)
    assert family_false_rollback([0.9, 0.9]) == 1.0


def odds_with(**changed):
    values = {"phases": STEPS, "rps": 200, "baseline": 0.04, "ratio": 0.9, "alpha": 0.05, "mask_s": 300}
    values |= {"design_effect": 1.0, "look_s": 60.0, "latency_s": 30, "power": 0.8, **changed}
    test = Sprt(**{field.name: values[field.name] for field in dataclasses.fields(Sprt)})
    return sprt_odds(
        Rollout(values["phases"], values["rps"]), test, values["latency_s"], power=values["power"]
    )


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
        odds_with(**changed)


@pytest.mark.parametrize(
    ("weight", "duration"), [(-0.1, 1), (1.1, 1), (math.nan, 1), (0.5, -1), (0.5, math.inf)]
)
def test_phases_that_cannot_be(weight, duration):
    with pytest.raises(ValueError, match="must"):
        Phase(weight, duration)


def test_threshold_in_the_other_direction():
    with pytest.raises(ValueError, match="cannot catch"):
        threshold_odds(ROLLOUT, GUARD, 0.04, 1.1, 30)


def test_import_is_light():
    """A validator imports this on every run: nothing beyond dataclasses and what they need."""
    program = (
        "import sys, __future__, dataclasses, collections.abc, typing, math, itertools;"
        "before = set(sys.modules);"
        "import generator.stats.odds, generator.stats.offline, generator.stats.fairness;"
        "import generator.stats.drift, generator.stats.delay;"
        "print(sorted(m for m in set(sys.modules) - before if not m.startswith('generator')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
