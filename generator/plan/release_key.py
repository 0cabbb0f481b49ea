"""The release key: the digest of what runs, equal in two environments when and only when the same thing runs there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator import __version__
from generator.plan.bento import Bento
from generator.plan.pod_settings import PodVariable
from generator.plan.values import Plan
from generator.routers.argo_rollouts import minor
from generator.source.canonical import sha256_of
from generator.spec.record import Record

RELEASE_KEY: Final = "sluice.dev/release-key"
"""The annotation of Rollouts and pods with the key."""
# KEP-3960: the lifecycle hook `sleep` is on by default from 1.30.
_SLEEP: Final = (1, 30)


def pods_sleep(plan: Plan) -> bool:
    """Return whether pods of the cluster can wait with the lifecycle hook `sleep`."""
    return minor(plan.delivery.kubernetes) >= _SLEEP


def release_key(plan: Plan) -> str:
    """Return the digest ("sha256:…") of what the pods of a plan run.

    It covers every value of the pod template and of its ConfigMap, and what renders them: our templates, those of the
    platform team, and the version of Sluice. What `in_any_environment` removes does not count.
    """
    same = in_any_environment(plan)
    identity, version, capacity = same.identity, same.version, same.capacity
    covered = {
        "model": [identity.team, identity.model, identity.tier],
        "version": [version.label, version.resolved, version.digest],
        "image": [same.image.repository, same.image.digest or same.image.tag],
        "service": [same.server.digest, same.server.timeout_s, *_own(same)],
        "variables": [[item.name, item.value, item.secret] for item in same.env],
        "feedback": same.feedback.secret if same.feedback else None,
        "startup": capacity.startup_s,
        "resources": [
            *(capacity.cpu, capacity.memory, capacity.cpu_limit, capacity.memory_limit),
            *(capacity.gpu, capacity.gpu_resource, capacity.storage),
        ],
        "pod": _values(same.pod),
        "gates": same.gate_key,
        "sleeps": pods_sleep(same),
        "templates": same.pod_templates,
        "sluice": __version__,
    }
    return f"sha256:{sha256_of(covered)}"


def _values(value: object) -> object:
    """Return a record as plain values."""
    if not isinstance(value, Record):
        return value
    return {name: _values(getattr(value, name)) for name in type(value).model_fields}


def _own(plan: Plan) -> list[object]:
    """Return the values of a container's pod that are not in its image."""
    server = plan.server
    if isinstance(server, Bento):
        return []
    return [server.port, server.probe_port, server.user, server.ready, server.live]


def in_any_environment(plan: Plan) -> Plan:
    """Return a plan without what may differ between environments while the same thing runs.

    That is the names of environment and namespace, the registry, hosts, names of Services and routes, the numbers of
    pods, and overrides of resources, gates and pods in `environments:`, of the spec and of the platform. A fetched
    Secret is named after what it is in the spec, with the versions of its keys.
    """
    names = {
        secret.name: f"{secret.role}-{sha256_of([secret.role, secret.keys])[:8]}" for secret in plan.secrets
    }

    def common(item: PodVariable) -> PodVariable:
        if item.secret is None:
            return item
        name, key = item.secret
        return replace(item, secret=(names.get(name, name), key))

    return replace(
        plan,
        identity=replace(plan.identity, environment="any", namespace="any"),
        routing=replace(plan.routing, hosts=(), service="", new_service="", name=""),
        capacity=replace(
            plan.common.capacity, replicas=1, minimum=0, maximum=0, startup_s=plan.capacity.startup_s
        ),
        pod=plan.common.pod,
        image=plan.pushed,
        env=tuple(map(common, plan.env)),
        gate_key=plan.common.gate_key,
    )
