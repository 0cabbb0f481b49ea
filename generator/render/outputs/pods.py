"""The pod template of Rollout and shadow, and the shadow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from generator.plan.names import Names, labels
from generator.plan.peak import shadow_pods
from generator.plan.release_key import RELEASE_KEY, pods_sleep, release_key
from generator.plan.values import Plan
from generator.render.output import Output
from generator.render.outputs.workload import config_name
from generator.render.series import SHADOW
from generator.spec.pod import Pod

_DRAIN_MARGIN_S: Final = 10
_RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
"""What Pod Security (restricted) requires of each container."""


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
        "probe_port": probe_port(plan),
        "user": plan.server.user,
        "ready": plan.server.ready,
        "live": plan.server.live,
        "served_by": served_by,
        "config_name": config_name(plan),
        "pre_stop_s": math.ceil(plan.pod.termination.pre_stop),
        "sleeps": pods_sleep(plan),
        "grace_s": math.ceil(plan.pod.termination.grace or least_grace_s(plan)),
        "placement": plan.pod.placement,
        "init_containers": list(_init_containers(plan.pod)),
        "probes": _probes(plan),
        "pod_labels": {
            **plan.pod.labels,
            **labels(plan.identity),
            "app.kubernetes.io/name": app,
            "app.kubernetes.io/version": plan.version.label,
            **roles,
        },
        "pod_annotations": {
            **plan.pod.annotations,
            "sluice.dev/gate-key": plan.gate_key,
            "sluice.dev/model-digest": plan.version.digest,
            "sluice.dev/model-ref": plan.version.resolved,
            RELEASE_KEY: plan.keeps or release_key(plan),
        },
    }


def probe_port(plan: Plan) -> int:
    """Return the port of the probes, which a container may have for them alone."""
    return getattr(plan.server, "probe_port", plan.server.port)


def least_grace_s(plan: Plan) -> float:
    """Return the seconds that a pod needs to end without losing a request."""
    return plan.pod.termination.pre_stop + plan.server.timeout_s + _DRAIN_MARGIN_S


def _init_containers(own: Pod) -> Iterator[dict[str, object]]:
    """Yield the sidecars, which start first, and the init containers, each as restricted as the model's."""
    for written, fixed in ((own.sidecars, {"restartPolicy": "Always"}), (own.init_containers, {})):
        for container in written:
            context = {**_RESTRICTED, **container.get("securityContext", {})}
            yield {"imagePullPolicy": "IfNotPresent", **container, "securityContext": context, **fixed}


def _probes(plan: Plan) -> dict[str, dict[str, int]]:
    """Return the times of the probes; a start may fail until `service.startup` is over."""
    own = plan.pod.probes
    period = math.ceil(own.startup.period)
    times = {
        "startup": (period, own.startup.timeout, math.ceil(plan.capacity.startup_s / period)),
        "ready": (own.ready.period, own.ready.timeout, own.ready.failures),
        "live": (own.live.period, own.live.timeout, own.live.failures),
    }
    return {
        name: {"period": math.ceil(period_s), "timeout": math.ceil(timeout_s), "failures": failures}
        for name, (period_s, timeout_s, failures) in times.items()
    }


def shadow(plan: Plan) -> Iterator[Output]:
    """Yield the Deployment of the pods that answer copied requests, with the version to release."""
    if plan.rollout.shadow is None:
        return
    name = Names.of(plan).shadow
    context = {**pod(plan, name, shadow_arm(plan)), "replicas": shadow_pods(plan)}
    yield Output("deployment-shadow.yaml", "kubernetes/deployment-shadow.yaml.j2", context)


def shadow_arm(plan: Plan) -> str:
    """Return the arm of the shadow's predictions: one for each version of the model."""
    return f"{SHADOW}{plan.server.default_served_by}-{plan.server.digest[:8]}"[:63]
