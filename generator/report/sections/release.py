"""What is released: model, version, image, namespace and size."""

from __future__ import annotations

from typing import Literal

from generator.plan.peak import peak
from generator.plan.promotion import describe_standing, standing
from generator.plan.release_key import release_key
from generator.plan.resolve import Planned
from generator.plan.scaling import adopted, counts_both, largest_idle_use
from generator.plan.values import Capacity, Plan
from generator.report import records
from generator.report.sections.section import Section
from generator.report.tables import Table


def release(planned: Planned) -> Section:
    """Return the model, its version, image and size."""
    plan = planned.plan
    identity, version, image = plan.identity, plan.version, plan.image
    data: records.Release = {
        "team": identity.team,
        "model": identity.model,
        "environment": identity.environment,
        "tier": identity.tier,
        "owner": identity.owner,
        "namespace": identity.namespace,
        "namespaces": _namespaces(plan),
        "namespaces_origin": str(planned.source.layers.of_platform("namespaces")),
        "version": {
            "ref": version.ref,
            "resolved": version.resolved,
            "label": version.label,
            "digest": version.digest,
        },
        "image": {"reference": image.reference, "by_digest": image.digest is not None},
        "release_key": release_key(plan),
        "standing": standing(plan),
        "promotion": describe_standing(plan) or None,
        "router": plan.routing.kind,
        "hosts": list(plan.routing.hosts),
        "strategy": plan.rollout.strategy,
        "pods": {
            "least": plan.capacity.min_replicas,
            "most": plan.capacity.max_replicas,
            "peak": peak(plan).total.pods,
        },
        "autoscaler": scaling(plan) or None,
        "bundle": plan.identity.path,
    }
    return Section("release", "Release", data, (Table.of(_rows(planned)),))


def _namespaces(plan: Plan) -> Literal["managed", "adopt"]:
    return "adopt" if plan.delivery.adopted else "managed"


def _rows(planned: Planned) -> list[tuple[str, str]]:
    plan = planned.plan
    whose = f"{_namespaces(plan)}: {planned.source.layers.of_platform('namespaces')}"
    by_digest = "" if plan.image.digest else " (by tag: the lock holds no pushed digest for this bento)"
    return [
        ("version", f"{plan.version.label} ({plan.version.resolved})"),
        ("digest", plan.version.digest),
        ("image", plan.image.reference + by_digest),
        ("release key", release_key(plan)),
        *([("promotion", describe_standing(plan))] if describe_standing(plan) else []),
        ("tier", plan.identity.tier),
        ("namespace", f"{plan.identity.namespace} ({whose})"),
        ("router", f"{plan.routing.kind}, {', '.join(plan.routing.hosts)}"),
        ("pods", f"{pods(plan.capacity)}; at most {peak(plan).total.pods} at once during the release"),
        *([("scaling", scaling(plan))] if scaling(plan) else []),
        ("strategy", plan.rollout.strategy),
    ]


def scaling(plan: Plan) -> str:
    """Return what the autoscaler does with a canary's pods; empty where it counts the stable pods only."""
    if not counts_both(plan):
        return ""
    capacity, idle = plan.capacity, largest_idle_use(plan)
    if idle is not None:
        use = f"{100 * idle:.0f}% of its CPU request"
        return f"counts the pods of both versions, and starts too many if an idle pod uses {use} or more"
    if not capacity.exact and adopted(plan):
        return "counts the pods of both versions, and adds a stable pod for each canary pod (ROUTE609)"
    return (
        f"one stable pod for {capacity.rps_per_pod:g} requests a second, whatever the number of canary pods"
    )


def pods(capacity: Capacity) -> str:
    """Return how many pods there are between releases."""
    if capacity.autoscaler:
        return f"{capacity.minimum} to {capacity.maximum} ({capacity.autoscaler})"
    return str(capacity.replicas)
