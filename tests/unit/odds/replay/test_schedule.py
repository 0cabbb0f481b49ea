"""The schedule of a plan says what its rendered metrics say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.odds.replay.counters import ArmCounters, Counter, Pair, Recording, query_results
from generator.odds.replay.walk import walk
from generator.promql.bounds import CanaryRequests
from generator.promql.event_share import EventShare
from generator.promql.split import Split
from generator.promql.text import duration, number
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from generator.report.replays.schedule import schedule_of
from tests.unit.plan.rollouts import approval, as_limit, blue_green, with_steps

FIELDS = {
    "failureLimit": "failure_limit",
    "inconclusiveLimit": "inconclusive_limit",
    "consecutiveErrorLimit": "error_limit",
    "consecutiveSuccessLimit": "success_limit",
}


@pytest.fixture(scope="session")
def rendered(recommender):
    """Metrics of the rendered templates by (template, name)."""
    files = render_bundle(recommender, Templates(None), {})
    templates = [yaml.safe_load(text) for name, text in files.items() if name.startswith("analysistemplate")]
    return {
        (template["metadata"]["name"].removeprefix("recommender-"), metric["name"]): metric
        for template in templates
        for metric in template["spec"]["metrics"]
    }


def assert_same(watched, metric):
    assert watched.query.split() == metric["provider"]["prometheus"]["query"].split()
    assert watched.condition.success == metric.get("successCondition")
    assert watched.condition.failure == metric.get("failureCondition")
    assert f"{watched.interval_s:g}s" == metric["interval"].replace("1m0s", "60s").replace("1m", "60s")
    assert watched.measurements == metric.get("count")
    for field, name in FIELDS.items():
        assert getattr(watched, name) == metric.get(field, 0)


def test_every_rendered_metric_is_walked_through_as_it_is_rendered(recommender, rendered):
    schedule = schedule_of(recommender)
    for watched in schedule.background:
        assert_same(watched, rendered["guards", watched.name])
    for stage in schedule.stages:
        for watched in stage.evidence:
            assert_same(watched, rendered[f"evidence-{stage.step}", watched.name])
    walked = len(schedule.background) + sum(len(stage.evidence) for stage in schedule.stages)
    assert walked == len(rendered)


def test_measures_hold_the_numbers_of_their_queries(recommender):
    schedule = schedule_of(recommender)
    for watched in schedule.background:
        assert isinstance(watched.statistic, EventShare)
        assert (
            f"[{duration(watched.statistic.horizon_s)}:{duration(watched.statistic.step_s)}]" in watched.query
        )
        assert f">= {number(watched.bound)}" in watched.condition.failure
    evidence = [one for stage in schedule.stages for one in stage.evidence]
    for watched in evidence:
        if isinstance(watched.statistic, Split):
            assert watched.query.count(f"[{duration(watched.statistic.window_s)}]") == 5
            assert f">= {watched.statistic.floor})" in watched.query
            continue
        assert isinstance(watched.statistic, CanaryRequests)
        assert f"[{duration(watched.statistic.horizon_s)}]" in watched.query
        assert f">= {number(watched.statistic.least_events)})" in watched.query


@given(st.floats(0.5, 5000), st.floats(0.001, 0.9))
def test_the_floor_on_stable_events_is_the_rendered_one(recommender, rps, baseline):
    guards = tuple(replace(guard, baseline=baseline) for guard in recommender.guards)
    plan = replace(recommender, min_rps=rps, guards=guards)
    for watched in (one for stage in schedule_of(plan).stages for one in stage.evidence):
        if isinstance(watched.statistic, CanaryRequests):
            assert f">= {number(watched.statistic.least_events)})" in watched.query


LONG = 1_000_000.0


def recorded(reports: float) -> Recording:
    """Steady traffic in both arms for three hours; the stable version has outcomes, the canary has these."""
    times = range(0, 3 * 3_600_000, 15_000)

    def side(requests: float, events: float) -> ArmCounters:
        counters = (Counter(times, [each * i for i in range(len(times))]) for each in (requests, events))
        return ArmCounters(*counters)

    return Recording({"ctr": Pair(side(750, reports), side(2250, 90))})


@pytest.mark.parametrize(("reports", "ended"), [(30, "promoted"), (0, "paused")])
@pytest.mark.parametrize("limit", [False, True])
def test_without_reports_an_outcome_that_should_be_rare_pauses(recommender, reports, ended, limit):
    """Complaints: fewer are better, and none at all means that no report arrives."""
    rare = replace(recommender.guards[0], more_is_worse=True, ratio=1.5, mask_s=0.0)
    assert rare.reported
    plan = replace(recommender, guards=(as_limit(rare, 0.06) if limit else rare,))
    schedule = schedule_of(plan).only(lambda metric: metric.guard == "ctr")
    course = walk(schedule, query_results(recorded(reports), 0.0), LONG)
    assert (course.outcome, course.guard) == (ended, "ctr" if ended == "paused" else "")


def test_without_reports_a_switch_is_not_over(recommender):
    rare = replace(recommender.guards[0], more_is_worse=True, ratio=1.5, mask_s=0.0)
    schedule = schedule_of(blue_green(recommender, [as_limit(rare, 0.06)]))
    assert walk(schedule, query_results(recorded(0), 0.0), LONG).outcome == "paused"
    assert walk(schedule, query_results(recorded(30), 0.0), LONG).outcome == "promoted"


def test_approvals_take_no_time_and_cohorts_keep_the_weight(recommender):
    first, *rest = recommender.rollout.steps
    schedule = schedule_of(with_steps(recommender, [first, approval(), *rest]))
    assert [(stage.step, stage.weight) for stage in schedule.stages] == [(0, 5), (2, 25), (3, 50)]
    assert all(a.weight < b.weight for a, b in pairwise(schedule.stages))


def test_a_switch_is_watched_by_its_limits(recommender):
    schedule = schedule_of(blue_green(recommender, [as_limit(recommender.guards[1], 0.02)]))
    assert [watched.kind for watched in schedule.background] == ["limit"]
    assert [(stage.weight, stage.hold_s) for stage in schedule.stages] == [(100, 0.0)]
    assert schedule.completes
