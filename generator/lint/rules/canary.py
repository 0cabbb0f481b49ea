"""Rules on a canary strategy: pods, Services, router and delays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.controller import int_or_percent
from generator.lint.engine import Problem
from generator.lint.objects import as_map, as_text, has
from generator.lint.rollout import CANARY, ROUTING
from generator.lint.rules.capabilities import refusal
from generator.lint.rules.contexts import RolloutContext, invalid_rollout

_NEED_SERVICES: Final = ("smi", "apisix", "ambassador", "nginx", "appMesh", "traefik")


@invalid_rollout(
    "ROL131",
    "`maxSurge` and `maxUnavailable` are both zero",
    because="The controller may then neither add a pod nor remove one.",
    remedy="Set `maxSurge` or `maxUnavailable` above zero.",
    example="spec: {strategy: {canary: {maxSurge: 0, maxUnavailable: 0}}}",
    instead="spec: {strategy: {canary: {maxSurge: 1, maxUnavailable: 0}}}",
)
def no_room_to_move(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that `maxSurge` and `maxUnavailable`, each 25% when left out, are not both zero."""
    canary = ctx.rollout.canary or {}
    given = [canary.get(key) for key in ("maxSurge", "maxUnavailable")]
    if ctx.rollout.is_canary and not any(int_or_percent("25%" if size is None else size) for size in given):
        yield Problem(
            (*CANARY, "maxSurge"), "`maxSurge` and `maxUnavailable` are both zero, so no pod can be replaced"
        )


