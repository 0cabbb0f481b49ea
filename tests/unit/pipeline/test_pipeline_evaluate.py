"""Models are evaluated without keeping what that takes, and what changes in between is not rendered."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import pytest

from generator.pipeline.evaluate import evaluate_models, pack, unpack
from generator.pipeline.render import RenderPlan, plan_render
from generator.pipeline.session import Session
from generator.pipeline.stale import RenderRequest
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.source.errors import UserError
from tests.system.repositories import CHECKOUT, TODAY, small


def planned(root: Path) -> RenderPlan:
    return plan_render(Session(root, TODAY), RenderRequest(root / "rendered"))


def test_no_plan_outlives_its_evaluation(tmp_path):
    small(tmp_path)

    def living() -> int:
        gc.collect()
        return sum(isinstance(value, (Plan, Planned)) for value in gc.get_objects())

    before, made = living(), planned(tmp_path)
    assert len(made.models) == 1
    assert living() == before


def test_packed_plans_are_the_same_plans():
    session = Session(CHECKOUT, TODAY)
    evaluations, _ = evaluate_models(session, session.entries, "")
    assert evaluations
    for one in evaluations:
        plans = {p.plan.identity.environment: p.plan for p in session.resolve(one.entry).plans}
        assert repr(unpack(one.packed)) == repr(unpack(pack(plans))) == repr(plans)


def test_what_is_rendered_from_packed_plans_is_what_is_rendered_from_new_ones(tmp_path):
    small(tmp_path)
    made = planned(tmp_path)
    assert all(job.packed for job in made.models)
    again = replace(made, models=tuple(replace(job, packed=b"") for job in made.models))
    assert list(again.bundles()) == list(made.bundles())


@pytest.mark.parametrize("suffix", [".yaml", ".lock.yaml", ".evidence.json"])
def test_what_changed_since_it_was_evaluated_is_not_rendered(tmp_path, suffix):
    small(tmp_path)
    made = planned(tmp_path)
    (job,) = made.models
    file = job.entry.spec.with_name(job.entry.model + suffix)
    file.write_bytes((file.read_bytes() if file.exists() else b"") + b"\n")
    with pytest.raises(UserError, match="changed during rendering; run the command again"):
        list(made.bundles())
