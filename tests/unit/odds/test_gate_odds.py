"""Odds of offline gates: against the verdict itself, on random tables of two and more groups."""

from __future__ import annotations

import math

import numpy as np
import pytest

from generator.odds.gate_odds import parity_odds, share_odds
from generator.stats.fairness import largest_difference
from generator.stats.offline import verdict


def parity_verdict(groups):
    return verdict(largest_difference(groups)[1], 0.1, at_least=False)


def test_an_upper_limit_is_a_lower_one_on_the_rest():
    bad, good = share_odds({"atMost": 0.08}, 1000)
    mirrored_bad, mirrored_good = share_odds({"atLeast": 0.92}, 1000)
    for one, other in ((bad, mirrored_bad), (good, mirrored_good)):
        assert one.passes == pytest.approx(other.passes)
        assert one.fails == pytest.approx(other.fails)
    assert share_odds({"atLeast": 20.0}, 1000) is None


def test_a_thousand_rows_tell_two_points_apart():
    """The normal form gives 1,044 rows for 80 % at two points above 0.92; a bad model rarely passes by chance."""
    bad, good = share_odds({"atLeast": 0.92}, 1044)
    assert good.passes == pytest.approx(0.8, abs=0.03)
    assert bad.passes < 0.001


@pytest.mark.parametrize(("groups", "rows"), [(2, 400), (2, 1000), (3, 800), (5, 1200)])
def test_parity_of_a_fair_model_against_random_tables(groups, rows):
    """Bonferroni over the pairs keeps the chances of a good model on the safe side, and near."""
    rng, runs = np.random.default_rng(groups * rows), 3000
    selected = rng.binomial(rows, 0.5, (runs, groups))
    counts = [{str(group): (int(count), rows) for group, count in enumerate(row)} for row in selected]
    verdicts = [parity_verdict(table) for table in counts]
    passed = verdicts.count("pass") / runs
    _, good = parity_odds(0.1, rows, groups)
    error = 4 * math.sqrt(0.25 / runs)
    assert good.passes <= passed + error
    assert good.passes == pytest.approx(passed, abs=0.12 + error)
    assert good.fails >= verdicts.count("fail") / runs - error


@pytest.mark.parametrize("rows", [100, 1000, 5000])
def test_parity_of_a_biased_model_against_random_tables(rows):
    rng, runs = np.random.default_rng(rows), 4000
    selected = np.stack([rng.binomial(rows, 0.56, runs), rng.binomial(rows, 0.44, runs)], axis=1)
    verdicts = [parity_verdict({"one": (int(a), rows), "other": (int(b), rows)}) for a, b in selected]
    bad, _ = parity_odds(0.1, rows, 2)
    assert bad.passes == pytest.approx(verdicts.count("pass") / runs, abs=0.02)
    assert bad.fails == pytest.approx(verdicts.count("fail") / runs, abs=0.04)
