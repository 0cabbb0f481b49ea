"""The Gateway API: an HTTPRoute, whose weights the controller's plugin writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.routers.base import (
    EACH,
    GATEWAY,
    MIRRORS,
    MIRRORS_EVERYTHING,
    NO_MIRROR,
    UNKNOWN_MIRROR,
    Implementation,
    RouteFile,
    Router,
    Traffic,
    WeightField,
)

_GROUP: Final = "gateway.networking.k8s.io"


def _routes(traffic: Traffic) -> Iterator[RouteFile]:
    yield RouteFile("httproute-main.yaml", "kubernetes/httproute.yaml.j2", traffic.context)


# Mirroring is an extended feature: conformance reports of Gateway API 1.5 and 1.6. Contour declares it with `percent`
# and was seen to copy every request. Envoy Gateway runs its proxies next to its controller by default.
ROUTER: Final = Router(
    kind="gateway-api",
    argo="gateway-api",
    since=(1, 9),
    settings=GATEWAY,
    takes=frozenset({"gateway", "implementation", "section", "port"}),
    writes=(),
    mirroring=UNKNOWN_MIRROR,
    implementations={
        "envoy-gateway": Implementation(MIRRORS, proxies="envoy-gateway-system"),
        "contour": Implementation(MIRRORS_EVERYTHING),
        "istio": Implementation(MIRRORS),
        "cilium": Implementation(MIRRORS),
        "kgateway": Implementation(MIRRORS),
        "nginx-gateway-fabric": Implementation(MIRRORS),
        "traefik": Implementation(NO_MIRROR),
        "kong": Implementation(UNKNOWN_MIRROR),
        "linkerd": Implementation(NO_MIRROR),
    },
    sticky=False,
    weights=WeightField(
        group=_GROUP,
        kind="HTTPRoute",
        path=("spec", "rules", EACH, "backendRefs", EACH, "weight"),
        service=("name",),
        # Plugin 0.15, pkg/plugin: one rule for each rule of the route, `cohort`, `cohort-1`, `cohort-2` …
        cohort='.spec.rules[] | select((.name // "") | test("^cohort(-[0-9]+)?$"))',
    ),
    kinds=((_GROUP, "HTTPRoute"),),
    routes=_routes,
    rollout="kubernetes/rollout-canary-gateway-api.yaml.j2",
    abort=(
        "the canary Service is pointed at the pods of the stable version at once",
        "once every stable pod is available, the canary's weight in the HTTPRoute is set to 0",
    ),
    pipelines=True,
    cohort_gap="requests of a cohort have no time limit at the router: the plugin copies rules without `timeouts`",
    no_cohort="",
    retired="",
)
