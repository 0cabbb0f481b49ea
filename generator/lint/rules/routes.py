"""Rules on the objects that carry the traffic of a Rollout: Ingresses, VirtualServices, HTTPRoutes and others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.lint.objects import (
    Body,
    Object,
    as_int,
    as_list,
    as_map,
    as_text,
    each,
    has,
    may_share_namespace,
)
from generator.lint.placement import Objects
from generator.lint.rollout import ONE_OR_MANY, ROUTING, Rollout
from generator.lint.rules.contexts import INVALID, REFERENCES, RolloutContext, TreeContext, invalid_rollout
from generator.lint.rules.relations import service_backends

_GATEWAY: Final = "gateway.networking.k8s.io"
_ISTIO: Final = "Argo Rollouts 1.10, rollout/trafficrouting/istio/istio.go"


@invalid_rollout(
    "ROL204",
    "a router names both one object and a list of them, or neither",
    remedy="Keep exactly one of the two fields.",
    example="spec: {strategy: {canary: {trafficRouting: {alb: {servicePort: 80}}}}}",
    instead="spec: {strategy: {canary: {trafficRouting: {alb: {servicePort: 80, ingress: model}}}}}",
    source=REFERENCES,
)
def not_one_field(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a router names either one object or a list of objects."""
    for router, (one, many) in ONE_OR_MANY.items():
        settings = ctx.rollout.router(router)
        if settings is None:
            continue
        single = has(settings, one) if router == "istio" else bool(settings.get(one))
        if single == has(settings, many):
            found = "both" if single else "neither"
            yield Problem(
                (*ROUTING, router), f"exactly one of `{one}` and `{many}` is needed, {found} is set"
            )


