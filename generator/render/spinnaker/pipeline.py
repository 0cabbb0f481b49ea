"""A canary as a Spinnaker pipeline: weights, analyses by Kayenta, approvals, and the rollback."""

from __future__ import annotations

import json
from dataclasses import field
from typing import Any, Final

from generator.dataclass import dataclass
from generator.plan.names import Names
from generator.plan.timeline import approver
from generator.plan.values import Plan
from generator.render.environment import Templates
from generator.render.spinnaker import manifests
from generator.render.spinnaker.kayenta import application, canary_config, config_name, sample_s
from generator.render.spinnaker.tables import CANARY_CONFIG, pipeline_problems, problems
from generator.source.errors import InternalError
from generator.spec.rollout import ApproveStep, Canary, WeightStep

Stage = dict[str, Any]
# Every metric is critical: one failure makes the score 0. Any other score is a pass.
_PASS: Final = 100
# This branch ends; the one that rolls back runs to its end, and then the pipeline fails.
_END_BRANCH: Final = {
    "failPipeline": False,
    "continuePipeline": False,
    "completeOtherBranchesThenFail": True,
}
# A failed analysis does not end the pipeline: the next stage rolls back.
_CONTINUE: Final = {
    "failPipeline": False,
    "continuePipeline": True,
    "completeOtherBranchesThenFail": False,
}


@dataclass(frozen=True, slots=True)
class Accounts:
    """The names of accounts in Spinnaker.

    Args:
        kubernetes: its account of the cluster.
        metrics: Kayenta's account of Prometheus.
    """

    kubernetes: str
    metrics: str


def pipeline_files(plan: Plan, templates: Templates, accounts: Accounts) -> dict[str, bytes]:
    """Return the pipeline and the canary configuration of one plan, by file name.

    Args:
        plan: the plan of a canary that a pipeline can express.
        templates: the templates.
        accounts: Spinnaker's accounts.

    Raises:
        InternalError: a file is not valid for Spinnaker or Kayenta.
    """
    config, made = canary_config(plan), pipeline(plan, templates, accounts)
    wrong = [*problems(CANARY_CONFIG, config), *pipeline_problems(made)]
    if wrong:
        raise InternalError(f"not valid for Spinnaker: {'; '.join(wrong[:5])}")
    identity = plan.identity
    name = f"{identity.environment}.{identity.team}.{identity.model}"
    return {f"{name}.pipeline.json": _json(made), f"{name}.canary.json": _json(config)}


def pipeline(plan: Plan, templates: Templates, accounts: Accounts) -> dict[str, Any]:
    """Return the pipeline of one canary; arguments as for `pipeline_files`."""
    if not isinstance(plan.rollout, Canary):
        raise TypeError("only a canary has a pipeline")
    stages = _Stages(plan, templates, accounts)
    stages.deploy("Prepare", [*manifests.shared(plan, templates)])
    stages.deploy("Deploy canary", [manifests.deployment(plan, manifests.CANARY, templates)])
    for number, step in enumerate(plan.rollout.steps, 1):
        match step:
            case ApproveStep():
                stages.approval(number, step)
            case WeightStep():
                stages.weight(number, step)
    stages.deploy("Promote", [manifests.deployment(plan, manifests.STABLE, templates)])
    stages.deploy("All traffic to stable", manifests.route(plan, 0, templates))
    stages.remove_canary()
    return {
        "schema": "1",
        "application": application(plan),
        "name": f"Release {plan.identity.model} to {plan.identity.environment}",
        "description": f"{plan.version.resolved}, rendered by Sluice: edit the spec, not this pipeline",
        "keepWaitingPipelines": False,
        "limitConcurrent": True,
        "spelEvaluator": "v4",
        "parameterConfig": [],
        "triggers": [],
        "notifications": [],
        "stages": stages.found,
    }


