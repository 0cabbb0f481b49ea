"""What each router can do, by implementation and controller version, and specs that ask for more."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.engine import Problem, Related, rule
from generator.plan.values import Plan
from generator.routers import ROUTERS, Capabilities
from generator.routers.argo_rollouts import minor
from generator.routers.base import MIRRORS_EVERYTHING
from generator.rules.context import SHADOW, STEPS, Context
from generator.spec.units import percent


def capabilities(plan: Plan) -> Capabilities:
    """Return what the router of a plan can do under its version of Argo Rollouts."""
    return plan.routing.router.capabilities(minor(plan.delivery.rollouts), plan.routing.implementation)


def smallest_weight(plan: Plan) -> float:
    """Smallest weight, in percent, that the router can hold: one pod of all where it counts pods."""
    return 0.0 if capabilities(plan).weights else 100 / max(plan.capacity.fewest, 1)


def _router(context: Context) -> str:
    routing = context.plan.routing
    named = routing.implementation if routing.implementation in routing.router.implementations else ""
    return f"the router `{routing.kind}`" + (f" of {routing.implementation}" if named else "")


def _related(context: Context, *path: str) -> Related:
    where = ("spec", "environments", context.plan.identity.environment, "router", *path)
    return ((f"the router of {context.plan.identity.environment}", context.platform_document.place(where)),)


@rule(
    "ROUTE602",
    "error",
    "the router can't send a cohort to one version",
    scope=Context,
    why="The controller refuses the step, or takes it and routes nobody: the cohort would test nothing.",
    remedy="Use weights, or a router that matches headers (gateway-api, istio).",
)
def cohorts(context: Context) -> Iterator[Problem]:
    """Header routes (argo-rollouts.md 1.4)."""
    if capabilities(context.plan).cohort:
        return
    for index, _ in context.plan.rollout.cohort_steps:
        message = f"{_router(context)} can't route by header"
        hint = f"use a weight here, or the router {_routers_with_cohorts(context.plan)}"
        yield Problem((*STEPS, index, "cohort"), message, hint, _related(context, "kind"))


def _routers_with_cohorts(plan: Plan) -> str:
    version = minor(plan.delivery.rollouts)
    return " or ".join(kind for kind, router in ROUTERS.items() if router.capabilities(version, None).cohort)


@rule(
    "ROUTE603",
    "error",
    "the router can't copy requests",
    scope=Context,
    why="The shadow would get no request, and its guards would judge nothing.",
    remedy="Leave the shadow out, or use a router that mirrors.",
)
def mirror(context: Context) -> Iterator[Problem]:
    """A shadow needs copies."""
    rollout = context.plan.rollout
    if rollout.shadow and capabilities(context.plan).mirroring.copies == "no":
        message = f"{_router(context)} can't copy requests to a shadow"
        hint = "leave `shadow` out, or use another router; envoy-gateway mirrors, for one"
        yield Problem(SHADOW, message, hint, _related(context), on_key=True)


@rule(
    "ROUTE604",
    "error",
    "the router copies every request whatever the share",
    scope=Context,
    why="It accepts `percent` and ignores it: the shadow gets all the traffic and must carry all of it.",
    remedy="Copy 100% on purpose, with a shadow that carries it, or use a router that can copy a share.",
)
def mirror_percent(context: Context) -> Iterator[Problem]:
    """Contour takes the field and copies everything (testbed.md, finding M1)."""
    rollout = context.plan.rollout
    if not rollout.shadow or rollout.shadow.percent >= 1:
        return
    if capabilities(context.plan).mirroring == MIRRORS_EVERYTHING:
        message = f"{_router(context)} copies every request, not {percent(rollout.shadow.percent)} of them"
        hint = "write `percent: 100%`, or use another router; envoy-gateway copies shares"
        yield Problem((*SHADOW, "percent"), message, hint, _related(context, "implementation"))


@rule(
    "ROUTE605",
    "warning",
    "nobody knows whether the router can copy requests",
    scope=Context,
    why="Mirroring is an extended feature of the Gateway API: some implementations lack it, some copy everything.",
    remedy="Say who implements the Gateway (`implementation`) in the environment's router.",
)
def mirror_unknown(context: Context) -> Iterator[Problem]:
    """A shadow behind a Gateway of unknown make."""
    rollout = context.plan.rollout
    if not rollout.shadow:
        return
    if capabilities(context.plan).mirroring.copies != "unknown":
        return
    if context.plan.routing.implementation:
        message = f"no conformance report says whether {_router(context)} copies requests"
        hint = "try it, then accept this finding; envoy-gateway is known to"
        yield Problem(SHADOW, message, hint, _related(context, "implementation"), on_key=True)
    elif rollout.shadow.percent < 1:
        message = f"whether {_router(context)} copies only {percent(rollout.shadow.percent)} depends on "
        message += "who implements the Gateway"
        hint = "let the platform declare `implementation` in this environment's router"
        yield Problem((*SHADOW, "percent"), message, hint, _related(context))


@rule(
    "ROUTE606",
    "error",
    "the router does not say which Gateway",
    scope=Context,
    why="A route without a parent is accepted and attached to nothing: no request arrives.",
    remedy="Set `gateway` and `namespace` in the environment's router.",
)
def gateway(context: Context) -> Iterator[Problem]:
    """Check that an environment's router has the settings that it can't do without."""
    routing = context.plan.routing
    path = ("spec", "environments", context.plan.identity.environment, "router")
    for key in routing.router.settings:
        if not getattr(routing, key):
            message = f"the router `{routing.kind}` of {context.plan.identity.environment} has no `{key}`"
            hint = f"add `{key}`: the Gateway that routes attach to"
            yield Problem((*path, key), message, hint, document=context.platform_document, on_key=True)


@rule(
    "ROUTE607",
    "warning",
    "an autoscaler changes the weights of a canary that counts pods",
    scope=Context,
    why="Without a router the share of the traffic is the share of the pods, and the autoscaler changes it at will.",
    remedy="Use a router, or fixed `replicas`.",
)
def autoscaler(context: Context) -> Iterator[Problem]:
    """Replica ratios under an autoscaler."""
    plan = context.plan
    if plan.rollout.strategy == "canary" and plan.capacity.autoscaler and not capabilities(plan).weights:
        message = "the autoscaler changes the number of pods, and with it the weight of each step"
        hint = "use a router in this environment, or `replicas` instead of `autoscaling`"
        yield Problem(("spec", "autoscaling"), message, hint, _related(context), on_key=True)


@rule(
    "ROUTE608",
    "warning",
    "the controller is too old for the router's objects",
    scope=Context,
    why="Before 1.10 the Rollouts controller looks for TraefikServices in another API group and finds none.",
    remedy="Upgrade Argo Rollouts, or start it with --traefik-api-group=traefik.io.",
)
def controller(context: Context) -> Iterator[Problem]:
    """Default API group of Traefik (argo-rollouts utils/defaults/defaults.go)."""
    needed, version = context.plan.routing.router.since, context.platform.controllers.argo_rollouts
    if minor(version) < needed:
        message = f"Argo Rollouts {version} does not find the objects of {_router(context)}; "
        message += f"{needed[0]}.{needed[1]} does"
        hint = "upgrade it, or start it with --traefik-api-group=traefik.io and accept this finding"
        path = ("spec", "controllers", "argo-rollouts")
        yield Problem(path, message, hint, _related(context), document=context.platform_document)
