"""Random counts against scipy's distributions, both sides of every switch between methods."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from scipy import stats

from generator.odds.replay.traffic import binomial, poisson

DRAWS = 20_000


def assert_follows(draws, distribution):
    """Chi-square over cells of about equal mass, at least 40 draws in each."""
    edges = np.unique(distribution.ppf(np.linspace(0, 1, 41)[1:-1]))
    cells = Counter(np.searchsorted(edges, draws).tolist())
    mass = np.diff(np.concatenate([[0.0], distribution.cdf(edges), [1.0]]))
    seen = np.array([cells[i] for i in range(len(mass))], dtype=float)
    keep = mass * DRAWS >= 5
    seen, mass = seen[keep], mass[keep]
    result = stats.chisquare(seen, mass / mass.sum() * seen.sum())
    assert result.pvalue > 1e-4, result


@pytest.mark.parametrize("mean", [0.02, 0.7, 9.99, 10.0, 31.5, 400.0, 11_400.0, 3e6])
def test_poisson(mean):
    rng = Random(1)
    draws = [poisson(rng, mean) for _ in range(DRAWS)]
    assert np.mean(draws) == pytest.approx(mean, abs=5 * (mean / DRAWS) ** 0.5)
    assert_follows(draws, stats.poisson(mean))


@pytest.mark.parametrize(
    ("trials", "p"),
    [
        (1, 0.3),
        (12, 0.5),
        (300, 0.005),
        (249, 0.04),
        (251, 0.04),
        (600, 0.04),
        (11_400, 0.02),
        (600, 0.97),
        (40, 0.9),
    ],
)
def test_binomial(trials, p):
    rng = Random(2)
    draws = [binomial(rng, trials, p) for _ in range(DRAWS)]
    assert min(draws) >= 0
    assert max(draws) <= trials
    assert_follows(draws, stats.binom(trials, p))


@pytest.mark.parametrize(("trials", "p", "count"), [(0, 0.5, 0), (9, 0.0, 0), (9, 1.0, 9)])
def test_certain_counts(trials, p, count):
    assert binomial(Random(3), trials, p) == count


def test_no_mean_no_count():
    assert poisson(Random(3), 0.0) == 0
