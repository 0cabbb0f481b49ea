"""Designed schedules: against an exhaustive search, against simulation, and the command."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import jsonschema
import pytest

from generator.odds.design import Accepted, Grid, designs, expected_exposure, grid_of, priced_guards
from generator.odds.odds import counted, latency_s, odds_of, phases, sequential_test
from generator.odds.replay.simulate import scenario, simulate, simulated_guards
from generator.report.replays.schedule import schedule_of
from generator.report.schemas import schema_text
from generator.spec.ceilings import Ceilings
from generator.stats.passage import sprt_stops
from generator.stats.timeline import Rollout, detection
from tests.unit.plan.rollouts import weight_step, with_steps

GRID = Grid(weights=(2, 5, 20, 29, 50), holds=(600.0, 1500.0, 4200.0), first=5, increase=50, last=50)
HOURS = 3600.0


def exact(plan, steps):
    """Expected exposure, duration, power by step and worst exposure of a schedule, from every look of the test."""
    tried = with_steps(plan, [weight_step(*step) for step in steps])
    rollout = Rollout(phases(tried.rollout), tried.min_rps)
    planned, means, powers, worst = rollout.planned_requests[-1], [], [], 0.0
    for guard in priced_guards(plan):
        test = sequential_test(tried, guard)
        marked = counted(tried, guard, rollout)
        found = detection(marked, sprt_stops(test, marked, test.ratio), latency_s(tried))
        means.append(found.probability * (found.exposed or 0) + (1 - found.probability) * planned)
        powers.append((guard, found.by_step))
        worst = max(worst, found.exposed or 0)
    return math.fsum(means) / len(means), rollout.duration_s, powers, worst


def allowed(plan, grid, accepted, steps):
    """What the search keeps, written again: time, first and last weight, increases, power, early detection, budget."""
    weights = [weight for weight, _ in steps]
    grows = [b - a for a, b in itertools.pairwise([*weights, 100])]
    if weights[0] > grid.first or weights[-1] < grid.last or max(grows) > grid.increase:
        return False
    if sum(hold for _, hold in steps) > accepted.longest_s:
        return False
    _, _, powers, worst = exact(plan, steps)
    if accepted.max_exposed is not None and worst > accepted.max_exposed:
        return False
    for guard, by_step in powers:
        if by_step[-1] < accepted.power:
            return False
        for at, (before, after) in enumerate(itertools.pairwise(weights)):
            counts = plan.takes_evidence(guard, before)
            if at == 0 and counts and by_step[0] < 0.5:
                return False
            if counts and after > 5 * before and by_step[at] < accepted.power:
                return False
    return True


def exhaustive(plan, grid, accepted):
    """Every schedule of a small grid that is allowed, by value."""
    for length in range(1, grid.steps + 1):
        for weights in itertools.combinations(grid.weights, length):
            for holds in itertools.product(grid.holds, repeat=length):
                steps = tuple(zip(weights, holds, strict=True))
                if allowed(plan, grid, accepted, steps):
                    yield steps


@pytest.mark.parametrize(
    ("rps", "accepted"),
    [
        (200, Accepted(0.8, 1.7 * HOURS, None, "exposure")),
        (200, Accepted(0.8, 1.7 * HOURS, 65_000, "exposure")),
        (200, Accepted(0.9, 3 * HOURS, None, "time")),
        (600, Accepted(0.95, 2 * HOURS, None, "exposure")),
    ],
)
def test_no_schedule_of_a_small_grid_is_better(recommender, rps, accepted):
    plan = replace(recommender, min_rps=float(rps))
    every = list(exhaustive(plan, GRID, accepted))
    assert every
    best = next(designs(plan, GRID, accepted))
    values = [exact(plan, steps)[accepted.goal == "time"] for steps in every]
    assert best.steps in every
    # Exposures that agree in three digits are equal, and the search computes 16 looks of a step.
    assert exact(plan, best.steps)[accepted.goal == "time"] <= min(values) * 1.01
    assert best.exposed == pytest.approx(exact(plan, best.steps)[0], rel=0.02)


def test_nothing_is_kept_where_no_schedule_is_long_enough(recommender):
    assert not list(designs(recommender, GRID, Accepted(0.8, 900.0, None, "time")))


def test_a_design_does_in_simulation_what_its_odds_say(recommender):
    grid = grid_of(
        recommender,
        Ceilings.model_validate({"firstWeight": "5%", "largestIncrease": "50%", "shortestHold": "10m"}),
        6000.0,
    )
    best = next(designs(recommender, grid, Accepted(0.8, 6000.0, 200_000, "time")))
    plan = with_steps(recommender, [weight_step(*step) for step in best.steps])
    odds = {guard.name: found for guard, found in odds_of(plan).comparisons}["ctr"]
    schedule = schedule_of(plan)
    guards = simulated_guards(plan, schedule)
    found = simulate(plan, schedule, guards, scenario("ctr:drop=10%", guards), range(150), 3)
    caught = found.by_guard["ctr"]
    assert abs(caught.share.value - odds.power) < 0.05 + 3 * caught.share.stderr
    assert caught.exposed_mean == pytest.approx(odds.exposed_mean, rel=0.15)


def test_weights_are_those_that_pods_can_make(recommender):
    grid = grid_of(recommender, Ceilings(), 6000.0)
    assert any(recommender.step_load(weight).comparable for weight in grid.weights if weight < 50)
    # 25 % of 4 to 12 pods is never comparable; it is in the grid because the team wrote it.
    assert not recommender.step_load(25).comparable
    pods = replace(recommender, routing=replace(recommender.routing, kind="none"))
    assert grid_of(pods, Ceilings(), 6000.0).weights == (5, 25, 50, 75)


def test_a_better_schedule_is_shown_with_its_diff_and_written_on_request(repository, sluice):
    spec = repository / "specs/shop/recommender.yaml"
    before = spec.read_text()
    shown = sluice("design", "shop/recommender")
    assert shown.exit_code == 0
    assert "4% 1h 10m, 29% 20m, 50% 10m" in re_spaced(shown.stdout)
    assert (
        "+    steps: [{weight: 4%, hold: 1h10m}, {weight: 29%, hold: 20m}, {weight: 50%, hold: 10m}]"
        in shown.stdout
    )
    assert spec.read_text() == before
    sluice("design", "shop/recommender", "--write")
    assert spec.read_text() == before.replace(
        "[{weight: 5%, hold: 60m}, {weight: 25%, hold: 20m}, {weight: 50%, hold: 20m}]",
        "[{weight: 4%, hold: 1h10m}, {weight: 29%, hold: 20m}, {weight: 50%, hold: 10m}]",
    )
    again = sluice("design", "shop/recommender")
    assert "no schedule is better than the steps written by hand" in again.stdout


def re_spaced(text):
    return " ".join(text.split())


def test_accepted_values_of_the_command_line_are_part_of_the_proposal(repository, sluice):
    options = ("--harm", "ctr:drop=8%", "--power", "85%", "--false-rollback", "4%", "--max-exposed", "190000")
    found = json.loads(
        sluice("design", "shop/recommender", *options, "--longest", "2h30m", "--format", "json").stdout
    )
    assert found["accepted"]["power"] == 0.85
    assert found["designed"]["family_false_rollback_bound"] == pytest.approx(0.04)
    assert found["designed"]["power"] >= 0.85
    for line in ("{drop: 8%}", "{falseRollback: 4%, power: 85%, maxExposed: 190000}"):
        assert line in found["diff"]


def test_approvals_stay_before_the_weight_that_they_guard(repository, sluice):
    found = json.loads(sluice("design", "risk/fraud", "--format", "json").stdout)
    jsonschema.validate(found, json.loads(schema_text("design")))
    assert "{approve: model-risk}, {weight: 50%, hold: 1h}]" in found["diff"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("support/ticket-classifier",), "a blue-green release has no weights to design"),
        (("shop/recommender", "--harm", "ctr:drop=ten"), "invalid scenario"),
        (("shop/recommender", "--longest", "soon"), "soon"),
        (("shop/recommender", "--power", "0.8"), "0.8"),
    ],
)
def test_what_can_not_be_designed_is_named(repository, sluice, arguments, message):
    done = sluice("design", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_the_shortest_schedule_is_named_when_none_is_short_enough(repository, sluice):
    done = sluice("design", "shop/recommender", "--harm", "ctr:drop=5%")
    assert done.exit_code == 1
    assert "the shortest that does takes 3h 20m" in re_spaced(done.stdout)


def test_exposure_without_a_guard_that_compares_is_not_known(recommender):
    assert expected_exposure(odds_of(replace(recommender, guards=()))) is None
