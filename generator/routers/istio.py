"""Istio: a VirtualService, whose weights the controller writes itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.routers.base import EACH, GATEWAY, MIRRORS, RouteFile, Router, Traffic, WeightField

_GROUP: Final = "networking.istio.io"


def _routes(traffic: Traffic) -> Iterator[RouteFile]:
    yield RouteFile("virtualservice-main.yaml", "kubernetes/virtualservice.yaml.j2", traffic.context)


ROUTER: Final = Router(
    kind="istio",
    argo="istio",
    since=(1, 9),
    settings=GATEWAY,
    takes=frozenset({"gateway"}),
    writes=(),
    mirroring=MIRRORS,
    implementations={},
    sticky=False,
    weights=WeightField(
        group=_GROUP,
        kind="VirtualService",
        path=("spec", "http", EACH, "route", EACH, "weight"),
        service=("destination", "host"),
        cohort='.spec.http[] | select(.name == "cohort")',
    ),
    kinds=((_GROUP, "VirtualService"),),
    routes=_routes,
    rollout="kubernetes/rollout-canary-istio.yaml.j2",
    abort=(
        "the canary Service is pointed at the pods of the stable version at once",
        "once every stable pod is available, the canary's weight in the VirtualService is set to 0",
    ),
    pipelines=True,
    # Argo Rollouts 1.10.2, createHeaderRoute of rollout/trafficrouting/istio/istio.go: name, headers, destination.
    cohort_gap="requests of a cohort have no time limit at the router and reach every path of the pods, as the "
    "controller's route for them has only the header",
    no_cohort="",
    retired="",
)