@invalid_rollout(
    "ROL132",
    "the canary and the stable Service are the same",
    because="One Service would select the pods of both versions.",
    remedy="Name two different Services.",
    example="spec: {strategy: {canary: {trafficRouting: , stableService: model-stable, canaryService: model-stable}}}",
    instead="spec: {strategy: {canary: {trafficRouting: , stableService: model-stable, canaryService: model-canary}}}",
)
def same_services(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the canary and the stable Service differ."""
    canary = ctx.rollout.canary or {}
    stable = as_text(canary.get("stableService"))
    if ctx.rollout.is_canary and stable and stable == as_text(canary.get("canaryService")):
        yield Problem((*CANARY, "stableService"), f"`{stable}` is both the canary and the stable Service")


@invalid_rollout(
    "ROL133",
    "ping-pong is used without the router or the two Services that it needs",
    remedy="Use ping-pong with ALB (and a `rootService`) or Istio, and with two different Services.",
    example="spec: {strategy: {canary: {pingPong: {pingService: model-stable, pongService: model-stable}}}}",
    instead="spec: {strategy: {canary: {pingPong: }}}",
)
def unusable_ping_pong(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that ping-pong has a router that supports it, two different Services, and for ALB a `rootService`."""
    canary, path = ctx.rollout.canary or {}, (*CANARY, "pingPong")
    if not ctx.rollout.is_canary or not has(canary, "pingPong"):
        return
    pair = as_map(canary["pingPong"])
    ping, pong = as_text(pair.get("pingService")), as_text(pair.get("pongService"))
    if ctx.rollout.routing is not None:
        why = refusal(ctx, "ping_pong") if ctx.rollout.routers else "`trafficRouting` names no router"
        if why:
            yield Problem(path, f"ping-pong cannot be used: {why}")
    if not ping or not pong or ping == pong:
        yield Problem(path, "ping-pong needs two different Services")
    alb = ctx.rollout.router("alb")
    if alb is not None and not as_text(alb.get("rootService")):
        yield Problem((*ROUTING, "alb", "rootService"), "ping-pong with ALB needs a `rootService`")


@invalid_rollout(
    "ROL134",
    "the router needs a stable and a canary Service",
    because="The router splits requests between two Services.",
    remedy="Set `stableService` and `canaryService`.",
    example="""\
spec: {strategy: {canary: {canaryService: , trafficRouting: {traefik: {weightedTraefikServiceName: model}}}}}
""",
    instead="""\
spec:
  strategy:
    canary: {canaryService: model-canary, trafficRouting: {traefik: {weightedTraefikServiceName: model}}}
""",
)
def missing_services(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that both Services are named when the router switches between Services."""
    canary, rollout = ctx.rollout.canary or {}, ctx.rollout
    swaps, istio = has(canary, "pingPong"), rollout.router("istio")
    needed = any(rollout.router(name) is not None for name in _NEED_SERVICES)
    needed |= rollout.router("alb") is not None and not swaps
    needed |= istio is not None and not has(istio, "destinationRule") and not swaps
    for key in ("stableService", "canaryService") if needed and rollout.is_canary else ():
        if not as_text(canary.get(key)):
            yield Problem((*CANARY, key), f"the router needs `{key}`")


@invalid_rollout(
    "ROL135",
    "`scaleDownDelaySeconds` is set without a router",
    because="Without traffic routing old pods are replaced one by one, so none can be kept for a while.",
    remedy="Remove `scaleDownDelaySeconds`, or add `trafficRouting`.",
    example="spec: {strategy: {canary: {trafficRouting: , scaleDownDelaySeconds: 60}}}",
    instead="spec: {strategy: {canary: {trafficRouting: }}}",
)
def delay_without_router(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a canary without a router has no `scaleDownDelaySeconds`."""
    delayed = has(ctx.rollout.canary or {}, "scaleDownDelaySeconds")
    if ctx.rollout.is_canary and ctx.rollout.routing is None and delayed:
        yield Problem((*CANARY, "scaleDownDelaySeconds"), "`scaleDownDelaySeconds` needs `trafficRouting`")


@invalid_rollout(
    "ROL136",
    "`dynamicStableScale` is set without a router",
    remedy="Remove `dynamicStableScale`, or add `trafficRouting`.",
    example="spec: {strategy: {canary: {trafficRouting: , dynamicStableScale: true}}}",
    instead="spec: {strategy: {canary: {trafficRouting: }}}",
)
def dynamic_scale_without_router(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a canary without a router has no `dynamicStableScale`."""
    dynamic = (ctx.rollout.canary or {}).get("dynamicStableScale")
    if ctx.rollout.is_canary and ctx.rollout.routing is None and dynamic is True:
        yield Problem((*CANARY, "dynamicStableScale"), "`dynamicStableScale` needs `trafficRouting`")


@invalid_rollout(
    "ROL137",
    "`dynamicStableScale` and `scaleDownDelaySeconds` are both set",
    because="One scales the stable pods down step by step, the other keeps them.",
    remedy="Remove one of the two.",
    example="spec: {strategy: {canary: {dynamicStableScale: true, scaleDownDelaySeconds: 60}}}",
    instead="spec: {strategy: {canary: {scaleDownDelaySeconds: 60}}}",
)
def dynamic_scale_with_delay(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that `dynamicStableScale` is not combined with `scaleDownDelaySeconds`."""
    canary = ctx.rollout.canary or {}
    both = canary.get("dynamicStableScale") is True and has(canary, "scaleDownDelaySeconds")
    if ctx.rollout.is_canary and ctx.rollout.routing is not None and both:
        message = "`dynamicStableScale` excludes `scaleDownDelaySeconds`, which is set as well"
        yield Problem((*CANARY, "dynamicStableScale"), message)


@invalid_rollout(
    "ROL138",
    "`maxTrafficWeight` is set with a router that the controller does not allow it for",
    remedy="Remove `maxTrafficWeight`, and write weights in percent.",
    example="""\
spec:
  strategy: {canary: {trafficRouting: {maxTrafficWeight: 1000, traefik: {weightedTraefikServiceName: model}}}}
""",
    instead="spec: {strategy: {canary: {trafficRouting: {traefik: {weightedTraefikServiceName: model}}}}}",
)
def refused_max_weight(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the controller accepts `maxTrafficWeight` with one of the routers."""
    if not ctx.rollout.is_canary or not has(ctx.rollout.routing or {}, "maxTrafficWeight"):
        return
    if why := refusal(ctx, "max_weight"):
        yield Problem((*ROUTING, "maxTrafficWeight"), f"`maxTrafficWeight` cannot be used: {why}")
