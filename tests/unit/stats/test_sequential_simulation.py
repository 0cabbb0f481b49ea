"""The decision process of the sequential test, played minute by minute on random traffic.

Requests are Poisson, events binomial, clicks arrive late, clusters move together; the evidence is computed by
NumPy from the raw counts and compared with the boundary every minute. Nothing of the closed form decides.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from generator.stats.passage import Sprt, sprt_reached, sprt_stops
from generator.stats.sequential import event_llr, neutral_ratio
from generator.stats.timeline import Phase, Rollout, detection
from tests.unit.stats.simulation import Arms, evidence, minutes_of, play, standard_error

ALPHA = 0.05
BOUNDARY = math.log(20)
CONSTANT = (Phase(0.05, 3600),)
STEPS = (Phase(0.05, 1200), Phase(0.25, 1200), Phase(0.5, 1200))


def rolled_back(arms, ratio, **options):
    return float(np.mean(evidence(arms, ratio, **options).max(axis=1) >= BOUNDARY))


def assert_valid(share, runs):
    """Not above alpha beyond four standard errors."""
    assert share <= ALPHA + 4 * math.sqrt(ALPHA * (1 - ALPHA) / runs)


def delayed(rng, events, delay_min, minutes):
    """Move each event from the minute of its request to that of its arrival, exponential delay.

    A request falls anywhere in its minute, so with d minutes of mean delay an event arrives in the same one
    with probability 1 - d (1 - e^(-1/d)), and in the j-th after it with d (1 - e^(-1/d))^2 e^(-(j-1)/d).
    """
    fade = 1 - math.exp(-1 / delay_min)
    lags = [1 - delay_min * fade]
    lags += [delay_min * fade**2 * math.exp(-(j - 1) / delay_min) for j in range(1, minutes)]
    arrived = np.zeros_like(events)
    left, remaining = events.copy(), 1.0
    for lag, share in enumerate(lags):
        moved = rng.binomial(left, min(1.0, share / remaining))
        arrived[:, lag:] += moved[:, : minutes - lag]
        left, remaining = left - moved, remaining - share
    return arrived


def steady(arms, minutes):
    """The mask: canary share of the last `minutes` against that of as many before, within the tolerance."""

    def share(offset):
        sums = []
        for counts in (arms.nc, arms.nc + arms.ns):
            total = np.pad(counts.cumsum(axis=1), ((0, 0), (2 * minutes, 0)))
            stop = total.shape[1] - offset
            sums.append(total[:, 2 * minutes - offset : stop] - total[:, minutes - offset : stop - minutes])
        return sums[0] / np.maximum(sums[1], 1), sums[0]

    (now, requests), (before, _) = share(0), share(minutes)
    tolerance = np.maximum(1.1, 1 + 3 * np.sqrt(2 / np.maximum(requests, 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        change = now / before
    return (before > 0) & (change < tolerance) & (change > 1 / tolerance)


def test_simulation_uses_the_tested_evidence():
    arms = play(np.random.default_rng(0), 3, 20, minutes_of(STEPS), 0.04)
    running = evidence(arms, 0.9)
    for run in range(3):
        total = math.fsum(
            event_llr(arms.xc[run, k], arms.nc[run, k], arms.xs[run, k], arms.ns[run, k], 0.9)
            for k in range(60)
        )
        assert running[run, -1] == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize(
    ("minutes", "runs", "rps", "p", "ratio"),
    [
        (60, 20_000, 200, 0.04, 0.9),
        (60, 20_000, 20, 0.04, 0.9),
        (60, 10_000, 2000, 0.04, 0.9),
        (240, 5000, 200, 0.04, 0.9),
        (1440, 1000, 200, 0.04, 0.9),
        (60, 20_000, 200, 0.005, 2.0),
        (60, 20_000, 20, 0.005, 1.5),
        (60, 10_000, 200, 0.6, 0.9),
        (60, 20_000, 20, 0.04, 0.5),
    ],
)
def test_good_canary_at_constant_weight(minutes, runs, rps, p, ratio):
    arms = play(np.random.default_rng(minutes + rps), runs, rps, np.full(minutes, 0.05), p)
    assert_valid(rolled_back(arms, ratio), runs)


def test_good_canary_through_a_daily_cycle():
    minute = np.arange(1440)
    wave = np.sin(2 * np.pi * minute / 1440)
    runs = 1000
    arms = play(
        np.random.default_rng(1), runs, 200 * (1 + 0.5 * wave), np.full(1440, 0.05), 0.04 * (1 - 0.3 * wave)
    )
    assert_valid(rolled_back(arms, 0.9), runs)


def test_good_canary_while_weights_rise_and_the_baseline_falls():
    runs, weights = 10_000, minutes_of(STEPS)
    falling = np.linspace(0.05, 0.03, weights.size)
    arms = play(np.random.default_rng(2), runs, 200, weights, falling)
    assert_valid(rolled_back(arms, 0.9), runs)
    # The same counts, added up before they are compared, condemn nearly every good canary (Simpson).
    pooled = Arms(*(np.cumsum(c, axis=1) for c in (arms.xc, arms.nc, arms.xs, arms.ns)))
    cumulative = pooled.xc * math.log(0.9) - (pooled.xc + pooled.xs) * np.log1p(
        -0.1 * pooled.nc / (pooled.nc + pooled.ns)
    )
    assert np.mean(cumulative.max(axis=1) >= BOUNDARY) > 0.9


def test_good_canary_with_a_wrongly_declared_baseline_and_weight():
    runs = 20_000
    arms = play(np.random.default_rng(3), runs, 200, np.full(60, 0.04), 0.052)
    assert_valid(rolled_back(arms, 0.9), runs)


def test_good_canary_in_clusters_of_two():
    runs = 20_000
    arms = play(np.random.default_rng(4), runs, 200, np.full(60, 0.05), 0.04, cluster=2)
    assert_valid(rolled_back(arms, 0.9, design_effect=2.0), runs)
    assert rolled_back(arms, 0.9) > 0.1


@pytest.mark.parametrize("phases", [CONSTANT, STEPS])
def test_good_canary_with_delayed_outcomes_behind_the_mask(phases):
    """Mean delay 60 s, the mask looks back 3 minutes; without it a third of good canaries are lost."""
    runs, weights = 5000, minutes_of(phases)
    rng = np.random.default_rng(5)
    history = 20
    before = np.zeros(history)
    arms = play(rng, runs, 200, np.concatenate([before, weights]), 0.04)
    size = history + weights.size
    late = Arms(delayed(rng, arms.xc, 1.0, size), arms.nc, delayed(rng, arms.xs, 1.0, size), arms.ns)
    assert_valid(rolled_back(late, 0.9, used=steady(late, 3)), runs)
    assert rolled_back(late, 0.9) > 0.3


def test_mask_keeps_the_power_that_is_planned():
    """Look-back 3 minutes: six minutes are dead, the rest is as if nothing were late."""
    runs, history = 5000, 20
    rng = np.random.default_rng(6)
    arms = play(rng, runs, 200, np.concatenate([np.zeros(history), np.full(60, 0.05)]), 0.04, rho=0.9)
    size = history + 60
    late = Arms(delayed(rng, arms.xc, 1.0, size), arms.nc, delayed(rng, arms.xs, 1.0, size), arms.ns)
    caught = rolled_back(late, 0.9, used=steady(late, 3))
    planned = sprt_reached(Sprt(0.04, 0.9, ALPHA, mask_s=360), Rollout(CONSTANT, 200), 0.9)
    assert planned == pytest.approx(caught, abs=0.015 + 4 * standard_error(caught, runs))


@pytest.mark.parametrize(
    ("rps", "p", "rho", "ratio", "tolerance"),
    [
        (200, 0.04, 1.0, 0.9, 0.01),
        (200, 0.04, 0.95, 0.9, 0.02),
        (200, 0.04, 0.9, 0.9, 0.02),
        (200, 0.04, 0.8, 0.9, 0.02),
        (20, 0.04, 0.9, 0.9, 0.01),
        (20, 0.04, 0.8, 0.9, 0.02),
        (20, 0.005, 1.5, 1.5, 0.03),
        (200, 0.005, 1.5, 1.5, 0.02),
        (200, 0.005, 2.0, 2.0, 0.02),
        (2000, 0.04, 0.95, 0.9, 0.05),
        (2000, 0.04, 0.97, 0.9, 0.05),
    ],
)
def test_power_at_constant_weight(rps, p, rho, ratio, tolerance):
    runs = 10_000
    arms = play(np.random.default_rng(11), runs, rps, np.full(60, 0.05), p, rho)
    caught = rolled_back(arms, ratio)
    planned = sprt_reached(Sprt(p, ratio, ALPHA), Rollout(CONSTANT, rps), rho)
    assert planned == pytest.approx(caught, abs=tolerance + 4 * standard_error(caught, runs))


@pytest.mark.parametrize(("rps", "rho"), [(200, 0.95), (200, 0.9), (200, 0.8), (2000, 0.95), (20, 0.8)])
def test_timeline_of_a_rollout_with_steps(rps, rho):
    """Power by step, mean time and exposure, the first five minutes of every step left out."""
    runs, weights = 5000, minutes_of(STEPS)
    arms = play(np.random.default_rng(12), runs, rps, weights, 0.04, rho)
    used = np.broadcast_to(np.arange(60) % 20 >= 5, (runs, 60))
    crossed = evidence(arms, 0.9, used=used) >= BOUNDARY
    first = np.where(crossed.any(axis=1), crossed.argmax(axis=1), 60)
    rollout = Rollout(STEPS, rps)
    closed = detection(rollout, sprt_stops(Sprt(0.04, 0.9, ALPHA, 300), rollout, rho), 0.0)
    for end, planned in zip((20, 40, 60), closed.by_step, strict=True):
        caught = float(np.mean(first < end))
        assert planned == pytest.approx(caught, abs=0.05 + 4 * standard_error(caught, runs))
    stopped = first[first < 60]
    assert closed.mean_s == pytest.approx(60 * (stopped.mean() + 1), rel=0.05)
    exposed = 60 * rps * np.cumsum(weights)[stopped].mean()
    assert closed.exposed == pytest.approx(exposed, rel=0.08)


def test_clusters_cost_the_power_that_is_planned():
    runs = 10_000
    arms = play(np.random.default_rng(13), runs, 200, np.full(60, 0.05), 0.04, 0.9, cluster=2)
    caught = rolled_back(arms, 0.9, design_effect=2.0)
    planned = sprt_reached(Sprt(0.04, 0.9, ALPHA, design_effect=2.0), Rollout(CONSTANT, 200), 0.9)
    assert planned == pytest.approx(0.690, abs=5e-4)
    assert planned == pytest.approx(caught, abs=0.02 + 4 * standard_error(caught, runs))


def test_small_permanent_difference_is_forgiven_at_any_traffic():
    """A drop by 3 % is above the neutral ratio of a test for 10 %: ten times the traffic does not find it."""
    runs = 5000
    assert neutral_ratio(0.9, 0.05) < 0.97
    shares = [
        rolled_back(play(np.random.default_rng(14), runs, rps, np.full(60, 0.05), 0.04, 0.97), 0.9)
        for rps in (200, 2000)
    ]
    assert max(shares) < 0.2
