"""Rules on what a traffic router can do; the facts are in `generator.routers.argo_rollouts`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.lint.objects import as_int, as_list, as_map, as_text, has
from generator.lint.rollout import ROUTING
from generator.lint.rules.contexts import RolloutContext
from generator.routers.argo_rollouts import Feature, answer, minor, router_name, traefik_group

_PLUGIN: Final = "Gateway API plugin 0.15, pkg/plugin"


def refusal(ctx: RolloutContext, feature: Feature) -> str:
    """Return which controller versions refuse a feature, empty when none does: one router that accepts is enough."""
    routers = ctx.rollout.routers or ["none"]
    versions = [
        v for v in ctx.versions if all(answer(router, feature, minor(v)) == "refused" for router in routers)
    ]
    named = ", ".join(ctx.rollout.routers)
    with_what = f"with the router {named}" if named else "without a router"
    return f"the controller {' and '.join(versions)} refuses it {with_what}" if versions else ""


@rule(
    "CAP501",
    "error",
    "the router ignores a mirror step",
    scope=RolloutContext,
    why="The Gateway API plugin accepts `setMirrorRoute` and does nothing. The release turns green, and no "
    "request was mirrored.",
    remedy="Write the mirror into the route itself, use Istio, or remove the step.",
    example="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: shadow}], plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}}
      steps: [{setMirrorRoute: {name: shadow, percentage: 100}}, {setWeight: 50}, {pause: {}}]
""",
    instead="spec: {strategy: {canary: {steps: [{setWeight: 50}, {pause: {}}]}}}",
    source=f"{_PLUGIN}/plugin.go, SetMirrorRoute",
)
def ignored_mirror(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no router ignores a mirror step."""
    for path, step in ctx.rollout.steps:
        for router in ctx.rollout.routers if has(step, "setMirrorRoute") else ():
            if "ignored" in {answer(router, "mirror", minor(v)) for v in ctx.versions}:
                message = f"the router {router} ignores this step, so nothing is mirrored"
                yield Problem((*path, "setMirrorRoute"), message)


@rule(
    "CAP502",
    "error",
    "the router computes wrong weights with `maxTrafficWeight`",
    scope=RolloutContext,
    why="The Gateway API plugin sets the stable weight to 100 minus the canary's, whatever the maximum is.",
    remedy="Remove `maxTrafficWeight`, and write weights in percent.",
    example="""\
spec:
  strategy:
    canary: {trafficRouting: {maxTrafficWeight: 1000, plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}}}
""",
    instead="spec: {strategy: {canary: {trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}}}}}",
    source=f"{_PLUGIN}/httproute.go",
)
def wrong_max_weight(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no router computes wrong weights with a maximum other than 100."""
    if ctx.rollout.max_weight == 100:
        return
    for router in ctx.rollout.routers:
        if "wrong" in {answer(router, "max_weight", minor(v)) for v in ctx.versions}:
            yield Problem((*ROUTING, "maxTrafficWeight"), f"the router {router} sets wrong weights with it")


