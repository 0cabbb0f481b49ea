"""Rules on features that a router lacks with its implementation and controller version."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Final

from pydantic.alias_generators import to_camel

from generator.lint.engine import Problem, Related, rule
from generator.plan.values import Plan
from generator.routers import ROUTERS
from generator.routers.argo_rollouts import minor
from generator.routers.base import MIRRORS_EVERYTHING, Mirroring
from generator.rules.context import SHADOW, STEPS, Context
from generator.source.finding import Severity
from generator.spec.units import percent


def smallest_weight(plan: Plan) -> float:
    """Return the smallest weight, in percent, that the router can set: one pod of all if it counts pods."""
    return 0.0 if plan.routing.router.splits_requests else 100 / max(plan.capacity.min_replicas, 1)


def _router(context: Context) -> str:
    routing = context.plan.routing
    named = routing.implementation if routing.implementation in routing.router.implementations else ""
    return f"the router `{routing.kind}`" + (f" of {routing.implementation}" if named else "")


def _mirroring(context: Context) -> Mirroring:
    routing = context.plan.routing
    return routing.router.mirroring_of(routing.implementation)


def _related(context: Context, *path: str) -> Related:
    where = context.of_environment("router", *path)
    return ((f"the router of {context.plan.identity.environment}", context.platform_document.place(where)),)


@rule(
    "ROUTE602",
    "error",
    "the router can't send a cohort to one version",
    scope=Context,
    why="The controller refuses the step, or accepts it and routes no request by it: the cohort would test nothing.",
    remedy="Use weights, a router that matches headers (gateway-api, istio), or a newer Gateway API plugin.",
    example="""
# specs/platform.yaml
spec: {environments: {production: {router: {kind: traefik}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{cohort: {header: x-cohort, exact: staff}, hold: 10m}, {weight: 25%, hold: 60m}]}}
""",
    instead="""
# specs/platform.yaml
spec: {environments: {production: {router: {kind: traefik}}}}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 20m}]}}
""",
    source="Argo Rollouts 1.10, pkg/apis/rollouts/validation/validation.go and rollout/trafficrouting; "
    "Gateway API plugin 0.15, pkg/plugin",
)
def cohorts(context: Context) -> Iterator[Problem]:
    """Check that the router can match headers where a step has a cohort."""
    plan = context.plan
    if plan.routing.router.routes_headers(minor(plan.delivery.rollouts)):
        yield from _too_old(context)
        return
    for index, _ in plan.rollout.cohort_steps:
        message = f"{_router(context)} can't route by header"
        if plan.routing.router.no_cohort:
            message = f"{_router(context)} sends no cohort: {plan.routing.router.no_cohort}"
        hint = f"use a weight here, or the router {_routers_with_cohorts(plan)}"
        yield Problem((*STEPS, index, "cohort"), message, hint, _related(context, "kind"))


def _too_old(context: Context) -> Iterator[Problem]:
    """Check the programs that write a cohort's rules into an HTTPRoute, and the CRDs that keep the names of rules."""
    if context.plan.routing.kind != "gateway-api":
        return
    controllers = context.platform.controllers
    plugin, crds = controllers.gateway_api_plugin, controllers.gateway_api
    for index, _ in context.plan.rollout.cohort_steps:
        for key, problem, hint, severity in _unnamed(plugin, crds):
            at = context.platform_document.place(("spec", "controllers", key))
            path = (*STEPS, index, "cohort")
            yield Problem(path, problem, hint, (("the declared version", at),), severity=severity)


def _unnamed(plugin: str, crds: str) -> Iterator[tuple[str, str, str, Severity]]:
    """Yield the key of a version, what is wrong with it, a hint, and the severity."""
    if minor(plugin) < _NAMES_RULES:
        problem = (
            f"the Gateway API plugin {plugin} gives a cohort's rules no name: the next sync removes them"
        )
        yield "gateway-api-plugin", problem, "upgrade it to 0.15, or use a weight here", "error"
    elif minor(plugin) < _WRITES_EVERY_RULE:
        problem = f"the Gateway API plugin {plugin} routes a cohort by the first rule of the HTTPRoute only"
        hint = "upgrade it to 0.15, or accept this if your templates add no rule"
        yield "gateway-api-plugin", problem, hint, "warning"
    if minor(crds) < _KEEPS_NAMES:
        problem = f"the CRDs of the Gateway API {crds} drop the names of a cohort's rules: the next sync removes them"
        yield "gateway-api", problem, "upgrade them to 1.2 or later, or use a weight here", "error"


_NAMES_RULES: Final = (0, 13)
_WRITES_EVERY_RULE: Final = (0, 15)
_KEEPS_NAMES: Final = (1, 2)


