"""The steps of a canary with cohorts."""

from __future__ import annotations

import pytest
import yaml

from generator.plan.timeline import timeline
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from tests.system.repositories import MODEL, resolve_one, small

COHORT, FIVE, HALF = (
    "{cohort: {header: x-a, exact: b}, hold: 5m}",
    "{weight: 5%, hold: 9m}",
    "{weight: 50%, hold: 9m}",
)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([COHORT, FIVE], [{"replicas": 1}, {"matchTrafficWeight": True}]),
        ([COHORT, COHORT, FIVE, HALF], [{"replicas": 1}, {"matchTrafficWeight": True}]),
        ([FIVE, COHORT, HALF], []),
        ([COHORT, FIVE, COHORT, HALF, COHORT], [{"replicas": 1}, {"matchTrafficWeight": True}]),
    ],
)
def test_a_cohort_never_squeezes_the_share_of_the_others_into_one_pod(steps, expected, tmp_path):
    old = "[{weight: 5%, hold: 10m}]"
    assert old in MODEL
    small(tmp_path, MODEL.replace(old, f"[{', '.join(steps)}]"))
    (planned,) = resolve_one(tmp_path).plans
    canary = yaml.safe_load(render_bundle(planned.plan, Templates(None), {})["rollout-main.yaml"])["spec"][
        "strategy"
    ]
    assert [
        step["setCanaryScale"] for step in canary["canary"]["steps"] if "setCanaryScale" in step
    ] == expected
    told = [event.text for event in timeline(planned.plan).events if event.kind == "cohort"]
    live = [
        index > 0 and any("weight" in step for step in steps[:index])
        for index, step in enumerate(steps)
        if step == COHORT
    ]
    assert ["in addition to" in text for text in told] == live
    assert [text.endswith("one pod of the new version; no other requests do") for text in told] == [
        not each for each in live
    ]
