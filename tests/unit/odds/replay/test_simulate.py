"""Simulated releases of the recommender compared with the closed forms, and the meaning of scenarios."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest

from generator.odds.replay.expected import expected
from generator.odds.replay.simulate import (
    ScenarioError,
    Share,
    scenario,
    simulate,
    simulated_guards,
    traffic_of,
)
from generator.odds.replay.traffic import record
from generator.report.replays.schedule import schedule_of
from tests.unit.plan.rollouts import as_limit

RUNS = range(150)


@pytest.fixture(scope="session")
def played(recommender):
    """Runs of a scenario and its odds, each scenario once."""
    schedule = schedule_of(recommender)
    guards, known = simulated_guards(recommender, schedule), {}

    def play(text):
        if text not in known:
            ratios = scenario(text, guards)
            found = simulate(recommender, schedule, guards, ratios, RUNS, 20)
            known[text] = found, expected(recommender, guards, ratios)
        return known[text]

    return play


@pytest.mark.parametrize(("text", "accuracy"), [("drop=5%", 0.05), ("drop=10%", 0.02), ("drop=20%", 0.02)])
def test_rollbacks_agree_with_the_odds(played, text, accuracy):
    """Within four standard errors and the accuracy that `stats.odds` states."""
    found, odds = played(text)
    assert found.whole.share.value == pytest.approx(
        odds.whole.probability, abs=4 * found.whole.share.stderr + accuracy
    )


@pytest.mark.parametrize("text", ["drop=10%", "drop=20%"])
def test_times_and_exposure_agree_with_the_odds(played, text):
    """The odds place the evidence at its latest: by half a stratum and half a scrape."""
    found, odds = played(text)
    late = 0.5 * (60 + 15)
    error = 4 * 0.7 / math.sqrt(found.runs)  # a first passage time has a spread of at most 0.7 means here
    assert found.whole.mean_s == pytest.approx(odds.whole.mean_s - late, rel=0.03 + error)
    assert found.whole.exposed_mean == pytest.approx(odds.whole.exposed, rel=0.1 + error)


def test_a_good_release_is_rolled_back_no_more_often_than_allowed(played, recommender):
    found, _ = played("good")
    assert found.whole.share.value <= recommender.rollout.risk.false_rollback + 4 * found.whole.share.stderr
    assert found.outcomes["paused"].count == 0


@pytest.mark.parametrize(("limit", "text"), [(0.036, "good"), (0.034, "ctr:drop=5%")])
def test_a_bare_limit_agrees_with_the_odds(recommender, limit, text):
    """A good version is rolled back often; `stats.runs` states an accuracy of 0.035."""
    ctr = replace(as_limit(recommender.guards[0], limit), delay_s=0.0)
    plan = replace(recommender, guards=(ctr,))
    schedule = schedule_of(plan)
    ratios = scenario(text, (ctr,))
    found = simulate(plan, schedule, (ctr,), ratios, range(100), 8).whole.share
    odds = expected(plan, (ctr,), ratios).whole.probability
    assert 0.1 < odds < 0.98
    assert found.value == pytest.approx(odds, abs=4 * found.stderr + 0.035)


def test_equal_seeds_give_equal_runs(recommender):
    schedule = schedule_of(recommender)
    guards = simulated_guards(recommender, schedule)
    ratios = scenario("drop=20%", guards)
    same = [simulate(recommender, schedule, guards, ratios, range(4), seed) for seed in (1, 1, 2)]
    assert same[0] == same[1]
    assert same[0] != same[2]


def test_too_little_traffic_pauses_at_the_first_step(recommender):
    schedule = schedule_of(recommender)
    guards = simulated_guards(recommender, schedule)
    quiet = replace(recommender, min_rps=100.0)
    found = simulate(quiet, schedule, guards, scenario("good", guards), range(8), 1)
    assert found.outcomes["paused"].value + found.outcomes["aborted"].value == 1.0
    assert found.outcomes["paused"].count >= 6
    assert found.first.at_s == 3600 + 4 * 60


def test_traffic_is_what_the_plan_declares(recommender):
    schedule = schedule_of(recommender)
    guards = simulated_guards(recommender, schedule)
    traffic = traffic_of(recommender, schedule, guards, scenario("drop=50%", guards))
    recording, start = record(traffic, Random(4))
    for guard in guards:
        pair = recording.pairs[guard.name]
        begin, end = round((start + 600) * 1000), round((start + 3600) * 1000)
        for side, rps, rate in ((pair.canary, 10, 0.5 if guard.name == "ctr" else 1), (pair.stable, 190, 1)):
            requests = side.requests.increase(begin, end)
            assert requests == pytest.approx(3000 * rps, rel=0.05)
            events = (guard.baseline or 0) * rate
            assert side.events.increase(begin, end) / requests == pytest.approx(
                events, abs=5 * math.sqrt(events / requests) + 0.01 * events
            )


def test_clusters_spread_the_counts_but_not_the_verdicts(recommender):
    grouped = replace(recommender, design_effect=4.0)
    schedule = schedule_of(grouped)
    guards = simulated_guards(grouped, schedule)
    found = simulate(grouped, schedule, guards, scenario("good", guards), range(40), 6)
    assert found.whole.share.value <= 0.05 + 4 * found.whole.share.stderr


@pytest.mark.parametrize(
    ("text", "ratios"),
    [
        ("good", {"ctr": 1.0, "error-rate": 1.0, "slow-rate": 1.0}),
        ("drop=10%", {"ctr": 0.9, "error-rate": 1.0, "slow-rate": 1.0}),
        ("rise=50%", {"ctr": 1.0, "error-rate": 1.5, "slow-rate": 1.5}),
        ("ctr:rise=5%, slow-rate:drop=12.5%", {"ctr": 1.05, "error-rate": 1.0, "slow-rate": 0.875}),
    ],
)
def test_scenarios(recommender, text, ratios):
    assert scenario(text, recommender.guards) == pytest.approx(ratios)


@pytest.mark.parametrize(
    "text", ["", "bad", "drop", "drop=10", "drop=200%", "cvr:drop=10%", "ctr:rise=5000%", "drop=1%;x"]
)
def test_what_is_no_scenario(recommender, text):
    with pytest.raises(ScenarioError):
        scenario(text, recommender.guards)


def test_a_share_of_none_still_has_an_error():
    assert Share(0, 100).value == 0
    assert 0.005 < Share(0, 100).stderr < 0.05
    assert Share(50, 100).stderr == pytest.approx(0.05, rel=0.05)