@dataclass
class _Stages:
    """Builds a sequence of stages with branches.

    Args:
        plan: the plan.
        templates: the templates.
        accounts: Spinnaker's accounts.
        found: all stages so far.
        last: reference of the stage that the next one waits for; empty at the start.
    """

    plan: Plan
    templates: Templates
    accounts: Accounts
    found: list[Stage] = field(default_factory=list)
    last: str = ""

    def add(self, stage: Stage, *, after: str | None = None) -> str:
        """Append a stage and return its reference; the next stage does not wait for a branch (`after`)."""
        reference = str(len(self.found) + 1)
        waits = self.last if after is None else after
        self.found.append({**stage, "refId": reference, "requisiteStageRefIds": [waits] if waits else []})
        if after is None:
            self.last = reference
        return reference

    def deploy(self, name: str, objects: list[Any], *, after: str | None = None, **more: Any) -> str:
        """Add a stage that applies objects and waits until they are stable."""
        stage = {
            "type": "deployManifest",
            "name": name,
            "manifests": objects,
            "skipExpressionEvaluation": True,
            "account": self.accounts.kubernetes,
            "cloudProvider": "kubernetes",
            "source": "text",
            "moniker": {"app": application(self.plan)},
        }
        return self.add({**stage, **more}, after=after)

    def approval(self, number: int, step: ApproveStep) -> None:
        """Add a stage that waits for a person."""
        instructions = (
            f"{approver(step.approve)} reads the analysis so far, then continues the release or stops it."
        )
        self.add(
            {
                "type": "manualJudgment",
                "name": f"Approval {number}",
                "instructions": instructions,
                "judgmentInputs": [],
                "failPipeline": True,
                "notifications": [],
            }
        )

    def weight(self, number: int, step: WeightStep) -> None:
        """Add a weight, its analysis, and the branches for each verdict."""
        title = f"{number}: {step.weight}%"
        self.deploy(f"Weight {title}", manifests.route(self.plan, step.weight, self.templates))
        name = f"Canary {title}"
        analysis = self.add(_analysis(self.plan, name, step.hold, self.accounts.metrics))
        status = f"#stage('{name}')['status'].toString()"
        self.deploy(
            f"Roll back {title}",
            manifests.route(self.plan, 0, self.templates),
            after=analysis,
            stageEnabled={"type": "expression", "expression": f"${{{status} != 'SUCCEEDED'}}"},
        )
        succeeded = {
            "type": "expression",
            "failPipeline": False,
            "context": {"expression": f"${{{status} == 'SUCCEEDED'}}"},
        }
        self.add(
            {
                "type": "checkPreconditions",
                "name": f"Continue {title}",
                "preconditions": [succeeded],
                **_END_BRANCH,
            }
        )

    def remove_canary(self) -> None:
        """Add a stage that deletes the canary's Deployment."""
        self.add(
            {
                "type": "deleteManifest",
                "name": "Remove canary",
                "account": self.accounts.kubernetes,
                "cloudProvider": "kubernetes",
                "location": self.plan.identity.namespace,
                "manifestName": f"deployment {Names(self.plan.identity.model).canary}",
                "mode": "static",
                "options": {"cascading": True},
            }
        )


def _analysis(plan: Plan, name: str, hold_s: float, metrics: str) -> Stage:
    minutes = max(1, round(hold_s / 60))
    warm_up = min(minutes - 1, -(-sample_s(plan) // 60))
    namespace = plan.identity.namespace
    scope = {
        "scopeName": "default",
        "controlScope": manifests.STABLE,
        "controlLocation": namespace,
        "experimentScope": manifests.CANARY,
        "experimentLocation": namespace,
        "step": sample_s(plan),
        "extendedScopeParams": {},
    }
    return {
        "type": "kayentaCanary",
        "name": name,
        "analysisType": "realTime",
        "canaryConfig": {
            "canaryConfigId": config_name(plan),
            "metricsAccountName": metrics,
            "lifetimeDuration": f"PT{minutes}M",
            "beginCanaryAnalysisAfterMins": warm_up,
            "canaryAnalysisIntervalMins": minutes - warm_up,
            "scopes": [scope],
            "scoreThresholds": {"marginal": _PASS, "pass": _PASS},
        },
        **_CONTINUE,
    }


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