def _routers_with_cohorts(plan: Plan) -> str:
    version = minor(plan.delivery.rollouts)
    return " or ".join(kind for kind, router in ROUTERS.items() if router.routes_headers(version))


@rule(
    "ROUTE603",
    "error",
    "the router can't copy requests to a shadow",
    scope=Context,
    why="The shadow would get no request, and its guards would have nothing to measure.",
    remedy="Remove the shadow, or use a router that mirrors.",
    example="""
# specs/platform.yaml
spec: {environments: {production: {router: {implementation: linkerd}}}}
# specs/shop/ranker.yaml
spec: {rollout: {shadow: {percent: 20%, hold: 24h}}}
""",
    instead="""
# specs/platform.yaml
spec: {environments: {production: {router: {implementation: cilium}}}}
# specs/shop/ranker.yaml
spec: {rollout: {shadow: {percent: 20%, hold: 24h}}}
""",
    source="Gateway API 1.6, conformance/reports (HTTPRouteRequestMirror)",
)
def mirror(context: Context) -> Iterator[Problem]:
    """Check that the router can copy requests where there is a shadow."""
    rollout = context.plan.rollout
    if rollout.shadow and _mirroring(context).copies == "no":
        message = f"{_router(context)} can't copy requests to a shadow"
        hint = "remove `shadow`, or use a router that mirrors, such as envoy-gateway"
        yield Problem(SHADOW, message, hint, _related(context), on_key=True)


@rule(
    "ROUTE604",
    "error",
    "the router copies every request, whatever the share",
    scope=Context,
    why="It accepts `percent` and ignores it: the shadow gets all the traffic, and must be able to handle it.",
    remedy="Copy 100% deliberately, to a shadow that can handle it, or use a router that can copy a share.",
    example="""
# specs/platform.yaml
spec: {environments: {production: {router: {implementation: contour}}}}
# specs/shop/ranker.yaml
spec: {rollout: {shadow: {percent: 20%, hold: 24h}}}
""",
    instead="""
# specs/platform.yaml
spec: {environments: {production: {router: {implementation: contour}}}}
# specs/shop/ranker.yaml
spec: {rollout: {shadow: {percent: 100%, hold: 24h}}}
""",
    source="Contour 1.33, tried on a cluster: a RequestMirror with `percent` copies everything",
)
def mirror_percent(context: Context) -> Iterator[Problem]:
    """Check that the router can copy a share of the requests if the shadow needs one."""
    rollout = context.plan.rollout
    if not rollout.shadow or rollout.shadow.percent >= 1:
        return
    if _mirroring(context) == MIRRORS_EVERYTHING:
        message = f"{_router(context)} copies every request, not {percent(rollout.shadow.percent)} of them"
        hint = "write `percent: 100%`, or use a router that copies shares, such as envoy-gateway"
        yield Problem((*SHADOW, "percent"), message, hint, _related(context, "implementation"))


@rule(
    "ROUTE605",
    "warning",
    "it is unknown whether the router can copy requests",
    scope=Context,
    why="Mirroring is an extended feature of the Gateway API: some implementations lack it, some copy everything.",
    remedy="Declare what implements the Gateway (`implementation`) in the environment's router.",
    example="""
# specs/platform.yaml
spec: {environments: {production: {router: {implementation: kong}}}}
# specs/shop/ranker.yaml
spec: {rollout: {shadow: {percent: 100%, hold: 24h}}}
""",
    instead="""
# specs/platform.yaml
spec: {environments: {production: {router: {implementation: kgateway}}}}
# specs/shop/ranker.yaml
spec: {rollout: {shadow: {percent: 100%, hold: 24h}}}
""",
    source="Gateway API 1.6, conformance/reports (HTTPRouteRequestMirror)",
)
def mirror_unknown(context: Context) -> Iterator[Problem]:
    """Check that mirroring is known to work if there is a shadow."""
    rollout = context.plan.rollout
    if not rollout.shadow:
        return
    if _mirroring(context).copies != "unknown":
        return
    if context.plan.routing.implementation:
        message = f"no conformance report shows whether {_router(context)} copies requests"
        hint = "try it, then accept this finding; envoy-gateway is known to copy them"
        yield Problem(SHADOW, message, hint, _related(context, "implementation"), on_key=True)
    elif rollout.shadow.percent < 1:
        message = f"whether {_router(context)} copies only {percent(rollout.shadow.percent)} of the requests depends "
        message += "on what implements the Gateway"
        hint = "declare `implementation` in this environment's router"
        yield Problem((*SHADOW, "percent"), message, hint, _related(context))


