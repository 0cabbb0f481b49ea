"""The first verdict of a guard, checked against releases that the model of the controller walks through."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from generator.odds.first_verdict import first_verdicts, late_guards
from generator.odds.odds import phases, sequential_test, stopped
from generator.odds.replay.simulate import scenario, simulate, simulated_guards
from generator.odds.replay.walk import walk
from generator.plan.guards import Comparison, Limit, Parity
from generator.render.metrics import shadow_metrics
from generator.report.replays.schedule import schedule_of
from generator.spec.guards.base import Gauge
from generator.spec.rollout import Shadow
from generator.stats.passage import sprt_stops
from generator.stats.timeline import Phase, Rollout
from tests.unit.plan.rollouts import approval, as_limit, blue_green, weight_step, with_steps


def guarded(plan, *guards):
    """The same plan with these guards only."""
    return replace(plan, guards=guards)


@pytest.fixture(scope="module")
def comparisons(recommender):
    return {guard.name: guard for guard in recommender.guards}


@pytest.fixture(scope="module")
def limit(comparisons):
    return as_limit(comparisons["error-rate"], 0.05)


@pytest.fixture(scope="module")
def gauge():
    return Limit(
        name="age", kind="feature-age", subject="age", no_data="pause", index=0,
        signal=Gauge("model", "team_age_seconds", "seconds"), limit=60.0, more_is_worse=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def parity():
    return Parity(
        name="parity", kind="fairness", subject="demographic-parity-difference", no_data="pass", index=0,
        limit=0.1, attributes=(("gender", ("female", "male")),),
    )  # fmt: skip


def ends(plan):
    """How a release ends where every measurement of a guard fails, and every step has its evidence: outcome, seconds."""
    schedule = schedule_of(plan).only(lambda metric: metric.kind != "evidence")
    course = walk(schedule, lambda *_: [1e9], math.inf)
    return course.outcome, course.at_s


# 60 s between measurements, 15 s between scrapes: a full window, two scrapes, and one forgiven failure.
@pytest.mark.parametrize(("name", "first"), [("limit", 390.0), ("gauge", 90.0), ("parity", 30.0)])
@pytest.mark.parametrize("more", [-1.0, 0.0, 1.0, 600.0])
def test_the_controller_agrees_where_every_measurement_fails(request, recommender, name, first, more):
    guard = request.getfixturevalue(name)
    plan = guarded(with_steps(recommender, [weight_step(5, 20.0), weight_step(50, first - 20 + more)]), guard)
    (found,) = first_verdicts(plan)
    assert (found.at_s, found.promoted_s) == (first, first + more)
    assert found.in_time == (more >= 0)
    assert ends(plan) == (("aborted", first) if found.in_time else ("promoted", first + more))


@pytest.mark.parametrize("hold", [355.0, 385.0, 389.0, 390.0, 450.0])
def test_odds_of_a_limit_are_nothing_exactly_where_it_cannot_fail(recommender, limit, hold):
    plan = guarded(with_steps(recommender, [weight_step(50, hold)]), limit)
    found = stopped(plan, limit, phases(plan.rollout), ratio=100.0)
    assert found.probability == pytest.approx(0.0 if late_guards(plan) else 1.0)


# Steps, and the first verdicts on clicks and on errors. Clicks come a minute late, so five minutes are masked after each
# change of weight; measurements are a minute apart.
SCHEDULES = [
    (((5, 299.0), (25, 299.0), (50, 299.0)), 900.0, 60.0),
    (((5, 300.0), (25, 10.0)), 300.0, 60.0),
    (((5, 59.0), (25, 301.0)), 360.0, 60.0),
    (((5, 59.0), (25, 300.0)), 360.0, 60.0),
    (((5, 30.0), (25, 400.0), (100, 500.0)), 360.0, 60.0),
    (((5, 30.0), (100, 500.0)), None, 60.0),
    (((5, 20.0), (25, 20.0), (50, 19.0)), 360.0, 60.0),
]


@pytest.mark.parametrize("name", ["ctr", "error-rate"])
@pytest.mark.parametrize(("steps", "clicks", "errors"), SCHEDULES)
def test_a_comparison_is_in_time_where_its_odds_begin(recommender, comparisons, name, steps, clicks, errors):
    guard, length = comparisons[name], sum(hold for _, hold in steps)
    plan = guarded(with_steps(recommender, [weight_step(*step) for step in steps]), guard)
    (found,) = first_verdicts(plan)
    assert (found.at_s, found.promoted_s) == (clicks if name == "ctr" else errors, length)
    rollout = Rollout(tuple(Phase(weight / 100, hold) for weight, hold in steps), 1e6)
    stops = sprt_stops(sequential_test(plan, guard), rollout, 0.5 if name == "ctr" else 9.0)
    begins = [stop.first_s for stop in stops if stop.mass]
    assert found.in_time or not begins
    for begin in begins[:1]:  # the odds take no evidence from the stratum that ends with the mask
        assert begin - found.at_s in {0.0, 60.0}
    assert begins or not found.in_time or found.at_s + 60 > length


@pytest.mark.parametrize(("hold", "least", "most"), [(299.0, 0, 0), (300.0, 1, 20), (420.0, 20, 20)])
def test_a_version_without_clicks_is_stopped_only_where_the_guard_is_in_time(
    recommender, comparisons, hold, least, most
):
    """Simulated counters: a stratum that ends with the mask is enough for some of these versions."""
    plan = guarded(with_steps(recommender, [weight_step(50, hold)]), comparisons["ctr"])
    schedule = schedule_of(plan).only(lambda metric: metric.kind == "sequential")
    guards = simulated_guards(plan, schedule)
    found = simulate(plan, schedule, guards, scenario("drop=100%", guards), range(20), 7)
    assert least <= found.outcomes["aborted"].count <= most
    assert bool(late_guards(plan)) == (most == 0)


def test_a_person_takes_as_long_as_it_takes(recommender, limit, comparisons):
    short = weight_step(5, 10.0)
    waits = [short, approval(), short]
    for guard in (limit, comparisons["ctr"]):
        (found,) = first_verdicts(guarded(with_steps(recommender, waits), guard))
        assert found.in_time
        assert found.promoted_s is None
        (found,) = first_verdicts(
            guarded(with_steps(recommender, waits[1:]), guard)
        )  # before anything is measured
        assert not found.in_time
        assert found.promoted_s == 10.0


def test_proof_of_a_parity_ends_every_step(recommender, parity):
    steps = [weight_step(5, 10.0), weight_step(50, 10.0)]
    proven = replace(parity, no_data="pause")
    (found,) = first_verdicts(guarded(with_steps(recommender, steps), proven))
    assert (found.at_s, found.promoted_s, found.in_time) == (10.0, 20.0, True)
    (found,) = first_verdicts(guarded(with_steps(recommender, steps), parity))
    assert (found.at_s, found.promoted_s, found.in_time) == (30.0, 20.0, False)


def test_latencies_are_compared_in_steps_with_equal_loads_only(recommender, comparisons):
    slow = comparisons["slow-rate"]
    assert isinstance(slow, Comparison)
    loads = {weight: recommender.step_load(weight).comparable for weight in (5, 50)}
    assert loads == {5: False, 50: True}
    for steps, at in (
        ([weight_step(5, 3600.0), weight_step(50, 60.0)], 3720.0),  # the first stratum at 50% ends after 75 s
        ([weight_step(5, 3600.0)], None),
    ):
        (found,) = first_verdicts(guarded(with_steps(recommender, steps), slow))
        assert found.at_s == at
        assert not found.in_time


def test_words(recommender, limit):
    (late,) = late_guards(guarded(with_steps(recommender, [weight_step(50, 65.0)]), limit))
    assert late.text == "cannot fail before promotion: first verdict at 6m 30s, promoted at 1m 5s"
    (never,) = late_guards(guarded(with_steps(recommender, [approval()]), limit))
    assert never.text == "cannot fail before promotion: no step gives it evidence"


def test_a_switch_is_watched_until_the_guards_have_decided(recommender, limit):
    plan = blue_green(recommender, [limit], watch=1.0)
    assert late_guards(plan) == ()
    assert ends(plan)[0] == "aborted"


@pytest.mark.parametrize("hold", [1.0, 60.0, 3600.0])
def test_a_shadow_lasts_until_its_guards_have_decided(recommender, parity, hold):
    plan = replace(recommender, shadow_guards=(parity,))
    during, _ = shadow_metrics(plan, Shadow.model_construct(percent=1.0, hold=hold, guards=[]), "shadow")
    assert [metric.measurements > metric.failure_limit for metric in during] == [True]
