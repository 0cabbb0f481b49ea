"""Which steps have a check of the split, and why others have none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.odds.odds import split_odds
from generator.plan.split import split_check, split_checks
from generator.report.sections.odds import split_gaps
from tests.prometheus.test_prometheus_replay import recommender
from tests.unit.plan.rollouts import approval, blue_green, weight_step, with_steps


@pytest.fixture(scope="module")
def plan():
    return recommender()


def test_every_weight_below_all_has_a_check_of_the_hold_without_the_first_scrapes(plan):
    steps = [weight_step(5, 3600), approval(), weight_step(75, 1200), weight_step(100, 600)]
    checks = split_checks(with_steps(plan, steps))
    assert [(c.position, c.weight, c.window_s, c.of_canary) for c in checks] == [
        (0, 5, 3570, True),
        (2, 75, 1170, False),
    ]
    assert [c.test.share for c in checks] == [0.05, 0.25]
    assert sum(c.test.alpha for c in checks) == pytest.approx(0.01)
    assert split_check(with_steps(plan, steps), 3) is None


def test_without_a_router_that_splits_requests_plan_says_so(plan):
    bare = replace(plan, routing=replace(plan.routing, kind="none"))
    assert split_checks(bare) == ()
    assert list(split_gaps(bare)) == [
        "split: not checked; the numbers of pods decide what share of the requests each version gets"
    ]
    assert list(split_gaps(blue_green(plan, ()))) == []


@pytest.mark.parametrize(
    ("steps", "rps", "no_data", "reason"),
    [
        ([weight_step(5, 60)], 200.0, "pause", "the step is too short"),
        ([weight_step(5, 600)], 1.0, "pause", "570 requests can't show that a version gets none"),
        ([weight_step(5, 600)], None, "pass", "no traffic is declared, and missing data passes"),
        ([weight_step(5, 600)], None, "pause", ""),
        ([weight_step(5, 600)], 200.0, "pass", ""),
    ],
)
def test_a_check_that_could_never_succeed_is_left_out_and_plan_says_why(plan, steps, rps, no_data, reason):
    changed = replace(with_steps(plan, steps), min_rps=rps)
    changed = replace(changed, rollout=changed.rollout.model_copy(update={"no_data": no_data}))
    [row] = split_odds(changed)
    assert row.check.skipped.startswith(reason)
    assert bool(row.check.skipped) == bool(reason)
    assert (split_check(changed, 0) is None) == bool(reason)
    assert len(list(split_gaps(changed))) == bool(reason)
    assert row.false_pause <= row.check.test.alpha
