"""Names of the objects of one model, and the labels that tie them together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from generator.plan.values import Identity, Plan

HASH_LABEL = "rollouts-pod-template-hash"
PORT = 80
PREDICT, FEEDBACK = "/predict", "/feedback"


@dataclass(frozen=True, slots=True)
class Names:
    """Names by role; every object of a model starts with the model's name."""

    model: str

    @property
    def stable(self) -> str:
        """Service of the version that serves."""
        return f"{self.model}-stable"

    @property
    def canary(self) -> str:
        """Service of the new version."""
        return f"{self.model}-canary"

    @property
    def active(self) -> str:
        """Service of the version that serves (blue-green)."""
        return f"{self.model}-active"

    @property
    def preview(self) -> str:
        """Service of the version that is looked at (blue-green)."""
        return f"{self.model}-preview"

    @property
    def shadow(self) -> str:
        """Deployment and Service that answer copied requests."""
        return f"{self.model}-shadow"

    @property
    def guards(self) -> str:
        """AnalysisTemplate that runs while the new version has traffic."""
        return f"{self.model}-guards"

    @property
    def watch(self) -> str:
        """AnalysisTemplate after a blue-green switch."""
        return f"{self.model}-watch"

    @property
    def recheck(self) -> str:
        """CronWorkflow that runs gates again after the release."""
        return f"{self.model}-recheck"

    def evidence(self, step: int) -> str:
        """AnalysisTemplate before the weight grows beyond this step."""
        return f"{self.model}-evidence-{step}"

    def gates(self, key: str) -> str:
        """Workflow that runs the gates of this key."""
        return f"{self.model}-gates-{key[:10]}"


def gate_workflow(plan: Plan) -> str:
    """Name of the gate Workflow: of the gate key, and of the waivers, so that a new waiver is a new run."""
    waived = [f"{gate.name}\0{gate.waiver.until}" for gate in plan.gates if gate.waiver]
    key = (
        hashlib.sha256("\n".join([plan.gate_key, *waived]).encode()).hexdigest() if waived else plan.gate_key
    )
    return Names(plan.identity.model).gates(key)


def labels(identity: Identity) -> dict[str, str]:
    """Labels of every object of a model."""
    return {
        "app.kubernetes.io/managed-by": "sluice",
        "app.kubernetes.io/name": identity.model,
        "app.kubernetes.io/part-of": identity.team,
        "sluice.dev/environment": identity.environment,
        "sluice.dev/model": identity.model,
        "sluice.dev/tier": identity.tier,
    }


def application(identity: Identity) -> str:
    """Name of the Argo CD Application; unique in Argo CD's namespace."""
    return f"{identity.environment}-{identity.team}-{identity.model}"
