"""Traefik: an IngressRoute to a TraefikService, whose weights the controller writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.routers.argo_rollouts import TRAEFIK_IO_SINCE
from generator.routers.base import EACH, MIRRORS, RouteFile, Router, Traffic, WeightField

_GROUP: Final = "traefik.io"


def _routes(traffic: Traffic) -> Iterator[RouteFile]:
    switched = len(traffic.backends) == 1
    kind, service = ("Service", traffic.backends[0].name) if switched else ("TraefikService", traffic.name)
    hosts = " || ".join(f"Host(`{host}`)" for host in traffic.hosts)
    rules = [
        {
            "rule": f"({hosts}) && Path(`{route.path}`)",
            "kind": kind,
            "service": traffic.shadow if route.mirror else service,
        }
        for route in traffic.routes
    ]
    yield RouteFile(
        "ingressroute-main.yaml", "kubernetes/ingressroute.yaml.j2", {"name": traffic.name, "routes": rules}
    )
    if not switched:
        yield RouteFile("traefikservice-main.yaml", "kubernetes/traefikservice.yaml.j2", traffic.context)
    for route in traffic.routes:
        if route.mirror:
            template = "kubernetes/traefikservice-mirror.yaml.j2"
            yield RouteFile("traefikservice-shadow.yaml", template, {"percent": route.mirror})


ROUTER: Final = Router(
    kind="traefik",
    argo="traefik",
    since=TRAEFIK_IO_SINCE,
    settings={},
    takes=frozenset({"entry_points"}),
    writes=(),
    mirroring=MIRRORS,
    implementations={},
    sticky=False,
    weights=WeightField(
        group=_GROUP,
        kind="TraefikService",
        path=("spec", "weighted", "services", EACH, "weight"),
        service=("name",),
        cohort="",
    ),
    kinds=((_GROUP, "IngressRoute"), (_GROUP, "TraefikService")),
    routes=_routes,
    rollout="kubernetes/rollout-canary-traefik.yaml.j2",
    abort=(
        "the canary Service is pointed at the pods of the stable version at once",
        "once every stable pod is available, the canary's weight in the TraefikService is set to 0",
    ),
    pipelines=False,
    cohort_gap="",
    no_cohort="",
    retired="",
)