@rule(
    "ROUTE606",
    "error",
    "a setting that the router needs is missing",
    scope=Context,
    why="A route without a parent Gateway is accepted and attached to nothing: no request arrives.",
    remedy="Set it in the environment's router: `gateway` and `namespace`, or `group` and `proxyRanges` of an ALB.",
    example="# specs/platform.yaml\nspec: {environments: {production: {router: {kind: istio, namespace: gateways}}}}",
    instead="""
# specs/platform.yaml
spec: {environments: {production: {router: {kind: istio, gateway: public, namespace: gateways}}}}
""",
)
def gateway(context: Context) -> Iterator[Problem]:
    """Check that an environment's router has the settings that it can't do without."""
    routing = context.plan.routing
    path = context.of_environment("router")
    for key, what in routing.router.settings.items():
        if not getattr(context.router, key):
            written = to_camel(key)
            message = f"the router `{routing.kind}` of {context.plan.identity.environment} has no `{written}`"
            hint = f"add `{written}`: {what}"
            yield Problem((*path, written), message, hint, document=context.platform_document, on_key=True)


@rule(
    "ROUTE608",
    "warning",
    "the controller is too old for the router's objects",
    scope=Context,
    why="Before 1.10 the Rollouts controller looks for TraefikServices in another API group, and finds none.",
    remedy="Upgrade Argo Rollouts, or start it with --traefik-api-group=traefik.io.",
    example="""
# specs/platform.yaml
spec:
  controllers: {argo-rollouts: "1.9"}
  environments: {production: {router: {kind: traefik}}}
""",
    instead="""
# specs/platform.yaml
spec:
  controllers: {argo-rollouts: "1.10"}
  environments: {production: {router: {kind: traefik}}}
""",
    source="Argo Rollouts 1.10, utils/defaults/defaults.go (DefaultTraefikAPIGroup)",
)
def controller(context: Context) -> Iterator[Problem]:
    """Check that the declared controller finds the objects that are rendered for the router."""
    needed, version = context.plan.routing.router.since, context.platform.controllers.argo_rollouts
    if minor(version) < needed:
        message = f"Argo Rollouts {version} does not find the objects of {_router(context)}; "
        message += f"{needed[0]}.{needed[1]} does"
        hint = "upgrade it, or start it with --traefik-api-group=traefik.io and accept this finding"
        path = ("spec", "controllers", "argo-rollouts")
        yield Problem(path, message, hint, _related(context), document=context.platform_document)


_NOT_RE2: Final = re.compile(
    r"\\.|\[(?:\\.|[^\]\\])*\]|(?P<bad>\(\?(?:<?[=!]|>|P=|\())|(?P<greedy>[*+?}]\+)", re.DOTALL
)
_BACK_REFERENCE: Final = re.compile(r"(?:[^\\]|^)(?:\\\\)*\\[1-9]")
# Errors in every dialect; other errors of Python's compiler may be about syntax that only RE2 has.
_BROKEN: Final = (
    "missing",
    "unbalanced",
    "unterminated",
    "nothing to repeat",
    "multiple repeat",
    "bad character range",
    "min r",
)


@rule(
    "PLAN513",
    "error",
    "a header expression is not RE2",
    scope=Context,
    why="Routers match with RE2, which has no lookaround and no back references; they refuse any other expression.",
    remedy="Write an RE2 expression, or `exact` or `prefix`.",
    example="""
spec:
  rollout:
    steps: [{cohort: {header: x-cohort, regex: "a(?=b)"}, hold: 10m}, {weight: 5%, hold: 2h}, {weight: 25%, hold: 1h}]
""",
    instead="""
spec:
  rollout:
    steps: [{cohort: {header: x-cohort, regex: "ab.*"}, hold: 10m}, {weight: 5%, hold: 2h}, {weight: 25%, hold: 1h}]
""",
    source="RE2, doc/syntax.txt",
)
def expressions(context: Context) -> Iterator[Problem]:
    """Check that the expressions of cohorts are complete, and written for RE2."""
    for index, step in context.plan.rollout.cohort_steps:
        reason = _unreadable(step.cohort.value) if step.cohort.match == "regex" else ""
        if reason:
            message = f"`{step.cohort.value}` is not an RE2 expression: {reason}"
            yield Problem(
                (*STEPS, index, "cohort", "regex"), message, "correct it, or write `exact` or `prefix`"
            )


def _unreadable(expression: str) -> str:
    """Return why RE2 refuses an expression, as far as that is known without RE2; empty if it does not."""
    found = next((match for match in _NOT_RE2.finditer(expression) if match["bad"] or match["greedy"]), None)
    if found:
        return f"RE2 has no `{found['bad'] or found['greedy']}`"
    if _BACK_REFERENCE.search(expression):
        return "RE2 has no back references"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(expression)
    except re.error as error:
        return error.msg if error.msg.startswith(_BROKEN) else ""
    except (RecursionError, OverflowError):
        return "it is too large"
    return ""
