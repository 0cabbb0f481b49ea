"""Releases walked through with answers made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from generator.odds.replay.walk import Schedule, Stage, walk
from generator.promql.conditions import threshold
from tests.unit.odds.replay.replay_cases import EVIDENCE, HARM, metric

FOREVER = math.inf


def query_results(**by_name):
    """Answers by metric: a function of time, `<guard>_evidence` for the runs at the end of steps."""

    def answer(metric, at_s):
        name = f"{metric.name}_evidence" if metric.kind == "evidence" else metric.name
        return by_name.get(name, lambda _: [1000.0] if metric.kind == "evidence" else [0.0])(at_s)

    return answer


def test_a_good_release_is_promoted_and_looked_at_every_minute(two_steps):
    story = walk(two_steps(), query_results(), FOREVER)
    assert (story.outcome, story.at_s, story.guard) == ("promoted", 480.0, "")
    assert [(held.weight, held.start_s, held.end_s) for held in story.held] == [(5, 0, 300), (50, 300, 480)]
    background = [look.at_s for look in story.measurements if look.kind == "sequential"]
    assert background == [60.0 * k for k in range(9)]
    assert [look.at_s for look in story.measurements if look.kind == "evidence"] == [300.0, 480.0]


def test_the_first_look_at_the_boundary_aborts(two_steps):
    story = walk(two_steps(), query_results(ctr=lambda at: [at / 60]), FOREVER)
    assert (story.outcome, story.at_s, story.guard) == ("aborted", 240.0, "ctr")
    assert story.reason == "failed (1) > failureLimit (0)"
    assert story.held[-1].end_s == 240.0


def test_no_data_passes_the_background_and_pauses_at_the_evidence(two_steps):
    nothing = query_results(ctr=lambda _: [], ctr_evidence=lambda _: [])
    story = walk(two_steps(), nothing, FOREVER)
    assert (story.outcome, story.at_s) == ("paused", 540.0)
    assert [look.at_s for look in story.measurements if look.kind == "evidence"] == [
        300.0 + 60 * k for k in range(5)
    ]


def test_no_data_aborts_where_the_policy_says_fail(two_steps):
    strict = metric(
        "ctr",
        "evidence",
        threshold(">=", 100, "fail"),
        count=5,
        failure_limit=4,
        inconclusive_limit=4,
        error_limit=30,
        success_limit=1,
    )
    story = walk(two_steps(evidence=(strict,)), query_results(ctr_evidence=lambda _: []), FOREVER)
    assert (story.outcome, story.at_s) == ("aborted", 540.0)


def test_late_data_delays_the_widening(two_steps):
    late = query_results(ctr_evidence=lambda at: [1000.0] if at >= 420 else [7.0])
    story = walk(two_steps(), late, FOREVER)
    assert (story.outcome, story.at_s) == ("promoted", 600.0)
    assert [held.start_s for held in story.held] == [0.0, 420.0]


def test_the_background_goes_on_while_evidence_is_waited_for(two_steps):
    story = walk(two_steps(), query_results(ctr_evidence=lambda _: [], ctr=lambda at: [at / 90]), FOREVER)
    assert (story.outcome, story.at_s, story.guard) == ("aborted", 360.0, "ctr")


def test_failed_outranks_inconclusive_of_the_same_pass(two_steps):
    other = replace(HARM, name="errors", guard="errors")
    both = query_results(ctr=lambda _: [math.nan], errors=lambda _: [9.0])
    story = walk(two_steps(HARM, other), both, FOREVER)
    assert (story.outcome, story.guard) == ("aborted", "errors")


@pytest.mark.parametrize(("until", "at"), [(0.0, 0.0), (200.0, 200.0), (300.0, 300.0), (479.0, 479.0)])
def test_where_the_data_ends_nothing_is_decided(two_steps, until, at):
    story = walk(two_steps(), query_results(), until)
    assert (story.outcome, story.at_s) == ("undecided", at)
    assert all(look.at_s <= until for look in story.measurements)


def test_a_watch_after_a_switch_must_complete():
    limit = metric("errors", "limit", threshold("<=", 0.5, "pause"), 330, count=4, failure_limit=1)
    schedule = Schedule((limit,), (Stage(0, 100, 0.0, ()),), completes=True)
    story = walk(schedule, query_results(errors=lambda _: [0.1]), FOREVER)
    assert (story.outcome, story.at_s) == ("promoted", 510.0)
    assert walk(schedule, query_results(errors=lambda _: [0.9]), FOREVER).at_s == 390.0


def test_a_schedule_knows_how_long_it_can_last(two_steps):
    assert two_steps().held_s == 480.0
    assert two_steps().longest_s == 480.0 + 2 * 4 * 60
    assert two_steps().only(lambda metric: metric is not EVIDENCE).longest_s == 480.0
