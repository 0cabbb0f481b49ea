"""The objects that the pipeline deploys: those of the bundle, with two Deployments instead of the Rollout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import ryaml

from generator.plan.names import Names
from generator.plan.values import Plan
from generator.render.bundle import render_outputs
from generator.render.environment import Templates
from generator.render.output import Output
from generator.render.outputs.pods import pod
from generator.render.outputs.routing import feedback_service, routes, service
from generator.render.outputs.workload import workload

Manifest = dict[str, Any]
STABLE, CANARY = "stable", "canary"
_SCALERS: Final = frozenset({"HorizontalPodAutoscaler", "ScaledObject"})
# Spinnaker ignores the annotations of Argo CD, and has no waves.
_ARGO: Final = "argocd.argoproj.io/"
# It selects the Rollout's pods by their label.
_LEFT_OUT: Final = frozenset({"PodDisruptionBudget"})


def shared(plan: Plan, templates: Templates) -> list[Manifest]:
    """Return the objects that both versions need: account, configuration, scraping, Services, autoscaler."""
    found = [item for item in _rendered(plan, workload(plan), templates) if item["kind"] not in _LEFT_OUT]
    for item in found:
        if item["kind"] in _SCALERS:
            name = Names(plan.identity.model).stable
            item["spec"]["scaleTargetRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    arms, names = Names(plan.identity.model), Names.of(plan)
    services = [
        service(role, name, {"app.kubernetes.io/name": arm})
        for role, name, arm in ((STABLE, names.stable, arms.stable), (CANARY, names.canary, arms.canary))
    ]
    if plan.feedback:
        services.append(feedback_service(plan, {"sluice.dev/model": plan.identity.model}))
    return [*found, *_rendered(plan, services, templates)]


def deployment(plan: Plan, role: str, templates: Templates) -> Manifest:
    """Return the pods of one arm; counters and pods have the role as a label, which Kayenta's queries select."""
    names = Names(plan.identity.model)
    app = names.stable if role == STABLE else names.canary
    scaled = plan.capacity.autoscaler and role == STABLE
    context = pod(plan, app, role, role)
    replicas = 0 if scaled else plan.capacity.min_replicas
    output = Output(
        f"deployment-{role}.yaml", "spinnaker/deployment.yaml.j2", {**context, "replicas": replicas}
    )
    (found,) = _rendered(plan, [output], templates)
    return found


def route(plan: Plan, weight: int, templates: Templates) -> list[Manifest]:
    """Return the route with this weight (percent) for the canary."""
    names = Names.of(plan)
    shares = {names.stable: 100 - weight, names.canary: weight}
    found = list(_rendered(plan, routes(plan), templates))
    weights = plan.routing.router.weights
    for item in found:
        if weights and item["kind"] == weights.kind:
            for backend, entry in weights.entries(item):
                entry["weight"] = shares.get(backend, entry["weight"])
    return found


def _rendered(plan: Plan, outputs: Any, templates: Templates) -> Iterator[Manifest]:
    for text in render_outputs(outputs, plan, templates).values():
        item: Manifest = ryaml.loads(text)
        metadata = item["metadata"]
        kept = {k: v for k, v in metadata.get("annotations", {}).items() if not k.startswith(_ARGO)}
        if kept:
            metadata["annotations"] = kept
        else:
            metadata.pop("annotations", None)
        yield item