@rule(
    "CAP503",
    "warning",
    "several header matches are combined differently by each router",
    scope=RolloutContext,
    why="Istio routes a request that has any of the headers; the Gateway API plugin requires all of them.",
    remedy="Use one match per header route, unless a request must really have all headers.",
    example="""\
spec:
  strategy:
    canary:
      trafficRouting:
        managedRoutes: [{name: testers}]
        plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}
      steps:
        - setWeight: 5
        - setHeaderRoute:
            name: testers
            match: [{headerName: a, headerValue: {exact: x}}, {headerName: b, headerValue: {exact: y}}]
        - pause: {}
""",
    instead="""\
spec:
  strategy:
    canary:
      trafficRouting: {managedRoutes: [{name: testers}], plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: testers, match: [{headerName: a, headerValue: {exact: x}}]}
        - pause: {}
""",
    source=f"{_PLUGIN}/httproute.go; Argo Rollouts 1.10, rollout/trafficrouting/istio/istio.go",
)
def several_header_matches(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a header route of the Gateway API plugin has one match."""
    if "gateway-api" not in {router_name(router) for router in ctx.rollout.routers}:
        return
    for path, step in ctx.rollout.steps:
        if len(as_list(as_map(step.get("setHeaderRoute")).get("match"))) > 1:
            message = "a request must have all of these headers, not any of them"
            yield Problem((*path, "setHeaderRoute", "match"), message)


@rule(
    "CAP504",
    "warning",
    "the TraefikService is in an API group in which the controller does not look",
    scope=RolloutContext,
    why="The controller looks for the TraefikService in one API group, and does not find it in another: the first "
    "`setWeight` fails.",
    remedy="Use traefik.io from controller 1.10 on and traefik.containo.us before, or set the controller's flag.",
    example="""\
spec: {strategy: {canary: {trafficRouting: {traefik: {weightedTraefikServiceName: model}}}}}
---
apiVersion: traefik.containo.us/v1alpha1
kind: TraefikService
metadata: {name: model, namespace: shop}
spec: {weighted: {services: [{name: model-stable, port: 80}, {name: model-canary, port: 80}]}}
""",
    source="Argo Rollouts 1.10, utils/defaults/defaults.go, DefaultTraefikAPIGroup",
)
def traefik_group_differs(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the TraefikService is in the API group in which each controller version looks for it."""
    settings = ctx.rollout.router("traefik")
    if settings is None:
        return
    name = str(settings.get("weightedTraefikServiceName"))
    service = ctx.objects.find("TraefikService", ctx.namespace, name)
    for version in ctx.versions if service else ():
        group = traefik_group(minor(version))
        if service and service.group != group:
            path = (*ROUTING, "traefik", "weightedTraefikServiceName")
            yield Problem(path, f"controller {version} looks for it in {group}, not in {service.group}")


@rule(
    "CAP505",
    "info",
    "the router is no longer maintained",
    scope=RolloutContext,
    why="The project of this router is no longer maintained: ingress-nginx ended in March 2026, App Mesh "
    "and SMI earlier.",
    remedy="Plan the move to a Gateway API implementation.",
    example="spec: {strategy: {canary: {trafficRouting: {nginx: {stableIngress: model}}}}}",
    source="The announcements of ingress-nginx, AWS App Mesh and SMI",
)
def unmaintained_router(ctx: RolloutContext) -> Iterator[Problem]:
    """Check for routers that are no longer maintained."""
    for router in ("nginx", "smi", "appMesh"):
        if ctx.rollout.router(router) is not None:
            yield Problem((*ROUTING, router), f"the project of the router {router} is no longer maintained")


@rule(
    "CAP506",
    "warning",
    "a header route removes the rules of another",
    scope=RolloutContext,
    why="The Gateway API plugin finds the rules of a header route by its name, with or without a number, and by the "
    "names of its headers. Setting one route removes what looks like its rules: the other cohort gets no requests.",
    remedy="Remove the first route before the next one is set, or give them different names and headers.",
    example="""\
spec:
  strategy:
    canary:
      trafficRouting:
        managedRoutes: [{name: staff}, {name: staff-2}]
        plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: staff-2, match: [{headerName: x-office, headerValue: {exact: berlin}}]}
        - setHeaderRoute: {name: staff, match: [{headerName: x-group, headerValue: {exact: staff}}]}
        - pause: {}
""",
    instead="""\
spec:
  strategy:
    canary:
      trafficRouting:
        managedRoutes: [{name: staff}, {name: berlin}]
        plugins: {argoproj-labs/gatewayAPI: {httpRoute: model}}
      steps:
        - setWeight: 5
        - setHeaderRoute: {name: berlin, match: [{headerName: x-office, headerValue: {exact: berlin}}]}
        - setHeaderRoute: {name: staff, match: [{headerName: x-group, headerValue: {exact: staff}}]}
        - pause: {}
""",
    source=f"{_PLUGIN}/httproute.go; its issue 215",
)
def removed_header_route(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that setting a header route does not remove the rules of one that was set before."""
    if "gateway-api" not in {router_name(router) for router in ctx.rollout.routers}:
        return
    live: dict[str, set[str]] = {}
    for path, step in ctx.rollout.steps:
        if "setHeaderRoute" not in step:
            continue
        route = as_map(step["setHeaderRoute"])
        name, matches = as_text(route.get("name")), as_list(route.get("match"))
        if not matches:
            live.clear()
            continue
        headers = {as_text(as_map(match).get("headerName")) for match in matches}
        for other, theirs in live.items():
            if other != name and (headers <= theirs or re.fullmatch(rf"{re.escape(name)}-[0-9]+", other)):
                yield Problem(
                    (*path, "setHeaderRoute"), f"`{name}` removes the rules of the header route `{other}`"
                )
        live[name] = headers


_FLAGGED: Final = """\
spec:
  strategy:
    canary:
      trafficRouting:
        managedRoutes: [{{name: staff}}]
        plugins: {{argoproj-labs/gatewayAPI: {{namespace: shop, httpRoutes: [{{name: model{flag}}}]}}}}
      steps:
        - {first}
        - setHeaderRoute: {{name: staff, match: [{{headerName: x-staff, headerValue: {{exact: "1"}}}}]}}
        - pause: {{}}
"""


@rule(
    "CAP507",
    "warning",
    "no route takes the header routes of a canary",
    scope=RolloutContext,
    why="The Gateway API plugin writes header routes only to routes of `httpRoutes` and `grpcRoutes` with "
    "`useHeaderRoutes: true`: the step does nothing.",
    remedy="Set `useHeaderRoutes: true` for the route.",
    example=_FLAGGED.format(flag="", first="setWeight: 5"),
    instead=_FLAGGED.format(flag=", useHeaderRoutes: true", first="setWeight: 5"),
    source=f"{_PLUGIN}/plugin.go",
)
def header_route_nowhere(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that some route of the plugin takes header routes where a step sets one."""
    for router, settings in ctx.rollout.plugins.items():
        body = as_map(settings)
        named = [key for key in ("httpRoute", "grpcRoute") if as_text(body.get(key))]
        routes = [as_map(item) for key in ("httpRoutes", "grpcRoutes") for item in as_list(body.get(key))]
        if (
            router_name(router) != "gateway-api"
            or named
            or any(r.get("useHeaderRoutes") is True for r in routes)
        ):
            continue
        for path, step in ctx.rollout.steps:
            if as_list(as_map(step.get("setHeaderRoute")).get("match")):
                message = "the step does nothing: no route of the plugin has `useHeaderRoutes: true`"
                yield Problem((*path, "setHeaderRoute"), message)


@rule(
    "CAP508",
    "warning",
    "a header route is set before the canary has a pod",
    scope=RolloutContext,
    why="Before the first `setCanaryScale` or `setWeight` the new version has no pod, and the controller removes the "
    "managed routes while none is available: the cohort never reaches it.",
    remedy="Put `setCanaryScale` with at least one replica before the header route.",
    example=_FLAGGED.format(flag=", useHeaderRoutes: true", first="pause: {duration: 1m}"),
    instead=_FLAGGED.format(flag=", useHeaderRoutes: true", first="setCanaryScale: {replicas: 1}"),
    source="Argo Rollouts 1.10, rollout/trafficrouting.go",
)
def header_without_pods(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a step gives the canary a pod before the first header route."""
    for path, step in ctx.rollout.steps:
        scale = as_map(step.get("setCanaryScale"))
        if any(
            as_int(value) > 0 for value in (step.get("setWeight"), scale.get("replicas"), scale.get("weight"))
        ):
            return
        for kind in ("setHeaderRoute", "setMirrorRoute"):
            if has(step, kind) and (as_list(as_map(step[kind]).get("match")) or kind == "setMirrorRoute"):
                yield Problem((*path, kind), "the canary has no pod yet, so the controller removes the route")
                return
