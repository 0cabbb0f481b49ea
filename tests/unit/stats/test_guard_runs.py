"""Bare thresholds: one look, runs of looks and sliding windows, against enumeration and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.stats.normal import bvn, normal_quantile
from generator.stats.runs import Looks, run_stops
from generator.stats.timeline import Phase, Rollout
from generator.stats.windows import WindowGuard, look_fail, window_looks

STEPS = (Phase(0.05, 1200), Phase(0.25, 1200), Phase(0.5, 1200))
rates = st.floats(0.0, 1.0)


def total(looks, limit):
    return math.fsum(stop.mass for stop in run_stops(looks, limit))


def exact_look(m: float, p: float, limit: float, bound: str) -> float:
    """Mixture over the Poisson number of requests of exact binomial looks."""
    n = np.arange(math.ceil(m + 12 * math.sqrt(m) + 40) + 1)
    events = limit * n
    if bound == "at_least":
        fails = scipy.stats.binom.cdf(np.ceil(events - 1e-9) - 1, n, p)
    else:
        fails = scipy.stats.binom.sf(np.floor(events + 1e-9), n, p)
    fails[0] = 1.0
    return float(np.sum(scipy.stats.poisson.pmf(n, m) * fails))


@settings(deadline=None)
@given(st.floats(0.01, 2000), rates, st.floats(1e-6, 1.0), st.sampled_from(["at_least", "at_most"]))
def test_look_is_a_mixture_of_binomials(m, p, limit, bound):
    assert look_fail(m, p, limit, bound) == pytest.approx(exact_look(m, p, limit, bound), abs=1e-9)


@pytest.mark.parametrize("limit", [0.0, 0.04, 0.07, 0.29, 0.5, 1.0])
@pytest.mark.parametrize("bound", ["at_least", "at_most"])
@pytest.mark.parametrize("m", [3.0, 400.0])
def test_look_at_limits_that_counts_can_meet(m, limit, bound):
    for p in (0.0, limit, 0.05, 1.0):
        assert look_fail(m, p, limit, bound) == pytest.approx(exact_look(m, p, limit, bound), abs=1e-9)


@pytest.mark.parametrize("p", [0.036, 0.0362, 0.038, 0.04])
def test_normal_form_takes_over_smoothly(p):
    below, above = look_fail(20_000, p, 0.036, "at_least"), look_fail(20_000.001, p, 0.036, "at_least")
    assert above == pytest.approx(below, abs=0.005)


def test_look_without_requests():
    assert look_fail(0.0, 0.04, 0.036, "at_least") == 1.0
    assert look_fail(0.0, 0.04, 0.036, "at_least", empty_fails=False) == 0.0
    assert look_fail(0.0, 0.04, 0.036, "at_most", design_effect=2.0) == 1.0


@pytest.mark.parametrize("limit", [5e-324, 1e-300, 1e-30])
def test_look_at_a_limit_of_next_to_nothing(limit):
    no_event = math.exp(-100 * 0.04)
    assert look_fail(100, 0.04, limit, "at_least") == pytest.approx(no_event)
    assert look_fail(100, 0.04, limit, "at_most") == pytest.approx(1 - no_event + math.exp(-100))


def test_design_effect_acts_as_less_traffic():
    clustered = look_fail(60_000, 0.038, 0.036, "at_least", design_effect=2.0)
    assert clustered == pytest.approx(look_fail(30_000, 0.038, 0.036, "at_least"))


def enumerate_chain(fails: list[float], correlations: list[float], limit: int) -> float:
    """Sum over all 2^N sequences of pass and fail."""
    stopped = 0.0
    for outcome in itertools.product((0, 1), repeat=len(fails)):
        chance = fails[0] if outcome[0] else 1 - fails[0]
        for k in range(1, len(fails)):
            joint = bvn(normal_quantile(fails[k - 1]), normal_quantile(fails[k]), correlations[k])
            fail = joint / fails[k - 1] if outcome[k - 1] else (fails[k] - joint) / (1 - fails[k - 1])
            chance *= fail if outcome[k] else 1 - fail
        stopped += chance * (sum(outcome) > limit)
    return stopped


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(0.0, 0.95)), min_size=2, max_size=8),
    st.integers(0, 3),
)
def test_chain_is_the_sum_over_all_sequences(looks, limit):
    fails, correlations = map(list, zip(*looks, strict=True))
    chain = [Looks(k, 1, 1, q, rho) for k, (q, rho) in enumerate(looks)]
    assert total(chain, limit) == pytest.approx(enumerate_chain(fails, correlations, limit), abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.floats(1e-7, 0.2), st.integers(1, 200_000), st.integers(0, 12))
def test_blocks_of_looks_agree_with_the_closed_form(q, count, limit):
    assert total([Looks(0, 1, count, q)], limit) == pytest.approx(
        scipy.stats.binom.sf(limit, count, q), abs=1e-9
    )


def test_a_million_correlated_looks_are_the_same_in_blocks_and_one_by_one():
    alike = [Looks(0, 60, 3000, 1e-3, 0.8)]
    apart = [Looks(60 * k, 60, 1, 1e-3, 0.8) for k in range(3000)]
    blocks, single = run_stops(alike, 3), run_stops(apart, 3)
    assert len(blocks) < 1000 < len(single)
    assert math.fsum(s.mass for s in blocks) == pytest.approx(math.fsum(s.mass for s in single), abs=1e-12)
    mean = [math.fsum(s.mass * (s.first_s + s.last_s) / 2 for s in stops) for stops in (blocks, single)]
    assert mean[0] == pytest.approx(mean[1], rel=1e-4)
    assert 0.0 < total([Looks(0, 60, 1_000_000, 1e-6, 0.8)], 3) < 1.0
    assert len(run_stops([Looks(0, 60, 1_000_000, 1e-6, 0.8)], 3)) < 2000


@settings(deadline=None)
@given(st.floats(0.0, 1.0), st.integers(1, 60), st.integers(0, 5), st.floats(0.0, 0.95))
def test_false_rollbacks_grow_with_looks_and_shrink_with_forgiveness(q, count, limit, rho):
    here = total([Looks(0, 1, count, q, rho)], limit)
    assert total([Looks(0, 1, count + 1, q, rho)], limit) >= here - 1e-12
    assert total([Looks(0, 1, count, q, rho)], limit + 1) <= here + 1e-12
    assert 0.0 <= here <= 1.0 + 1e-12


def simulate_windows(phases, rps, p, window_min, limit, failures, runs, seed):
    """Share of runs stopped: Poisson counts a minute, real sliding sums, real counting of failures."""
    rng = np.random.default_rng(seed)
    minutes = [int(phase.duration_s // 60) for phase in phases]
    means = np.repeat([rps * 60 * phase.weight for phase in phases], minutes)
    sums = []
    for share in (p, 1 - p):
        counts = np.pad(rng.poisson(means * share, (runs, means.size)).cumsum(axis=1), ((0, 0), (1, 0)))
        sums.append(counts[:, window_min:] - counts[:, :-window_min])
    x, y = sums
    failed = (1 - limit) * x < limit * y - 1e-9
    failed |= (x + y) == 0
    return float(np.mean(failed.sum(axis=1) > failures))


@pytest.mark.parametrize(
    ("phases", "rps", "p", "failures"),
    [
        ((Phase(0.05, 1440),), 200, 0.04, 0),
        ((Phase(0.05, 1440),), 200, 0.04, 3),
        ((Phase(0.05, 1440),), 20, 0.04, 3),
        (STEPS, 200, 0.04, 3),
        (STEPS, 20, 0.04, 3),
        (STEPS, 2000, 0.038, 3),
    ],
)
def test_overlapping_windows_against_simulation(phases, rps, p, failures):
    guard = WindowGuard(0.036, "at_least", 300, 60, failures)
    closed = total(window_looks(guard, Rollout(phases, rps), p), failures)
    runs = 3000
    simulated = simulate_windows(phases, rps, p, 5, 0.036, failures, runs, seed=7)
    error = math.sqrt(max(simulated * (1 - simulated), 1e-3) / runs)
    assert closed == pytest.approx(simulated, abs=0.035 + 4 * error)


@pytest.mark.parametrize(
    ("rps", "window", "interval", "count", "limit", "power"),
    [
        (20, 60, 60, 5, 0, (0.966, 0.975, 0.983, 0.992, 1)),
        (20, 300, 60, 20, 3, (0.829, 0.899, 0.947, 0.990, 1)),
        (200, 60, 60, 5, 1, (0.507, 0.681, 0.828, 0.976, 1)),
        (200, 300, 60, 5, 3, (0.042, 0.142, 0.349, 0.853, 1)),
        (200, 300, 60, 60, 3, (0.820, 0.992, 1, 1, 1)),
        (200, 300, 300, 20, 3, (0.262, 0.868, 0.999, 1, 1)),
        (2000, 60, 60, 60, 3, (0.423, 0.999, 1, 1, 1)),
        (2000, 300, 60, 20, 0, (0.003, 0.335, 0.994, 1, 1)),
    ],
)
def test_published_grid(rps, window, interval, count, limit, power):
    guard = WindowGuard(0.036, "at_least", window, interval, limit)
    rollout = Rollout((Phase(0.05, window + (count - 1) * interval),), rps)
    rows = [total(window_looks(guard, rollout, 0.04 * ratio), limit) for ratio in (1, 0.95, 0.9, 0.8, 0.5)]
    assert rows == pytest.approx(power, abs=6e-4)


def test_looks_of_a_window():
    guard = WindowGuard(0.036, "at_least", 300, 60)
    looks = list(window_looks(guard, Rollout(STEPS, 200), 0.04))
    assert sum(stretch.count for stretch in looks) == 56 == guard.looks_by(3600)
    assert looks[0].first_s == 300
    assert guard.looks_by(299) == 0
    early = WindowGuard(0.036, "at_least", 300, 60, first_look_s=0.0)
    assert next(window_looks(early, Rollout(STEPS, 200), 0.04)).fail == 1.0
    steady = max(looks, key=lambda stretch: stretch.count)
    assert steady.correlation == pytest.approx(0.8)


@pytest.mark.parametrize(
    "changed",
    [
        {"limit": -0.1},
        {"window_s": 0.0},
        {"interval_s": 0.0},
        {"interval_s": 0.01},
        {"failure_limit": -1},
        {"failure_limit": 51},
        {"first_look_s": -1.0},
        {"design_effect": 0.9},
    ],
)
def test_guards_that_cannot_be(changed):
    good = {"limit": 0.036, "bound": "at_least", "window_s": 300.0, "interval_s": 60.0}
    with pytest.raises(ValueError, match=r"must|holds over"):
        WindowGuard(**{**good, **changed})
