"""The pod template of Rollout and shadow, and the shadow."""

from __future__ import annotations

import math
from collections.abc import Iterator

from generator.plan.names import Names, labels
from generator.plan.peak import shadow_pods
from generator.plan.release_key import RELEASE_KEY, pods_sleep, release_key
from generator.plan.values import Plan
from generator.render.output import Output
from generator.render.outputs.workload import config_name
from generator.render.series import SHADOW

# Long enough for endpoints and gateways to remove the pod; BentoML drops connections after SIGTERM.
PRE_STOP_S = 10
_DRAIN_MARGIN_S = 10


def pod(plan: Plan, app: str, served_by: str = "", role: str = "shadow") -> dict[str, object]:
    """Return the context of the pod template.

    Args:
        plan: the plan.
        app: value of the label that Services select by.
        served_by: arm of the pod's predictions; empty for the pod-template hash.
        role: label of pods with such an arm; the controller labels all others.
    """
    roles = {"sluice.dev/role": role} if served_by else {}
    return {
        "app": app,
        "container_port": plan.server.port,
        "user": plan.server.user,
        "ready": plan.server.ready,
        "live": plan.server.live,
        "served_by": served_by,
        "config_name": config_name(plan),
        "pre_stop_s": PRE_STOP_S,
        "sleeps": pods_sleep(plan),
        "grace_s": PRE_STOP_S + math.ceil(plan.server.timeout_s) + _DRAIN_MARGIN_S,
        "pod_labels": {
            **labels(plan.identity),
            "app.kubernetes.io/name": app,
            "app.kubernetes.io/version": plan.version.label,
            **roles,
        },
        "pod_annotations": {
            "sluice.dev/gate-key": plan.gate_key,
            "sluice.dev/model-digest": plan.version.digest,
            "sluice.dev/model-ref": plan.version.resolved,
            RELEASE_KEY: release_key(plan),
        },
    }


def shadow(plan: Plan) -> Iterator[Output]:
    """Yield the Deployment of the pods that answer copied requests, with the version to release."""
    if plan.rollout.shadow is None:
        return
    name = Names(plan.identity.model).shadow
    context = {**pod(plan, name, shadow_arm(plan)), "replicas": shadow_pods(plan)}
    yield Output("deployment-shadow.yaml", "kubernetes/deployment-shadow.yaml.j2", context)


def shadow_arm(plan: Plan) -> str:
    """Return the arm of the shadow's predictions: one for each version of the model."""
    return f"{SHADOW}{plan.server.default_served_by}-{plan.server.digest[:8]}"[:63]
