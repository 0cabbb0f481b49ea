"""Releases of one recommender, as specs: a good canary, worse ones, and what the guards see of them.

All are canaries of the same stable version, at the same time and in one namespace: the hash alone tells them apart.
Minutes are four seconds long and scrapes one second apart. Clicks are so frequent that a canary is judged within a
minute at some dozens of requests a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.odds.replay.expected import expected
from generator.odds.replay.walk import Schedule
from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.plan.values import Plan
from generator.render.bento import Bentos
from generator.render.bundle import render_outputs
from generator.render.environment import Templates
from generator.render.outputs.analysis import analyses
from generator.report.replays.schedule import schedule_of
from generator.stats.timeline import Detection
from tests.unit.plan.rollouts import with_steps

MINUTE = 4.0
STABLE, STABLE_RPS = "stable-5c68d7f9b", 30.0
CLICKS, MISTAKES, UPLOADS, SLOW_S = 0.7, 0.02, 0.02, 1.5
PACED_EVERY = 4
_LONG_S = 600.0  # odds until a canary is caught, however long that takes

PLATFORM = """
apiVersion: sluice.dev/v1alpha1
kind: Platform
metadata: {name: acme}
spec:
  git: {repo: "https://git.example.com/acme/models.git", revision: main}
  registry: registry.example.com/models
  prometheus: {address: "http://prometheus.monitoring:9090", scrapeInterval: 1s, lookInterval: 4s}
  environments:
    live: {server: "https://kubernetes.default.svc", router: {kind: none}}
  tiers: {standard: {}}
  teams:
    shop: {owners: [shop-ml@example.com], tiers: [standard]}
"""
# minRps is off-peak: far below what is sent, so that a busy machine does not lack evidence.
SPEC = f"""
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {{name: recommender, team: shop, owner: shop-ml@example.com}}
spec:
  tier: standard
  model: {{ref: "mlflow:recommender/12", framework: sklearn}}
  traffic: {{minRps: 10}}
  service:
    threads: 8
    inputs:
      price: {{type: number, minimum: 0}}
      device: {{type: string, values: [ios, android, web]}}
      age: {{type: integer, minimum: 18, maximum: 120}}
      affinity: {{type: number, minimum: -10, maximum: 10}}
  outcomes:
    ctr: {{kind: ratio, event: click, baseline: {CLICKS:.0%}, delay: 2s}}
  rollout:
    strategy: canary
    steps: [{{weight: 25%, hold: 60s}}]
    guards:
      - {{outcome: ctr, detect: {{drop: 20%}}}}
      - {{metric: error-rate, baseline: {MISTAKES:.0%}, detect: {{rise: 100%}}}}
      - {{metric: slow-rate, slowerThan: {1000 * SLOW_S:.0f}ms, baseline: {UPLOADS:.0%}, detect: {{rise: 50%}}}}
    risk: {{falseRollback: 5%, power: 80%}}
"""
LOCK = """
schema: sluice/lock/v1
model:
  ref: "mlflow:recommender/12"
  resolved: "mlflow:recommender/12"
  version: "12"
  digest: "sha256:{digest}"
  at: "2026-11-23T00:00:00Z"
  by: tests
"""


@dataclass(frozen=True)
class Release:
    """One canary next to the stable version.

    Args:
        name: of the release; its hash begins with it.
        rps: requests per second of the canary.
        click_ratio: clicks of the canary over those of stable.
        inputs: columns that its spec declares otherwise.
        model: what its spec says of the model otherwise.
        variables: environment of its process.
    """

    name: str
    rps: float = 10.0
    click_ratio: float = 1.0
    inputs: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """The pod-template hash of the canary."""
        return f"{self.name}-7d9f8c6b5"

    @property
    def spec(self) -> dict[str, Any]:
        """The spec of this release."""
        document: dict[str, Any] = yaml.safe_load(SPEC)
        weight = round(100 * self.rps / (self.rps + STABLE_RPS)) or 25
        document["spec"]["rollout"]["steps"][0]["weight"] = f"{weight}%"
        document["spec"]["model"].update(self.model)
        document["spec"]["service"]["inputs"].update(self.inputs)
        return document


RELEASES = {
    release.name: release
    for release in (
        Release("good"),
        Release("half", click_ratio=0.5),
        Release("fifth", rps=20.0, click_ratio=0.8),
        Release("silent", rps=0.0),
        # The new version wants the age in months; its clients still say years.
        Release("broken", rps=2.0, inputs={"age": {"type": "integer", "minimum": 216, "maximum": 1440}}),
        Release(
            "slow",
            model={"framework": "custom", "load": "paced:Paced"},
            variables={"PACED_EVERY": str(PACED_EVERY), "PACED_S": "2.0"},
        ),
    )
}  # fmt: skip


def plan_of(release: Release, folder: Path, digest: str = "0" * 64) -> Plan:
    """Resolve the spec of a release in a separate repository."""
    texts = {
        "platform.yaml": PLATFORM,
        "shop/recommender.yaml": yaml.safe_dump(release.spec),
        "shop/recommender.lock.yaml": LOCK.format(digest=digest),
    }
    for name, text in texts.items():
        path = folder / "specs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    repository = Repository(folder)
    found = resolve(repository, repository.entries[0], Bentos(Templates(None)).digest)
    assert [*repository.findings, *found.findings] == []
    return found.plans[0].plan


def held(plan: Plan, hold_s: float) -> Plan:
    """The same plan with another hold: the one that the traffic really took."""
    (step,) = plan.rollout.steps
    return with_steps(plan, [step.model_copy(update={"hold": hold_s})])


def rendered(plan: Plan) -> dict[str, dict[str, Any]]:
    """The metrics of the AnalysisTemplates of a plan, by file and name, as the YAML says them."""
    files = render_outputs(analyses(plan), plan, Templates(None))
    return {
        name: {metric["name"]: metric for metric in yaml.safe_load(text)["spec"]["metrics"]}
        for name, text in files.items()
    }


def schedule(plan: Plan) -> Schedule:
    """What is looked at, when."""
    return schedule_of(plan)


def odds(plan: Plan, guard: str, ratio: float, rps: float) -> Detection:
    """When a guard fires at this rate of requests, by the closed forms, in the same short minutes.

    No latency of controller and router is counted: what is compared is the look, not the rollback.
    """
    chosen = next(one for one in plan.guards if one.name == guard)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("generator.odds.odds", "generator.odds.replay.expected"):
            patch.setattr(f"{module}.LATENCY_S", 0.0)
        found = expected(replace(held(plan, _LONG_S), min_rps=rps), [chosen], {guard: ratio})
    assert found is not None
    return found.by_guard[guard]
