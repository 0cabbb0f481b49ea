"""A step with a cohort has its own row of the odds: what it sees, what it needs, and how often a good release waits."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from generator.odds.odds import cohort_odds
from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.plan.values import Plan
from generator.report.sections.odds import odds
from generator.report.tables import Table
from generator.spec.rollout import Cohort, CohortStep
from tests.unit.plan.rollouts import with_steps

CHECKOUT = Path(__file__).resolve().parents[3]
STAFF = Cohort(header="x-cohort", exact="staff")


def with_cohort(plan: Plan, share: float, requests: int, at: int = 0) -> Plan:
    steps = list(plan.rollout.steps)
    steps.insert(at, CohortStep(cohort=STAFF, hold="30m", requests=requests))
    return replace(with_steps(plan, steps), cohort_shares=(share,))


def poisson_below(mean: float, bound: int) -> float:
    terms = (math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(bound))
    return math.fsum(terms)


@pytest.mark.parametrize("needed", [85, 100, 115])
def test_a_cohort_alone_waits_as_often_as_poisson_says(recommender: Plan, needed: int) -> None:
    share = 100 / ((recommender.min_rps or 0.0) * 1800)
    plan = replace(with_cohort(recommender, share, needed), design_effect=1.0)
    (row,) = cohort_odds(plan)
    assert row.requests == pytest.approx(100)
    assert row.false_pause == pytest.approx(poisson_below(100, needed), abs=0.03)


def test_next_to_a_weight_the_noise_of_the_split_costs_requests(recommender: Plan) -> None:
    alone, mixed = (cohort_odds(with_cohort(recommender, 0.005, 1500, at))[0] for at in (0, 1))
    assert alone.requests == mixed.requests
    assert (mixed.false_pause or 0) > (alone.false_pause or 0)


def test_nothing_is_made_up_for_a_cohort_that_is_not_listed(recommender: Plan) -> None:
    (row,) = cohort_odds(with_cohort(recommender, 1.0, 100))
    assert (row.share, row.requests, row.false_pause) == (None, None, None)
    (row,) = cohort_odds(replace(with_cohort(recommender, 0.01, 100), min_rps=None))
    assert (row.share, row.requests, row.false_pause) == (0.01, None, None)
    assert cohort_odds(recommender) == ()


def test_the_row_is_in_the_plan_and_its_document() -> None:
    repository = Repository(CHECKOUT)
    planned = resolve(repository, repository.entry("shop", "recommender"), no_digest).plans[-1]
    section = odds(replace(planned, plan=with_cohort(planned.plan, 0.005, 100)))
    table = next(block for block in section.body if isinstance(block, Table) and block.rows[0][0] == "cohort")
    assert table.rows[1] == ("step 1: x-cohort", "0.5%", "1,800", "100", "under 0.1%")
    assert section.data["cohorts"][0]["needed"] == 100
