"""The steps of a canary with cohorts."""

from __future__ import annotations

import re

import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.plan.timeline import timeline
from generator.render.argocd import ignored
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
    plan, files = _rendered(tmp_path, steps)
    canary = yaml.safe_load(files["rollout-main.yaml"])["spec"]["strategy"]
    assert [
        step["setCanaryScale"] for step in canary["canary"]["steps"] if "setCanaryScale" in step
    ] == expected
    told = [event.text for event in timeline(plan).events if event.kind == "cohort"]
    live = [
        index > 0 and any("weight" in step for step in steps[:index])
        for index, step in enumerate(steps)
        if step == COHORT
    ]
    assert ["in addition to" in text for text in told] == live
    assert ["one pod of the new version; no other requests do" in text for text in told] == [
        not each for each in live
    ]


def test_the_route_of_a_cohort_is_written_again_and_its_requests_are_counted_before_the_next_step(tmp_path):
    """The controller writes the route once, in its step; a sync or a lost pod removes it for the rest of the hold."""
    plan, files = _rendered(tmp_path, [COHORT, FIVE, COHORT.replace("5m", "3m"), HALF])
    steps = yaml.safe_load(files["rollout-main.yaml"])["spec"]["strategy"]["canary"]["steps"]
    told = [
        key if key != "setHeaderRoute" or "match" in body else "removed" for key, body in map(_only, steps)
    ]
    first = ["setCanaryScale", *["setHeaderRoute", "pause"] * 5, "analysis", "removed"]
    weight = ["setWeight", "pause", "analysis"]
    second = [*["setHeaderRoute", "pause"] * 3, "analysis", "removed"]
    assert told == [*first, "setCanaryScale", *weight, *second, *weight]
    checks = [body["templates"][0]["templateName"] for key, body in map(_only, steps) if key == "analysis"]
    assert checks == [f"ranker-evidence-{step}" for step in range(4)]
    for check, stable in zip(checks[::2], (False, True), strict=True):
        (metric,) = yaml.safe_load(files[f"analysistemplate-{check.removeprefix('ranker-')}.yaml"])["spec"][
            "metrics"
        ]
        assert (metric["name"], metric["failureCondition"]) == ("cohort-requests", "false")
        assert metric["successCondition"].endswith("result[0] >= 100")
        query = metric["provider"]["prometheus"]["query"]
        assert ("stable-hash" in query) is stable  # with a weight, the canary answers others too
    texts = [event.text for event in timeline(plan).events if event.kind == "evidence"]
    assert len(texts) == 4
    assert all("without 100 requests of the cohort" in text for text in texts[::2])


def test_the_plan_says_what_a_cohort_waits_for(tmp_path):
    _rendered(tmp_path, [COHORT, FIVE, HALF])
    done = CliRunner().invoke(cli, ["plan", "shop/ranker", "--root", str(tmp_path)])
    text = " ".join(done.output.split())
    assert "no other requests do; their route is written again every 1m" in text
    assert "after the cohort: evidence check: without 100 requests of the cohort" in text
    assert "after each step: split check" in text or "after each step: evidence check" in text


def test_argo_cd_ignores_every_rule_of_a_cohort_and_no_other(tmp_path):
    """Plugin 0.15 names them `cohort`, `cohort-1` …; one that Argo CD sees is removed by its next self-heal."""
    plan, _ = _rendered(tmp_path, [COHORT, FIVE])
    ((_, of_rules),) = [item["expressions"] for item in ignored(plan)]
    wanted = re.search(r'test\("(.*)"\)', of_rules)
    assert wanted
    assert of_rules.startswith('.spec.rules[] | select((.name // "") | ')
    names = [
        "cohort",
        "cohort-1",
        "cohort-12",
        "",
        "cohorts",
        "cohort-",
        "cohort-a",
        "my-cohort",
        "cohort-1-2",
    ]
    assert [name for name in names if re.search(wanted[1], name)] == ["cohort", "cohort-1", "cohort-12"]


@pytest.mark.parametrize(
    ("hold", "cohorts", "parts"),
    [(600, 1, 10), (420, 1, 7), (61, 1, 1), (30, 1, 1), (7 * 86_400, 1, 10), (600, 10, 4), (600, 30, 1)],
)
def test_a_hold_is_divided_into_equal_parts_of_whole_seconds(hold, cohorts, parts, tmp_path):
    plan, _ = _rendered(tmp_path, [COHORT] * cohorts)
    assert hold / plan.rewritten_s(hold) == parts


def _rendered(root, steps):
    small(root, MODEL.replace("[{weight: 5%, hold: 10m}]", f"[{', '.join(steps)}]"))
    (planned,) = resolve_one(root).plans
    return planned.plan, render_bundle(planned.plan, Templates(None), {})


def _only(step):
    ((key, body),) = step.items()
    return key, body
