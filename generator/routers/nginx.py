"""ingress-nginx: an Ingress to the stable version; the controller adds one with the canary's weight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.routers.base import NO_MIRROR, RouteFile, Router, Traffic


def _routes(traffic: Traffic) -> Iterator[RouteFile]:
    yield RouteFile(
        "ingress-main.yaml", "kubernetes/ingress-nginx.yaml.j2", {**traffic.context, "action": ""}
    )


# Argo Rollouts 1.10, rollout/trafficrouting/nginx/nginx.go. ingress-nginx can copy requests (`mirror-target`), but
# every one of them, from all Ingresses of a host.
ROUTER: Final = Router(
    kind="nginx",
    argo="nginx",
    since=(1, 9),
    settings={},
    takes=frozenset({"ingress_class", "annotations", "tls_secret"}),
    writes=("nginx.ingress.kubernetes.io/canary", "nginx.ingress.kubernetes.io/proxy-read-timeout"),
    mirroring=NO_MIRROR,
    implementations={},
    sticky=False,
    weights=None,
    kinds=(("networking.k8s.io", "Ingress"),),
    routes=_routes,
    rollout="kubernetes/rollout-canary-nginx.yaml.j2",
    abort=(
        "the canary Service is pointed at the pods of the stable version at once",
        "once every stable pod is available, the weight of the controller's Ingress is set to 0",
    ),
    pipelines=False,
    cohort_gap="",
    no_cohort="",
    retired="ingress-nginx was archived in March 2026 and gets no security fixes",
)
