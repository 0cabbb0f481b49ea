"""The test of the split against scipy's binomial law and against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from generator.stats.split import SHIFT, SplitTest, split_llr


def evidence(inside, outside, asked):
    """The evidence of both alternatives, written out."""
    more = inside * math.log(SHIFT) + outside * math.log((1 - SHIFT * asked) / (1 - asked))
    return more, outside * math.log((1 - asked / SHIFT) / (1 - asked)) - inside * math.log(SHIFT)


@pytest.mark.parametrize("phi", [1.0, 2.0])
@pytest.mark.parametrize(
    ("asked", "requests"), [(0.01, 5000), (0.05, 900), (0.05, 20_000), (0.25, 700), (0.5, 90)]
)
@pytest.mark.parametrize("factor", [0.0, 0.5, 0.8, 1.0, 1.1, 1.25, 2.0])
def test_chances_are_those_of_the_counts_whose_evidence_reaches_the_level(asked, requests, phi, factor):
    test = SplitTest(asked, 0.01 / 3, phi)
    count = math.floor(requests / phi)
    inside = np.arange(count + 1)
    more, fewer = evidence(inside, count - inside, asked)
    stopping = inside[np.maximum(more, fewer) >= test.level]
    expected = binom.pmf(stopping, count, asked * factor).sum()
    assert test.stops(requests, asked * factor) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("asked", [0.01, 0.05, 0.25, 0.5])
def test_a_right_split_stops_at_most_as_often_as_allowed_however_often_it_is_looked_at(asked):
    """4,000 rollouts with 200 looks each: more often than one standard error above alpha would refute it."""
    alpha, looks, runs = 0.05, 200, 4_000
    test, rng = SplitTest(asked, alpha), np.random.default_rng(18)
    inside = rng.binomial(round(10 / asked), asked, (runs, looks)).cumsum(axis=1)
    outside = round(10 / asked) * np.arange(1, looks + 1) - inside
    more, fewer = evidence(inside, outside, asked)
    stopped = (np.maximum(more, fewer).max(axis=1) >= test.level).mean()
    assert stopped <= alpha
    assert stopped > alpha / 4  # it is a test, not a constant


@pytest.mark.parametrize("asked", [0.01, 0.05, 0.1, 0.2, 0.25, 0.33, 0.5])
def test_the_floor_is_where_a_version_without_requests_stops(asked):
    test = SplitTest(asked, 0.01 / 3, 1.5)
    assert split_llr(0, test.floor, asked, design_effect=1.5) >= test.level
    assert split_llr(0, test.floor - 1, asked, design_effect=1.5) < test.level


@pytest.mark.parametrize(
    ("asked", "seen"), [(0.05, 134 / 2800), (0.05, 0.0468), (0.05, 0.055), (0.5, 0.494), (0.5, 0.507)]
)
def test_shares_of_routers_on_clusters_pass_with_any_traffic(asked, seen):
    for requests in (1_000, 100_000, 10_000_000):
        assert split_llr(seen * requests, (1 - seen) * requests, asked) < SplitTest(asked, 0.01).level


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        (0.05, 0.26),
        (0.05, 0.0),
        (0.25, 0.0),
        (0.1 / 1.1, 0.5),
        (0.05, 0.5),
        (0.5, 0.0),
        (0.05, 0.03),
        (0.05, 0.075),
    ],
)
def test_wiped_selectors_copied_requests_and_missing_routers_stop(asked, seen):
    test = SplitTest(asked, 0.01 / 3)
    assert test.stops(20 * test.floor, seen) > 0.9999
