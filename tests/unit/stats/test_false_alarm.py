"""False rollbacks in closed form: against scipy's root finder, the theorem that bounds them, and random traffic."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from generator.stats.false_alarm import adjustment_coefficient, false_rollback
from generator.stats.passage import Sprt
from generator.stats.timeline import Phase, Rollout
from tests.unit.stats.simulation import evidence, minutes_of, play, standard_error

CONSTANT = (Phase(0.05, 3600),)
STEPS = (Phase(0.05, 3600), Phase(0.25, 1200), Phase(0.5, 1200))
ratios = st.one_of(st.floats(0.05, 0.99), st.floats(1.01, 20))
tests = st.builds(
    Sprt,
    baseline=st.floats(1e-6, 0.05),
    ratio=ratios,
    alpha=st.floats(0.5, 12).map(lambda level: math.exp(-level)),
    mask_s=st.floats(0, 900),
    design_effect=st.floats(1, 5),
)


@settings(deadline=None)
@given(st.floats(1e-4, 0.6), ratios, st.floats(0.01, 0.9))
def test_coefficient_is_the_root_that_scipy_finds(p, ratio, weight):
    total = 1 + (ratio - 1) * weight

    def log_expectation(theta):
        canary = np.log1p(p * np.expm1(theta * np.log(ratio / total)))
        stable = np.log1p(p * np.expm1(-theta * np.log(total)))
        return weight * canary + (1 - weight) * stable

    theta = adjustment_coefficient(p, ratio, weight)
    with np.errstate(over="ignore"):
        found = optimize.brentq(log_expectation, 0.5, 2 * theta, xtol=1e-13, rtol=1e-13)
    assert theta == pytest.approx(found, rel=1e-6)


@settings(deadline=None)
@given(st.floats(1e-4, 0.9), ratios, st.floats(0.001, 0.9))
def test_evidence_is_safer_than_its_bound_the_more_frequent_the_events(p, ratio, weight):
    """Hoeffding: E exp(evidence) <= 1, so the coefficient is at least 1."""
    once = adjustment_coefficient(p, ratio, weight)
    assert once >= 1.0
    assert adjustment_coefficient(p / 2, ratio, weight) <= once + 1e-9


def test_rare_events_have_a_coefficient_of_one_and_small_changes_the_odds_of_no_event():
    assert adjustment_coefficient(1e-7, 2.0, 0.05) == pytest.approx(1.0, abs=1e-6)
    assert adjustment_coefficient(0.6, 0.999, 0.05) == pytest.approx(1 / 0.4, rel=1e-3)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_an_arm_alone_gives_no_evidence(weight):
    assert adjustment_coefficient(0.04, 0.9, weight) == 1.0
    assert false_rollback(Sprt(0.04, 0.9, 0.05), Rollout((Phase(weight, 3600),), 200)) == 0.0


@settings(deadline=None)
@given(
    tests,
    st.lists(st.builds(Phase, st.floats(0, 1), st.floats(0, 1e5)), max_size=4).map(tuple),
    st.floats(-3, 6).map(lambda e: 10.0**e),
)
def test_it_is_a_probability_below_the_bound(test, phases, rps):
    rollout = Rollout(phases, rps)
    share = false_rollback(test, rollout)
    assert 0.0 <= share <= math.exp(-test.level)
    stricter = dataclasses.replace(test, alpha=test.alpha / math.e)
    assert false_rollback(stricter, rollout) <= share + 1e-9
    assert false_rollback(test, Rollout(phases, 0.0)) == 0.0


@pytest.mark.parametrize("phases", [CONSTANT, STEPS], ids=["constant", "steps"])
@pytest.mark.parametrize(
    ("rps", "p", "ratio", "alpha"),
    [
        (200, 0.04, 0.9, 0.05),
        (20, 0.04, 0.9, 0.05),
        (20, 0.04, 0.5, 0.05),
        (200, 0.6, 0.9, 0.05),
        (200, 0.005, 2.0, 0.05),
        (200, 0.005, 2.0, 0.05 / 3),
        (200, 0.02, 1.5, 0.05 / 3),
        (20, 0.005, 1.5, 0.05),
        (2, 0.005, 2.0, 0.05),
        (200, 0.0001, 5.0, 0.05),
    ],
)
def test_random_traffic_agrees(phases, rps, p, ratio, alpha):
    runs = 20_000
    test = Sprt(p, ratio, alpha)
    peaks = evidence(play(np.random.default_rng(21), runs, rps, minutes_of(phases), p), ratio).max(axis=1)
    seen = float(np.mean(peaks >= test.level))
    planned = false_rollback(test, Rollout(phases, rps))
    assert planned == pytest.approx(seen, abs=0.002 + seen / 3 + 4 * standard_error(seen, runs))
    # The printed figure must not flatter: never less than three quarters of what happens.
    assert planned >= 0.75 * seen - 4 * standard_error(seen, runs) - 0.0005