@invalid_rollout(
    "ROL205",
    "an Ingress has no rule for the Service that the Rollout moves",
    remedy="Give the Ingress a rule whose backend is the `stableService` (ALB: the `rootService`).",
    example="""\
spec: {strategy: {canary: {trafficRouting: {alb: {servicePort: 80, ingress: model}}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: model, namespace: shop}
spec: {rules: [{http: {paths: [{backend: {service: {name: other, port: {name: use-annotation}}}}]}}]}
""",
    instead="""\
spec: {strategy: {canary: {trafficRouting: {alb: {servicePort: 80, ingress: model}}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: model, namespace: shop}
spec: {rules: [{http: {paths: [{backend: {service: {name: model-stable, port: {name: use-annotation}}}}]}}]}
""",
    source=REFERENCES,
)
def ingress_without_backend(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that every Ingress of the router has a rule for the Service, if it is in the tree."""
    root = as_text((ctx.rollout.router("alb") or {}).get("rootService"))
    wanted = root or as_text((ctx.rollout.canary or {}).get("stableService"))
    for reference in ctx.rollout.ingresses:
        ingress = ctx.objects.find("Ingress", reference.namespace, reference.name)
        if ingress is not None and wanted not in _backends(ingress):
            yield Problem(
                reference.path, f"the Ingress `{ingress.name}` has no rule for the Service `{wanted}`"
            )


def _backends(ingress: Object) -> Iterator[str]:
    for _, item in each(ingress.spec.get("rules"), ()):
        for _, path in each(as_map(item.get("http")).get("paths"), ()):
            backend = as_map(path.get("backend"))
            yield as_text(as_map(backend.get("service")).get("name")) or as_text(backend.get("serviceName"))


@rule(
    "ROL206",
    "error",
    "a VirtualService has no route to both versions",
    scope=RolloutContext,
    why=f"The controller needs two destinations to move the weights of a route. {INVALID}",
    remedy="Give every managed route two destinations, and name the routes if there are several.",
    example="""\
spec: {strategy: {canary: {trafficRouting: {istio: {virtualService: {name: model}}}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: model, namespace: shop}
spec: {http: [{route: [{destination: {host: model-stable}}]}]}
""",
    instead="""\
spec: {strategy: {canary: {trafficRouting: {istio: {virtualService: {name: model}}}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: model, namespace: shop}
spec: {http: [{route: [{destination: {host: model-stable}}, {destination: {host: model-canary}}]}]}
""",
    source=_ISTIO,
)
def unusable_virtual_service(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the moved routes of a VirtualService have both destinations, if it is in the tree."""
    for path, settings in ctx.rollout.virtual_services:
        reference = ctx.rollout.virtual_service(path, settings)
        service = ctx.objects.find("VirtualService", reference.namespace, reference.name)
        for message in _route_gaps(ctx.rollout, settings, service.spec) if service is not None else ():
            yield Problem(path, f"VirtualService `{reference.name}`: {message}")


def _route_gaps(rollout: Rollout, settings: Body, spec: Body) -> Iterator[str]:
    """Yield the reasons why the controller cannot move the routes of a VirtualService."""
    if not any(has(spec, kind) for kind in ("http", "tls", "tcp")):
        yield "it has no http, tls or tcp routes"
    if has(spec, "http"):
        yield from _http_gaps(rollout, settings, _routes(spec, "http"))
    if has(spec, "tls"):
        yield from _port_gaps(rollout, _routes(settings, "tlsRoutes"), _routes(spec, "tls"))
    if has(spec, "tcp"):
        yield from _port_gaps(rollout, _routes(settings, "tcpRoutes"), _routes(spec, "tcp"))


def _routes(holder: Body, key: str) -> list[Body]:
    return [as_map(route) for route in as_list(holder.get(key))]


def _http_gaps(rollout: Rollout, settings: Body, routes: list[Body]) -> Iterator[str]:
    wanted = [as_text(name) for name in as_list(settings.get("routes"))]
    by_name: dict[str, Body] = {}
    for route in routes:
        by_name.setdefault(as_text(route.get("name")), route)
    for name in wanted:
        if name not in by_name:
            yield f"it has no http route named `{name}`"
            return
    moved = [by_name[name] for name in wanted]
    if not wanted:
        unnamed = [route for route in routes if not as_text(route.get("name"))]
        moved = routes if len(routes) == 1 else unnamed[:1]
    for route in moved:
        yield from _destination_gaps(rollout, route)
    managed = [route.get("name") for route in _routes(rollout.routing or {}, "managedRoutes")]
    if not wanted and sum(as_text(route.get("name")) not in managed for route in routes) > 1:
        yield "it has several http routes, so the Rollout must name the ones to move"


def _port_gaps(rollout: Rollout, wanted: list[Body], routes: list[Body]) -> Iterator[str]:
    moved = []
    if not wanted:
        if len(routes) != 1:
            yield "it does not have exactly one tls or tcp route, so the Rollout must name the ones to move"
        moved = routes[:1]
    for item in wanted:
        found = [route for route in routes if _has_port(item, route)]
        if not found:
            yield "it has no tls or tcp route with the port and hosts that the Rollout names"
            return
        moved += found
    for route in moved:
        yield from _destination_gaps(rollout, route)


def _has_port(wanted: Body, route: Body) -> bool:
    matches = _routes(route, "match")
    ports = {as_int(match.get("port")) for match in matches} or {0}
    hosts = {as_text(host) for match in matches for host in as_list(match.get("sniHosts"))}
    named = {as_text(host) for host in as_list(wanted.get("sniHosts"))}
    return ports == {as_int(wanted.get("port"))} and hosts == named


def _destination_gaps(rollout: Rollout, route: Body) -> Iterator[str]:
    destinations = [as_map(item.get("destination")) for item in _routes(route, "route")]
    subsets = (rollout.router("istio") or {}).get("destinationRule")
    if subsets is not None:
        noun = "subset"
        present = {as_text(destination.get("subset")) for destination in destinations}
        wanted = [as_text(as_map(subsets).get(key)) for key in ("canarySubsetName", "stableSubsetName")]
    else:
        noun = "Service"
        present = {as_text(destination.get("host")).split(".")[0] for destination in destinations}
        wanted = list(reversed(rollout.stable_and_canary))
    for name in wanted:
        if not name or name not in present:
            yield f"a route has no destination for the {noun} `{name}`"


@invalid_rollout(
    "ROL207",
    "the Ambassador router lists no Mapping, or one that sets a weight",
    because="The controller writes the weight of a copy of the Mapping.",
    remedy="List at least one Mapping, and remove `spec.weight` from it.",
    example="spec: {strategy: {canary: {trafficRouting: {ambassador: {mappings: []}}}}}",
    instead="spec: {strategy: {canary: {trafficRouting: {ambassador: {mappings: [model]}}}}}",
    source=REFERENCES,
)
def unusable_mapping(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that there is a Mapping, and that those in the tree have no weight."""
    settings, path = ctx.rollout.router("ambassador"), (*ROUTING, "ambassador", "mappings")
    if settings is not None and not as_list(settings.get("mappings")):
        yield Problem(path, "no Mapping is listed")
    for i, name in enumerate(as_list((settings or {}).get("mappings"))):
        mapping = ctx.objects.find("Mapping", ctx.namespace, as_text(name))
        if mapping is not None and mapping.spec.get("weight"):
            yield Problem((*path, i), f"the Mapping `{name}` sets a weight")


@invalid_rollout(
    "ROL208",
    "a route of an App Mesh router does not have exactly two targets",
    because="The controller splits the weight between a stable and a canary node.",
    remedy="Give each route of the VirtualRouter exactly the stable and the canary node as `weightedTargets`.",
    example="""\
spec: {strategy: {canary: {trafficRouting: {appMesh: {virtualService: {name: model}}}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualRouter
metadata: {name: model, namespace: shop}
spec: {routes: [{httpRoute: {action: {weightedTargets: [{weight: 1}]}}}]}
""",
    instead="""\
spec: {strategy: {canary: {trafficRouting: {appMesh: {virtualService: {name: model}}}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualRouter
metadata: {name: model, namespace: shop}
spec: {routes: [{httpRoute: {action: {weightedTargets: [{weight: 1}, {weight: 0}]}}}]}
""",
    source=REFERENCES,
)
def not_two_targets(ctx: RolloutContext) -> Iterator[Problem]:
    """Check the routers of the tree; which one a virtual service uses is known in the cluster only."""
    if ctx.rollout.router("appMesh") is None:
        return
    for router in ctx.objects.of_kind("VirtualRouter"):
        for route in _routes(router.spec, "routes"):
            if any(count != 2 for count in _target_counts(route)):
                yield Problem((*ROUTING, "appMesh"), f"{router} has a route without exactly two targets")


def _target_counts(route: Body) -> Iterator[int]:
    for kind in ("httpRoute", "http2Route", "grpcRoute", "tcpRoute"):
        if has(route, kind):
            yield len(as_list(as_map(as_map(route[kind]).get("action")).get("weightedTargets")))


@rule(
    "ROL216",
    "error",
    "a rule of a Gateway API route names only one Service of the Rollout",
    scope=RolloutContext,
    why="The plugin also sets the weight of a rule with only the stable Service: at 100% it returns errors. A rule "
    "with only the canary Service is deleted together with header routes. Without both, the first `setWeight` fails.",
    remedy="Give the rule backendRefs to the stable and to the canary Service.",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: model, namespace: shop}
spec: {rules: [{backendRefs: [{name: model-stable, port: 80}]}]}
""",
    instead="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: model, namespace: shop}
spec: {rules: [{backendRefs: [{name: model-stable, port: 80}, {name: model-canary, port: 80}]}]}
""",
    source="Gateway API plugin 0.15, pkg/plugin/httproute.go",
)
def incomplete_route_rules(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a rule of a route names both Services or none, and that some rule names both."""
    pair = set(ctx.rollout.stable_and_canary)
    for reference in ctx.rollout.gateway_routes:
        route = ctx.objects.find(reference.kind, reference.namespace, reference.name)
        named = [] if route is None else [_services(rule) for rule in _routes(route.spec, "rules")]
        both = " and ".join(f"`{name}`" for name in sorted(pair))
        if any(len(pair & services) == 1 for services in named):
            yield Problem(reference.path, f"a rule of {route} names only one of {both}")
        elif named and not any(pair <= services for services in named):
            yield Problem(reference.path, f"no rule of {route} names {both}")


def _services(rule_of_route: Body) -> set[str]:
    return {as_text(ref.get("name")) for ref in _routes(rule_of_route, "backendRefs")}


@rule(
    "ROL218",
    "error",
    "the weighted TraefikService does not list both Services",
    scope=RolloutContext,
    why="The controller cannot set the weight of a Service that is not listed, and the first `setWeight` fails.",
    remedy="List the stable and the canary Service under `spec.weighted.services`.",
    example="""\
spec: {strategy: {canary: {trafficRouting: {traefik: {weightedTraefikServiceName: model}}}}}
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: model, namespace: shop}
spec: {weighted: {services: [{name: model-stable, port: 80}]}}
""",
    instead="""\
spec: {strategy: {canary: {trafficRouting: {traefik: {weightedTraefikServiceName: model}}}}}
---
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: model, namespace: shop}
spec: {weighted: {services: [{name: model-stable, port: 80}, {name: model-canary, port: 80}]}}
""",
    source="Argo Rollouts 1.10, rollout/trafficrouting/traefik/traefik.go",
)
def incomplete_traefik_service(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the TraefikService lists both Services, if it is in the tree."""
    name = as_text((ctx.rollout.router("traefik") or {}).get("weightedTraefikServiceName"))
    service = ctx.objects.find("TraefikService", ctx.namespace, name)
    if service is None:
        return
    listed = {as_text(item.get("name")) for item in _routes(as_map(service.spec.get("weighted")), "services")}
    for wanted in ctx.rollout.stable_and_canary:
        if wanted not in listed:
            path = (*ROUTING, "traefik", "weightedTraefikServiceName")
            yield Problem(path, f"the TraefikService `{name}` does not list `{wanted}`")


_CROSSING: Final = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: cart, namespace: {own}}}
spec: {{rules: [{{backendRefs: [{{name: model-stable, {other}port: 80}}]}}]}}
"""


@rule(
    "VER154",
    "warning",
    "a route sends to another namespace without a grant",
    scope=TreeContext,
    why="The Gateway refuses the backend and answers 500.",
    remedy="Add a ReferenceGrant in the namespace of the Service.",
    example=_CROSSING.format(own="web", other="namespace: shop, "),
    instead=_CROSSING.format(own="shop", other=""),
    source="Gateway API 1.4, ReferenceGrant",
)
def crossing_without_grant(ctx: TreeContext) -> Iterator[Problem]:
    """Check that a ReferenceGrant allows every backend of a route in another namespace."""
    for route, at, backend, _ in service_backends(ctx.objects):
        namespace, name = as_text(backend.get("namespace")) or route.namespace, as_text(backend.get("name"))
        if not may_share_namespace(namespace, route.namespace) and not _is_granted(
            ctx.objects, route, namespace, name
        ):
            message = (
                f"{route} sends to Service {namespace}/{name}, and no ReferenceGrant in the tree allows it"
            )
            yield Problem((*at, "namespace"), message, document=route)


def _is_granted(objects: Objects, route: Object, namespace: str, name: str) -> bool:
    for grant in objects.of(_GATEWAY, "ReferenceGrant"):
        origins = [_origin(as_map(entry)) for entry in as_list(grant.spec.get("from"))]
        targets = [as_map(entry) for entry in as_list(grant.spec.get("to"))]
        named = any(
            target.get("kind") == "Service" and as_text(target.get("name")) in ("", name)
            for target in targets
        )
        if grant.namespace == namespace and named and (_GATEWAY, "HTTPRoute", route.namespace) in origins:
            return True
    return False


def _origin(entry: Body) -> tuple[str, str, str]:
    return as_text(entry.get("group")), as_text(entry.get("kind")), as_text(entry.get("namespace"))
