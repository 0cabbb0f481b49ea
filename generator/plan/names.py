"""Names and labels of the objects of one model."""

from __future__ import annotations

import hashlib

from generator.dataclass import dataclass
from generator.plan.values import Identity, Plan

HASH_LABEL = "rollouts-pod-template-hash"
PORT = 80
ROLLOUT_FILE = "rollout-main.yaml"
"""The file of a bundle with the Rollout."""
COHORT_REQUESTS = "cohort-requests"
"""The metric that requires requests of a cohort."""
SPLIT = "split"
"""The metric that compares the share of requests with the weight; no guard may have its name."""
PREDICT, FEEDBACK = "/predict", "/feedback"


@dataclass(frozen=True, slots=True)
class Names:
    """Names by role; all of them start with the name of the model, but for those that a spec keeps.

    Args:
        model: the name of the model.
        service: kept name of the Service that answers users; empty for none.
        new_service: kept name of the Service of the version under test; empty for none.
        kept_route: kept name of the route; empty for none.
    """

    model: str
    service: str = ""
    new_service: str = ""
    kept_route: str = ""

    @classmethod
    def of(cls, plan: Plan) -> Names:
        """Return the names of the objects of a plan."""
        kept = plan.routing
        return cls(plan.identity.model, kept.service, kept.new_service, kept.name)

    @property
    def main(self) -> str:
        """Service of all pods, where the router does not split requests."""
        return self.service or self.model

    @property
    def stable(self) -> str:
        """Service of the stable version."""
        return self.service or f"{self.model}-stable"

    @property
    def canary(self) -> str:
        """Service of the new version."""
        return self.new_service or f"{self.model}-canary"

    @property
    def active(self) -> str:
        """Service of the version that answers users (blue-green)."""
        return self.service or f"{self.model}-active"

    @property
    def preview(self) -> str:
        """Service of the version under test (blue-green)."""
        return self.new_service or f"{self.model}-preview"

    @property
    def route(self) -> str:
        """The objects that route live requests."""
        return self.kept_route or self.model

    @property
    def smoke(self) -> str:
        """AnalysisTemplate that runs before a blue-green switch."""
        return f"{self.model}-preview"

    @property
    def shadow(self) -> str:
        """Deployment and Service that answer copied requests."""
        return f"{self.model}-shadow"

    @property
    def feedback(self) -> str:
        """Service of the feedback route, and the Secret with its keys."""
        return f"{self.model}-feedback"

    @property
    def guards(self) -> str:
        """AnalysisTemplate that runs in the background while the new version has traffic."""
        return f"{self.model}-guards"

    @property
    def watch(self) -> str:
        """AnalysisTemplate that runs after a blue-green switch."""
        return f"{self.model}-watch"

    @property
    def recheck(self) -> str:
        """CronWorkflow of the daily watch."""
        return f"{self.model}-recheck"

    def evidence(self, step: int) -> str:
        """Return the name of the AnalysisTemplate that checks the evidence of a step before the weight grows."""
        return f"{self.model}-evidence-{step}"

    def gates(self, key: str) -> str:
        """Return the name of the Workflow that runs the gates of a gate key."""
        return f"{self.model}-gates-{key[:10]}"


def service_roles(plan: Plan) -> dict[str, str]:
    """Return the names of the Services that live requests reach, by role."""
    names = Names.of(plan)
    if plan.rollout.strategy == "blue-green":
        return {"active": names.active, "preview": names.preview}
    if plan.routing.router.splits_requests:
        return {"stable": names.stable, "canary": names.canary}
    return {"main": names.main}


def kept_names(plan: Plan) -> dict[str, tuple[str, str]]:
    """Return kind and name of the objects whose names a spec keeps, by the key of the spec."""
    kept = plan.routing
    found = {
        "service": ("Service", kept.service),
        "newService": ("Service", kept.new_service),
        "route": ("route", kept.name),
    }
    return {key: item for key, item in found.items() if item[1]}


def gate_workflow(plan: Plan) -> str:
    """Return the name of the gate Workflow; it depends on gate key and waivers, so a new waiver starts a new run."""
    waived = [f"{gate.name}\0{gate.waiver.until}" for gate in plan.gates if gate.waiver]
    key = (
        hashlib.sha256("\n".join([plan.gate_key, *waived]).encode()).hexdigest() if waived else plan.gate_key
    )
    return Names(plan.identity.model).gates(key)


def selector(plan: Plan, app: str = "") -> dict[str, str]:
    """Return the labels that select the pods of a model, or those with another name, such as the shadow's.

    Pods of others in an adopted namespace may have the same name.
    """
    own = {"sluice.dev/model": plan.identity.model} if plan.delivery.adopted else {}
    return {"app.kubernetes.io/name": app or plan.identity.model, **own}


def labels(identity: Identity) -> dict[str, str]:
    """Return the labels of every object of a model."""
    return {
        "app.kubernetes.io/managed-by": "sluice",
        "app.kubernetes.io/name": identity.model,
        "app.kubernetes.io/part-of": identity.team,
        "sluice.dev/environment": identity.environment,
        "sluice.dev/model": identity.model,
        "sluice.dev/tier": identity.tier,
    }
