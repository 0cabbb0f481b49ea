"""Rules about a canary strategy (C1 to C21 but C20; validation.go ValidateRolloutStrategyCanary)."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.go_values import int_or_percent
from generator.lint.rollouts.capability import refused
from generator.lint.rollouts.model import as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import CANARY, ROUTING, RolloutContext, has
from generator.routers.argo_rollouts import Feature

_VALIDATION = "pkg/apis/rollouts/validation/validation.go"
_NEED_SERVICES = ("smi", "apisix", "ambassador", "nginx", "appMesh", "traefik")


def applies(ctx: RolloutContext) -> bool:
    """Whether the controller gets as far as the canary: with two strategies it stops before."""
    return ctx.rollout.canary is not None and ctx.rollout.blue_green is None


def refusals(ctx: RolloutContext, feature: Feature) -> str:
    """Say which controller versions refuse a feature on this router; empty when none does."""
    versions = refused(ctx.rollout, feature, ctx.versions)
    routers = ", ".join(ctx.rollout.routers) or "no router"
    return f"controller {' and '.join(versions)} refuses it with {routers}" if versions else ""


@rule(
    "ROL131",
    "error",
    "pods may come before others go, or the other way round",
    scope="rollout",
    hint="Set maxSurge or maxUnavailable above zero.",
    origin=f"C1 {_VALIDATION}",
)
def room_to_move(ctx: RolloutContext) -> Iterator[Flaw]:
    """C1."""
    canary = ctx.rollout.canary or {}
    sizes = [
        int_or_percent("25%" if canary.get(key) is None else canary[key])
        for key in ("maxSurge", "maxUnavailable")
    ]
    if applies(ctx) and not any(sizes):
        yield (*CANARY, "maxSurge"), "maxSurge and maxUnavailable are both zero"


@rule(
    "ROL132",
    "error",
    "the canary and the stable Service differ",
    scope="rollout",
    hint="Name two Services.",
    origin=f"C2 {_VALIDATION}",
)
def two_services(ctx: RolloutContext) -> Iterator[Flaw]:
    """C2."""
    canary = ctx.rollout.canary or {}
    stable = as_text(canary.get("stableService"))
    if applies(ctx) and stable and stable == as_text(canary.get("canaryService")):
        yield (*CANARY, "stableService"), f"{stable!r} is both the canary and the stable Service"


@rule(
    "ROL133",
    "error",
    "ping-pong has a router that knows it and two Services",
    scope="rollout",
    hint="Use ping-pong with ALB (and a rootService) or Istio, with two different Services.",
    origin=f"C3 {_VALIDATION}",
)
def ping_pong(ctx: RolloutContext) -> Iterator[Flaw]:
    """C3."""
    canary, path = ctx.rollout.canary or {}, (*CANARY, "pingPong")
    if not applies(ctx) or not has(canary, "pingPong"):
        return
    pair = as_map(canary["pingPong"])
    names = [as_text(pair.get(key)) for key in ("pingService", "pongService")]
    if ctx.rollout.routing is not None and (why := refusals_with_routing(ctx, "ping_pong")):
        yield path, why
    if not all(names) or names[0] == names[1]:
        yield path, "there must be two different Services"
    alb = ctx.rollout.router("alb")
    if alb is not None and not as_text(alb.get("rootService")):
        yield (*ROUTING, "alb", "rootService"), "ping-pong with ALB needs a rootService"


def refusals_with_routing(ctx: RolloutContext, feature: Feature) -> str:
    """As `refusals`, for what is allowed without traffic routing but not with an empty one."""
    if not ctx.rollout.routers:
        return "trafficRouting names no router"
    return refusals(ctx, feature)


@rule(
    "ROL134",
    "error",
    "a router that switches between Services is told both",
    scope="rollout",
    hint="Set stableService and canaryService.",
    origin=f"C4 {_VALIDATION}",
)
def router_has_services(ctx: RolloutContext) -> Iterator[Flaw]:
    """C4."""
    canary, rollout = ctx.rollout.canary or {}, ctx.rollout
    swaps = has(canary, "pingPong")
    istio = rollout.router("istio")
    needed = any(rollout.router(name) is not None for name in _NEED_SERVICES)
    needed |= rollout.router("alb") is not None and not swaps
    needed |= istio is not None and not has(istio, "destinationRule") and not swaps
    for key in ("stableService", "canaryService") if needed and applies(ctx) else ():
        if not as_text(canary.get(key)):
            yield (*CANARY, key), f"the router needs {key}"


@rule(
    "ROL135",
    "error",
    "scaleDownDelaySeconds has a router",
    scope="rollout",
    hint="Remove scaleDownDelaySeconds: without traffic routing pods go one by one.",
    origin=f"C5 {_VALIDATION}",
)
def delay_needs_router(ctx: RolloutContext) -> Iterator[Flaw]:
    """C5."""
    if (
        applies(ctx)
        and ctx.rollout.routing is None
        and has(ctx.rollout.canary or {}, "scaleDownDelaySeconds")
    ):
        yield (*CANARY, "scaleDownDelaySeconds"), "there is no trafficRouting"


@rule(
    "ROL136",
    "error",
    "dynamicStableScale has a router",
    scope="rollout",
    hint="Remove dynamicStableScale or add trafficRouting.",
    origin=f"C6 {_VALIDATION}",
)
def dynamic_scale_needs_router(ctx: RolloutContext) -> Iterator[Flaw]:
    """C6."""
    dynamic = (ctx.rollout.canary or {}).get("dynamicStableScale")
    if applies(ctx) and ctx.rollout.routing is None and dynamic is True:
        yield (*CANARY, "dynamicStableScale"), "there is no trafficRouting"


@rule(
    "ROL137",
    "error",
    "dynamicStableScale has no scale-down delay",
    scope="rollout",
    hint="Remove one of the two.",
    origin=f"C7 {_VALIDATION}",
)
def dynamic_scale_without_delay(ctx: RolloutContext) -> Iterator[Flaw]:
    """C7."""
    canary = ctx.rollout.canary or {}
    both = canary.get("dynamicStableScale") is True and has(canary, "scaleDownDelaySeconds")
    if applies(ctx) and ctx.rollout.routing is not None and both:
        yield (*CANARY, "dynamicStableScale"), "scaleDownDelaySeconds is set as well"


@rule(
    "ROL138",
    "error",
    "maxTrafficWeight has a router that the controller trusts with it",
    scope="rollout",
    hint="Remove maxTrafficWeight.",
    origin=f"C8 {_VALIDATION}",
)
def max_weight_router(ctx: RolloutContext) -> Iterator[Flaw]:
    """C8."""
    if not applies(ctx) or not has(ctx.rollout.routing or {}, "maxTrafficWeight"):
        return
    if why := refusals(ctx, "max_weight"):
        yield (*ROUTING, "maxTrafficWeight"), why
