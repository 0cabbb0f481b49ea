"""A canary as a Spinnaker pipeline: weights, Kayenta, judgements by hand, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from generator.plan.names import Names
from generator.plan.timeline import approver
from generator.plan.values import Plan
from generator.render.environment import Templates
from generator.render.spinnaker import manifests
from generator.render.spinnaker.kayenta import application, config_name, sample_s
from generator.spec.rollout import ApproveStep, Canary, WeightStep

Stage = dict[str, Any]
# Every metric is critical: one that fails makes the score 0. Any other score is a pass.
_PASS = 100


@dataclass
class _Line:
    """Stages one after another, with branches off them.

    Args:
        account: Spinnaker's Kubernetes account.
        stages: all stages so far.
        last: reference of the stage that the next one waits for; empty at the start.
    """

    account: str
    stages: list[Stage] = field(default_factory=list)
    last: str = ""

    def add(self, stage: Stage, *, after: str | None = None) -> str:
        """Append a stage; a branch does not become what the next one waits for."""
        reference = str(len(self.stages) + 1)
        waits = self.last if after is None else after
        self.stages.append({**stage, "refId": reference, "requisiteStageRefIds": [waits] if waits else []})
        if after is None:
            self.last = reference
        return reference

    def deploy(self, name: str, objects: list[Any], *, after: str | None = None, **more: Any) -> str:
        """A stage that applies objects and waits until they are stable."""
        kubernetes = {"account": self.account, "cloudProvider": "kubernetes", "source": "text"}
        own = {"type": "deployManifest", "name": name, "manifests": objects, "skipExpressionEvaluation": True}
        return self.add({**own, **kubernetes, "moniker": {"app": ""}, **more}, after=after)


def pipeline(plan: Plan, rollout: Canary, templates: Templates, account: str, metrics: str) -> dict[str, Any]:
    """The pipeline of one canary.

    Args:
        plan: the plan, one that can be said in Spinnaker.
        rollout: its rollout.
        templates: what objects are rendered with.
        account: Spinnaker's Kubernetes account.
        metrics: Kayenta's account of Prometheus.
    """
    line = _Line(account)
    model = plan.identity.model
    line.deploy("Prepare", [*manifests.shared(plan, templates)])
    line.deploy("Deploy canary", [manifests.deployment(plan, manifests.CANARY, templates)])
    for index, step in enumerate(rollout.steps):
        match step:
            case ApproveStep():
                line.add(_approval(f"Approval {index + 1}", approver(step.approve)))
            case WeightStep():
                _weight(line, plan, index, step.weight, step.hold, templates, metrics)
    line.deploy("Promote", [manifests.deployment(plan, manifests.STABLE, templates)])
    line.deploy("All traffic to stable", manifests.route(plan, 0, templates))
    line.add(
        {
            "type": "deleteManifest",
            "name": "Remove canary",
            "account": account,
            "cloudProvider": "kubernetes",
            "location": plan.identity.namespace,
            "manifestName": f"deployment {Names(model).canary}",
            "mode": "static",
            "options": {"cascading": True},
        }
    )
    for stage in line.stages:
        if "moniker" in stage:
            stage["moniker"] = {"app": application(plan)}
    return {
        "schema": "1",
        "application": application(plan),
        "name": f"Release {model} to {plan.identity.environment}",
        "description": f"{plan.version.resolved}, rendered by Sluice: edit the spec, not this pipeline",
        "keepWaitingPipelines": False,
        "limitConcurrent": True,
        "spelEvaluator": "v4",
        "parameterConfig": [],
        "triggers": [],
        "notifications": [],
        "stages": line.stages,
    }


def _weight(
    line: _Line, plan: Plan, index: int, weight: int, hold_s: float, templates: Templates, metrics: str
) -> None:
    """A weight, its analysis, and what each verdict leads to."""
    step = f"{index + 1}: {weight} %"
    line.deploy(f"Weight {step}", manifests.route(plan, weight, templates))
    name = f"Canary {step}"
    judged = line.add(_analysis(plan, name, hold_s, metrics))
    status = f"#stage('{name}')['status'].toString()"
    line.deploy(
        f"Take back {step}",
        manifests.route(plan, 0, templates),
        after=judged,
        stageEnabled={"type": "expression", "expression": f"${{{status} != 'SUCCEEDED'}}"},
    )
    line.add(
        {
            "type": "checkPreconditions",
            "name": f"Go on {step}",
            "preconditions": [
                {
                    "type": "expression",
                    "failPipeline": False,
                    "context": {"expression": f"${{{status} == 'SUCCEEDED'}}"},
                }
            ],
            **_HALT_BRANCH,
        }
    )


# The branch ends; the one that takes the weight back runs to its end, and then the pipeline fails.
_HALT_BRANCH = {"failPipeline": False, "continuePipeline": False, "completeOtherBranchesThenFail": True}
# A failed analysis does not end the pipeline: the next stage takes the weight back.
_GO_ON = {"failPipeline": False, "continuePipeline": True, "completeOtherBranchesThenFail": False}


def _analysis(plan: Plan, name: str, hold_s: float, metrics: str) -> Stage:
    minutes = max(1, round(hold_s / 60))
    warm = min(minutes - 1, -(-sample_s(plan) // 60))
    namespace = plan.identity.namespace
    return {
        "type": "kayentaCanary",
        "name": name,
        "analysisType": "realTime",
        "canaryConfig": {
            "canaryConfigId": config_name(plan),
            "metricsAccountName": metrics,
            "lifetimeDuration": f"PT{minutes}M",
            "beginCanaryAnalysisAfterMins": warm,
            "canaryAnalysisIntervalMins": minutes - warm,
            "scopes": [
                {
                    "scopeName": "default",
                    "controlScope": manifests.STABLE,
                    "controlLocation": namespace,
                    "experimentScope": manifests.CANARY,
                    "experimentLocation": namespace,
                    "step": sample_s(plan),
                    "extendedScopeParams": {},
                }
            ],
            "scoreThresholds": {"marginal": _PASS, "pass": _PASS},
        },
        **_GO_ON,
    }


def _approval(name: str, who: str) -> Stage:
    return {
        "type": "manualJudgment",
        "name": name,
        "instructions": f"{who} looks at the analysis so far, and lets the release go on or stops it.",
        "judgmentInputs": [],
        "failPipeline": True,
        "notifications": [],
    }
