"""Rules on what a traffic router can do; the facts are in `generator.routers.argo_rollouts`."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.controller import ControllerVersion
from generator.lint.rollouts.model import as_int, as_list, as_map
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import ROUTING, Rollout, RolloutContext, has
from generator.routers.argo_rollouts import Feature, answer, minor, router_name, traefik_group


def refused(
    rollout: Rollout, feature: Feature, versions: tuple[ControllerVersion, ...]
) -> list[ControllerVersion]:
    """Versions whose validation refuses a feature: one router that is accepted is enough."""
    routers = rollout.routers or ["none"]
    return [v for v in versions if all(answer(router, feature, minor(v)) == "refused" for router in routers)]


@rule(
    "CAP501",
    "error",
    "no step asks for what the router silently leaves undone",
    scope="rollout",
    hint="Render the mirror statically in the route, use Istio, or leave the step out.",
    origin="plugin gatewayAPI pkg/plugin/plugin.go SetMirrorRoute",
)
def mirror_really_mirrors(ctx: RolloutContext) -> Iterator[Flaw]:
    """A mirror step that mirrors nothing: the rollout turns green and nothing was shadowed."""
    for path, step in ctx.rollout.steps:
        for router in ctx.rollout.routers if has(step, "setMirrorRoute") else ():
            if "ignored" in {answer(router, "mirror", minor(v)) for v in ctx.versions}:
                yield (*path, "setMirrorRoute"), f"the router {router} ignores this step: nothing is mirrored"


@rule(
    "CAP502",
    "error",
    "maxTrafficWeight is used only where the router honours it",
    scope="rollout",
    hint="Remove maxTrafficWeight and use weights in per cent.",
    origin="plugin gatewayAPI pkg/plugin/httproute.go (stable is 100 minus weight)",
)
def max_weight_is_honoured(ctx: RolloutContext) -> Iterator[Flaw]:
    """The Gateway API plugin computes the stable weight as 100 minus the canary's."""
    if as_int((ctx.rollout.routing or {}).get("maxTrafficWeight"), 100) == 100:
        return
    for router in ctx.rollout.routers:
        if "wrong" in {answer(router, "max_weight", minor(v)) for v in ctx.versions}:
            yield (*ROUTING, "maxTrafficWeight"), f"the router {router} sets wrong weights with it"


@rule(
    "CAP503",
    "warning",
    "several header matches mean the same on every router",
    scope="rollout",
    hint="Use one match a header route, or check that you want all headers at once.",
    origin="plugin gatewayAPI pkg/plugin/httproute.go; rollout/trafficrouting/istio/istio.go",
)
def header_matches_are_plain(ctx: RolloutContext) -> Iterator[Flaw]:
    """Istio takes any of the matches, the Gateway API plugin demands all."""
    if "gateway-api" not in {router_name(r) for r in ctx.rollout.routers}:
        return
    for path, step in ctx.rollout.steps:
        if len(as_list(as_map(step.get("setHeaderRoute")).get("match"))) > 1:
            yield (*path, "setHeaderRoute", "match"), "a request must have all of these headers, not any"


@rule(
    "CAP504",
    "warning",
    "the Traefik objects are of the API group that the controller looks in",
    scope="rollout",
    hint="Use traefik.io from controller 1.10 on, traefik.containo.us before, or set the controller's flag.",
    origin="utils/defaults/defaults.go DefaultTraefikAPIGroup",
)
def traefik_api_group(ctx: RolloutContext) -> Iterator[Flaw]:
    """The default group changed with 1.10."""
    settings = ctx.rollout.router("traefik")
    if settings is None:
        return
    name = str(settings.get("weightedTraefikServiceName"))
    service = ctx.objects.get("TraefikService", ctx.rollout.object.key.namespace, name)
    for version in ctx.versions if service else ():
        group = traefik_group(minor(version))
        if service and service.group != group:
            path = (*ROUTING, "traefik", "weightedTraefikServiceName")
            yield path, f"controller {version} looks for it in {group}, not in {service.group}"


@rule(
    "CAP505",
    "info",
    "the router is still maintained",
    scope="rollout",
    hint="Plan the move to a Gateway API implementation.",
    origin="fact sheet 1.4",
)
def router_is_maintained(ctx: RolloutContext) -> Iterator[Flaw]:
    """The ingress-nginx project ended in March 2026, App Mesh and SMI before it."""
    for router in ("nginx", "smi", "appMesh"):
        if ctx.rollout.router(router) is not None:
            yield (*ROUTING, router), f"the project behind the router {router} gets no more fixes"
