"""What each traffic router can do, by controller version: one table, and the rules that use it.

Sources: validation.go of v1.9.3 and v1.10.2 for what is refused; rollout/trafficrouting/* and the Gateway
API plugin 0.15 (pkg/plugin/*.go) for what is accepted and then not done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from generator.lint.rollouts.model import as_int, as_list, as_map
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import ROUTING, Rollout, RolloutContext, Version, has

Feature: TypeAlias = Literal[
    "weights", "header", "header-pattern", "mirror", "max-weight", "ping-pong", "experiment-weight"
]
Answer: TypeAlias = Literal[
    "yes",
    "refused",  # InvalidSpec
    "ignored",  # accepted, and nothing happens
    "wrong",  # accepted, and something else happens
    "unknown",  # accepted; only the plugin knows
]

_FEATURES: tuple[Feature, ...] = (
    "weights",
    "header",
    "header-pattern",
    "mirror",
    "max-weight",
    "ping-pong",
    "experiment-weight",
)
_SAME = "="
# One row a router: its answers for 1.9 in the order of _FEATURES, and for 1.10 where they differ.
_TABLE: Mapping[str, tuple[str, str]] = {
    "none": ("ignored refused refused refused refused yes refused", _SAME),
    "istio": ("yes yes yes yes refused yes yes", _SAME),
    "alb": ("yes yes refused refused refused yes yes", _SAME),
    "apisix": ("yes yes yes refused refused refused refused", _SAME),
    "nginx": ("yes refused refused refused yes refused refused", _SAME),
    "smi": ("yes refused refused refused refused refused yes", _SAME),
    "traefik": ("yes refused refused refused refused refused refused", _SAME),
    "ambassador": ("yes refused refused refused refused refused refused", _SAME),
    "appMesh": ("yes refused refused refused refused refused refused", _SAME),
    "gateway-api": (
        "yes yes yes refused wrong refused yes",
        "yes yes yes ignored wrong yes yes",
    ),
    "plugin": (
        "unknown unknown unknown refused unknown refused unknown",
        "unknown unknown unknown unknown unknown unknown unknown",
    ),
}
_PLUGIN_NAMES = {"argoproj-labs/gatewayAPI": "gateway-api"}


def router_name(router: str) -> str:
    """The row of the table for a router as a Rollout names it (a built-in name or the id of a plugin)."""
    return router if router in _TABLE else _PLUGIN_NAMES.get(router, "plugin")


def answer(router: str, feature: Feature, version: Version) -> Answer:
    """What a router does with a feature under a controller version."""
    old, new = _TABLE[router_name(router)]
    row = old if version == "1.9" or new == _SAME else new
    value: Answer = row.split()[_FEATURES.index(feature)]  # type: ignore[assignment]  # a text
    return value


def refused(rollout: Rollout, feature: Feature, versions: tuple[Version, ...]) -> list[Version]:
    """Versions whose validation refuses a feature: one router that is accepted is enough."""
    routers = rollout.routers or ["none"]
    return [v for v in versions if all(answer(router, feature, v) == "refused" for router in routers)]


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
            if "ignored" in {answer(router, "mirror", v) for v in ctx.versions}:
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
        if "wrong" in {answer(router, "max-weight", v) for v in ctx.versions}:
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
def traefik_group(ctx: RolloutContext) -> Iterator[Flaw]:
    """The default group changed with 1.10."""
    settings = ctx.rollout.router("traefik")
    if settings is None:
        return
    name = str(settings.get("weightedTraefikServiceName"))
    service = ctx.objects.get("TraefikService", ctx.rollout.object.key.namespace, name)
    defaults = {"1.9": "traefik.containo.us", "1.10": "traefik.io"}
    for version in ctx.versions if service else ():
        if service and service.group != defaults[version]:
            path = (*ROUTING, "traefik", "weightedTraefikServiceName")
            yield path, f"controller {version} looks for it in {defaults[version]}, not in {service.group}"


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
