"""`sluice plan` shows what an abort does and what is not covered."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.pipeline.session import open_session
from generator.plan.coverage import gaps
from generator.plan.timeline import KEEP_ABORTED_S, on_abort
from tests.unit.cli.edits import git
from tests.unit.cli.planned import change, objects, plans

ROUTERS = ("gateway-api", "istio", "traefik", "none")


@pytest.mark.parametrize("router", ROUTERS)
def test_an_abort_is_told_for_every_router(repository, router):
    platform = repository / "specs" / "platform.yaml"
    platform.write_text(platform.read_text().replace("kind: gateway-api", f"kind: {router}"))
    session = open_session(None)
    plan = next(p for p in plans(session) if p.identity.model == "recommender")
    (live, always) = on_abort(plan)
    assert "Degraded" in always.effects[0]
    rendered = objects(session, plan)
    kinds = {body["kind"] for body in rendered.values()}
    moved = [
        kind
        for kind in ("HTTPRoute", "VirtualService", "TraefikService")
        if any(kind in e for e in live.effects)
    ]
    assert [kind for kind in moved if kind in kinds] == moved
    assert bool(moved) is (router != "none")
    canary = rendered["rollout-main.yaml"]["spec"]["strategy"]["canary"]
    assert canary.get("abortScaleDownDelaySeconds") == (None if router == "none" else KEEP_ABORTED_S)
    assert any("60s" in effect for effect in live.effects) is (router != "none")


def topics(root: Path, model: str) -> set[str]:
    session = open_session(root)
    return {gap.topic for plan in plans(session) if plan.identity.model == model for gap in gaps(plan)}


@pytest.mark.parametrize("options", [(), ("--against", "HEAD"), ("--against", "HEAD", "--format", "json")])
def test_all_models_end_with_1_where_one_can_not_be_planned(committed, sluice, options):
    assert sluice("plan", "--all", *options).exit_code == 0
    change(committed, "shop/recommender", "strategy: canary", "strategy: carany")
    broken = sluice("plan", "--all", *options)
    assert broken.exit_code == 1
    assert "can't be planned" in broken.stdout
    assert sluice("plan", "--all", "--against", "HEAD", "--format", "markdown").exit_code == 0
    git(committed, "commit", "-qam", "broken")
    git(committed, "checkout", "-q", "HEAD~1", "--", "specs")
    assert sluice("plan", "--all", *options).exit_code == 0


def test_gaps_follow_the_spec(repository):
    fraud = topics(repository, "fraud")
    assert fraud >= {"waived-gate", "first-release", "shadow"}
    assert "no-guards" not in fraud
    change(repository, "risk/fraud", "strategy: canary", "strategy: canary\n    guards: []")
    assert topics(repository, "fraud") - fraud >= {"no-guards"}
    assert topics(repository, "ticket-classifier") >= {"no-live-look", "no-guards"}
    before = topics(repository, "recommender")
    assert not before & {"no-traffic", "no-guards", "no-gates", "no-baseline", "cohort"}
    change(repository, "shop/recommender", "traffic: {minRps: 200}", "traffic: {}")
    change(
        repository,
        "shop/recommender",
        "{metric: error-rate, baseline: 0.5%,",
        "{metric: error-rate, noData: pass,",
    )
    change(
        repository,
        "shop/recommender",
        "steps: [",
        "steps: [{cohort: {header: x-beta, exact: 'yes'}, hold: 5m}, ",
    )
    assert topics(repository, "recommender") - before == {
        "no-traffic", "no-baseline", "no-data", "cohort", "cohort-route",
    }  # fmt: skip


def test_after_the_release_alerts_and_a_daily_watch_look_on(repository):
    assert not topics(repository, "fraud") & {"after", "not-again"}
    change(repository, "platform", '  gates: {daily: "04:30"}\n', "")
    assert topics(repository, "fraud") & {"after", "not-again"} == {"not-again"}
    text = (repository / "specs" / "platform.yaml").read_text()
    alerts = next(line for line in text.splitlines() if line.strip().startswith("alerts:"))
    change(repository, "platform", f"{alerts}\n", "")
    assert topics(repository, "fraud") >= {"after", "not-again"}
    assert "not-again" not in topics(repository, "recommender")  # it has nothing to judge again


def test_an_environment_that_requires_another_says_what_does_not_wait(repository):
    assert "order" not in topics(repository, "fraud")
    change(repository, "platform", "      # requires: {", "      requires: {")
    assert "order" in topics(repository, "fraud")


def test_a_plan_says_that_the_retention_of_prometheus_is_not_known(repository):
    assert "retention" not in topics(repository, "fraud")
    change(repository, "platform", "    retention: 31d\n", "")
    assert "retention" in topics(repository, "fraud")
