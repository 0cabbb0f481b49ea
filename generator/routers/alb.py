"""AWS Load Balancer Controller: an Ingress with the weights in an annotation, which the Rollouts controller writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from generator.routers.base import EACH, NO_MIRROR, TEXT, RouteFile, Router, Traffic, WeightField

_GROUP: Final = "networking.k8s.io"
_ACTION: Final = "weights"
"""A backend of this name with the port `use-annotation` is not a Service, but the action of the annotation."""
_WRITTEN: Final = (
    "actions.",
    "conditions.",
    "group.name",
    "target-type",
    "healthcheck-path",
    "healthcheck-port",
)
_ANNOTATION: Final = f"alb.ingress.kubernetes.io/actions.{_ACTION}"


def _routes(traffic: Traffic) -> Iterator[RouteFile]:
    splits = len(traffic.backends) > 1
    own: dict[str, object] = {"action": "", "own": {}}
    if splits:
        own = {"action": _ACTION, "own": {_ANNOTATION: _forward(traffic)}}
    yield RouteFile(
        "ingress-main.yaml",
        "kubernetes/ingress-alb.yaml.j2",
        {**traffic.context, "health": traffic.health, **own},
    )


def _forward(traffic: Traffic) -> str:
    """Return the action as the Rollouts controller writes it, so that its first write changes nothing."""
    groups = [
        {"ServiceName": one.name, "ServicePort": str(traffic.port), "Weight": one.weight}
        for one in reversed(traffic.backends)
    ]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    return json.dumps(action, separators=(",", ":"))


# Argo Rollouts 1.10, rollout/trafficrouting/alb/alb.go and utils/ingress/ingress.go. Not with ping-pong: stable is then
# one Service after one release and the other after the next, so no weight in git would be right after both.
ROUTER: Final = Router(
    kind="alb",
    argo="alb",
    since=(1, 9),
    settings={
        "group": "the group of Ingresses that share a load balancer",
        "proxy_ranges": "the subnets of the load balancer, whose requests models accept",
    },
    takes=frozenset({"ingress_class", "annotations", "group"}),
    writes=tuple(f"alb.ingress.kubernetes.io/{name}" for name in _WRITTEN),
    mirroring=NO_MIRROR,
    implementations={},
    sticky=False,
    weights=WeightField(
        group=_GROUP,
        kind="Ingress",
        path=("metadata", "annotations", _ANNOTATION, TEXT, "ForwardConfig", "TargetGroups", EACH, "Weight"),
        service=("ServiceName",),
        cohort="",
    ),
    kinds=((_GROUP, "Ingress"),),
    routes=_routes,
    rollout="kubernetes/rollout-canary-alb.yaml.j2",
    abort=(
        "the canary Service is pointed at the pods of the stable version at once",
        "once every stable pod is available, the canary's weight in the Ingress is set to 0; the load balancer follows",
    ),
    pipelines=False,
    cohort_gap="",
    no_cohort="its rule for a header has the path `/*`, which opens every path of the pods",
    retired="",
)
