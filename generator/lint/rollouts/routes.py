"""Rules about the objects that carry the traffic: Ingress, VirtualService, Mapping, HTTPRoute… (R4 to R8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from generator.lint.rollouts.istio import destination_flaws, virtual_services
from generator.lint.rollouts.model import Body, Object, Path, as_list, as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import ROUTING, Rollout, RolloutContext, has
from generator.routers.argo_rollouts import router_name

_REFERENCES = "pkg/apis/rollouts/validation/validation_references.go"
_ONE_OF = {
    "nginx": ("stableIngress", "stableIngresses"),
    "alb": ("ingress", "ingresses"),
    "istio": ("virtualService", "virtualServices"),
}
_PLUGIN_ROUTES: Mapping[str, str] = {
    "httpRoute": "HTTPRoute",
    "grpcRoute": "GRPCRoute",
    "tcpRoute": "TCPRoute",
    "tlsRoute": "TLSRoute",
}


def route_references(rollout: Rollout) -> Iterator[tuple[Path, str, str]]:
    """Every routing object that a Rollout names: path of the name, kind, name."""
    for path, name in _ingresses(rollout):
        yield path, "Ingress", name
    for path, service in virtual_services(rollout):
        yield (*path, "name"), "VirtualService", as_text(service.get("name")).split(".")[0]
    for i, name in enumerate(as_list((rollout.router("ambassador") or {}).get("mappings"))):
        yield (*ROUTING, "ambassador", "mappings", i), "Mapping", as_text(name)
    traefik = as_text((rollout.router("traefik") or {}).get("weightedTraefikServiceName"))
    if traefik:
        yield (*ROUTING, "traefik", "weightedTraefikServiceName"), "TraefikService", traefik
    apisix = as_text(as_map((rollout.router("apisix") or {}).get("route")).get("name"))
    if apisix:
        yield (*ROUTING, "apisix", "route", "name"), "ApisixRoute", apisix
    yield from _gateway_routes(rollout)


def _ingresses(rollout: Rollout) -> Iterator[tuple[Path, str]]:
    for router in ("nginx", "alb"):
        one, many = _ONE_OF[router]
        settings = rollout.router(router) or {}
        if as_text(settings.get(one)):
            yield (*ROUTING, router, one), as_text(settings[one])
        for i, name in enumerate(as_list(settings.get(many))):
            yield (*ROUTING, router, many, i), as_text(name)


def _gateway_routes(rollout: Rollout) -> Iterator[tuple[Path, str, str]]:
    for plugin, settings in rollout.plugins.items():
        if router_name(plugin) != "gateway-api":
            continue
        path, body = (*ROUTING, "plugins", plugin), as_map(settings)
        for key, kind in _PLUGIN_ROUTES.items():
            if as_text(body.get(key)):
                yield (*path, key), kind, as_text(body[key])
            for i, item in enumerate(as_list(body.get(f"{key}s"))):
                yield (*path, f"{key}s", i, "name"), kind, as_text(as_map(item).get("name"))


@rule(
    "ROL204",
    "error",
    "a router names either one object or a list of them",
    scope="rollout",
    hint="Keep one of the two fields.",
    origin=f"R4 {_REFERENCES}",
)
def one_field_of_two(ctx: RolloutContext) -> Iterator[Flaw]:
    """R4."""
    for router, (one, many) in _ONE_OF.items():
        settings = ctx.rollout.router(router)
        if settings is None:
            continue
        single = has(settings, one) if router == "istio" else bool(settings.get(one))
        if single == has(settings, many):
            yield (*ROUTING, router), f"there must be either {one} or {many}"


@rule(
    "ROL205",
    "error",
    "an Ingress sends traffic to the Service that the Rollout moves",
    scope="rollout",
    hint="Give the Ingress a rule whose backend is the stableService (ALB: the rootService).",
    origin=f"R5 {_REFERENCES}",
)
def ingress_has_backend(ctx: RolloutContext) -> Iterator[Flaw]:
    """R5."""
    root = as_text((ctx.rollout.router("alb") or {}).get("rootService"))
    wanted = root or as_text((ctx.rollout.canary or {}).get("stableService"))
    for path, name in _ingresses(ctx.rollout):
        ingress = ctx.objects.get("Ingress", ctx.rollout.object.key.namespace, name)
        if ingress is not None and wanted not in _backends(ingress):
            yield path, f"the Ingress {name!r} has no rule for the Service {wanted!r}"


def _backends(ingress: Object) -> Iterator[str]:
    for item in as_list(as_map(ingress.body.get("spec")).get("rules")):
        for path in as_list(as_map(as_map(item).get("http")).get("paths")):
            backend = as_map(as_map(path).get("backend"))
            yield as_text(as_map(backend.get("service")).get("name")) or as_text(backend.get("serviceName"))


@rule(
    "ROL206",
    "error",
    "a VirtualService has routes to both the stable and the canary",
    scope="rollout",
    hint="Give every managed route two destinations, and name the routes where there are several.",
    origin="R6 rollout/trafficrouting/istio/istio.go",
)
def virtual_service_has_routes(ctx: RolloutContext) -> Iterator[Flaw]:
    """R6."""
    for path, settings in virtual_services(ctx.rollout):
        name = as_text(settings.get("name")).split(".")[0]
        service = ctx.objects.get("VirtualService", ctx.rollout.object.key.namespace, name)
        for message in destination_flaws(ctx.rollout, settings, service) if service is not None else ():
            yield path, f"VirtualService {name!r}: {message}"


@rule(
    "ROL207",
    "error",
    "an Ambassador Mapping leaves the weight to the controller",
    scope="rollout",
    hint="List at least one Mapping, and remove spec.weight from it.",
    origin=f"R7 {_REFERENCES}",
)
def mapping_without_weight(ctx: RolloutContext) -> Iterator[Flaw]:
    """R7."""
    settings, path = ctx.rollout.router("ambassador"), (*ROUTING, "ambassador", "mappings")
    if settings is not None and not as_list(settings.get("mappings")):
        yield path, "there is no Mapping"
    for i, name in enumerate(as_list((settings or {}).get("mappings"))):
        mapping = ctx.objects.get("Mapping", ctx.rollout.object.key.namespace, as_text(name))
        if mapping is not None and as_map(mapping.body.get("spec")).get("weight"):
            yield (*path, i), f"the Mapping {name!r} sets a weight"


@rule(
    "ROL208",
    "error",
    "an App Mesh virtual router has two weighted targets a route",
    scope="rollout",
    hint="Give each route of the VirtualRouter exactly the stable and the canary node as weightedTargets.",
    origin=f"R8 {_REFERENCES}",
)
def mesh_routes_have_two_targets(ctx: RolloutContext) -> Iterator[Flaw]:
    """R8 (the router of the tree; which one the virtual service uses is known in the cluster only)."""
    if ctx.rollout.router("appMesh") is None:
        return
    for router in ctx.objects.of_kind("VirtualRouter"):
        for route in as_list(as_map(router.body.get("spec")).get("routes")):
            if any(len(targets) != 2 for targets in _targets(as_map(route))):
                yield (*ROUTING, "appMesh"), f"{router.key} has a route without exactly two targets"


def _targets(route: Body) -> Iterator[Sequence[object]]:
    for kind in ("httpRoute", "http2Route", "grpcRoute", "tcpRoute"):
        if has(route, kind):
            yield as_list(as_map(as_map(route[kind]).get("action")).get("weightedTargets"))


@rule(
    "ROL216",
    "error",
    "a Gateway API rule that names one Service of a Rollout names both",
    scope="rollout",
    hint="Give the rule backendRefs to the stable and to the canary Service.",
    origin="plugin gatewayAPI pkg/plugin/httproute.go",
)
def route_rules_name_both(ctx: RolloutContext) -> Iterator[Flaw]:
    """The plugin cannot shift the weight of a rule that lacks one of the two (1.4.1)."""
    pair = set(ctx.rollout.stable_and_canary)
    for path, kind, name in _gateway_routes(ctx.rollout):
        route = ctx.objects.get(kind, ctx.rollout.object.key.namespace, name)
        named = list(_rules(route)) if route is not None else []
        if any(len(pair & services) == 1 for services in named):
            yield path, f"{kind} {name!r} has a rule that names only one of {' and '.join(sorted(pair))}"
        if named and not any(pair <= services for services in named):
            yield path, f"{kind} {name!r} has no rule that names {' and '.join(sorted(pair))}"


def _rules(route: Object) -> Iterator[set[str]]:
    for item in as_list(as_map(route.body.get("spec")).get("rules")):
        refs = as_list(as_map(item).get("backendRefs"))
        yield {as_text(as_map(ref).get("name")) for ref in refs}


@rule(
    "ROL218",
    "error",
    "the weighted TraefikService holds both Services",
    scope="rollout",
    hint="List the stable and the canary Service under spec.weighted.services.",
    origin="rollout/trafficrouting/traefik/traefik.go",
)
def traefik_service_has_both(ctx: RolloutContext) -> Iterator[Flaw]:
    """The controller fails to set a weight on a service that is not listed."""
    settings = ctx.rollout.router("traefik") or {}
    name = as_text(settings.get("weightedTraefikServiceName"))
    service = ctx.objects.get("TraefikService", ctx.rollout.object.key.namespace, name)
    if service is None:
        return
    weighted = as_map(as_map(service.body.get("spec")).get("weighted"))
    listed = {as_text(as_map(item).get("name")) for item in as_list(weighted.get("services"))}
    for wanted in ctx.rollout.stable_and_canary:
        if wanted not in listed:
            yield (*ROUTING, "traefik", "weightedTraefikServiceName"), f"{name!r} does not list {wanted!r}"
