"""Which routes of a VirtualService a Rollout moves, and what they lack (trafficrouting/istio/istio.go)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.lint.rollouts.model import Body, Object, Path, as_int, as_list, as_map, as_text
from generator.lint.rollouts.view import ROUTING, Rollout, has


def virtual_services(rollout: Rollout) -> Iterator[tuple[Path, Body]]:
    """The VirtualServices that a Rollout names, with the path of their settings."""
    istio = rollout.router("istio") or {}
    if has(istio, "virtualService"):
        yield (*ROUTING, "istio", "virtualService"), as_map(istio["virtualService"])
    for i, item in enumerate(as_list(istio.get("virtualServices"))):
        yield (*ROUTING, "istio", "virtualServices", i), as_map(item)


def destination_flaws(rollout: Rollout, settings: Body, service: Object) -> Iterator[str]:
    """What keeps the controller from moving the routes of a VirtualService (R6), as messages."""
    spec = as_map(service.body.get("spec"))
    if not any(has(spec, kind) for kind in ("http", "tls", "tcp")):
        yield "it has no http, tls or tcp routes"
    if has(spec, "http"):
        yield from _http_flaws(rollout, settings, _routes(spec, "http"))
    if has(spec, "tls"):
        yield from _port_flaws(rollout, as_list(settings.get("tlsRoutes")), _routes(spec, "tls"))
    if has(spec, "tcp"):
        yield from _port_flaws(rollout, as_list(settings.get("tcpRoutes")), _routes(spec, "tcp"))


def _routes(spec: Body, kind: str) -> list[Body]:
    return [as_map(route) for route in as_list(spec.get(kind))]


def _http_flaws(rollout: Rollout, settings: Body, routes: list[Body]) -> Iterator[str]:
    wanted = [as_text(name) for name in as_list(settings.get("routes"))]
    for name in wanted:
        if not any(as_text(route.get("name")) == name for route in routes):
            yield f"there is no http route named {name!r}"
            return
    moved = [next(route for route in routes if as_text(route.get("name")) == name) for name in wanted]
    if not wanted:
        unnamed = [route for route in routes if not as_text(route.get("name"))]
        moved = routes if len(routes) == 1 else unnamed[:1]
    for route in moved:
        yield from _route_flaws(rollout, route)
    managed = [as_map(r).get("name") for r in as_list((rollout.routing or {}).get("managedRoutes"))]
    if not wanted and sum(as_text(route.get("name")) not in managed for route in routes) > 1:
        yield "it has several http routes, so the Rollout must name the ones to move"


def _port_flaws(rollout: Rollout, wanted: Sequence[object], routes: list[Body]) -> Iterator[str]:
    if not wanted:
        if len(routes) != 1:
            yield "it has several tls or tcp routes or none, so the Rollout must name the ones to move"
        moved = routes[:1]
    else:
        moved = []
        for item in wanted:
            found = [route for route in routes if _is_meant(as_map(item), route)]
            if not found:
                yield "no tls or tcp route has the port and hosts that the Rollout names"
                return
            moved += found
    for route in moved:
        yield from _route_flaws(rollout, route)


def _is_meant(wanted: Body, route: Body) -> bool:
    matches = [as_map(match) for match in as_list(route.get("match"))]
    ports = {as_int(match.get("port")) for match in matches} or {0}
    hosts = {as_text(host) for match in matches for host in as_list(match.get("sniHosts"))}
    named = {as_text(host) for host in as_list(wanted.get("sniHosts"))}
    return ports == {as_int(wanted.get("port"))} and hosts == named


def _route_flaws(rollout: Rollout, route: Body) -> Iterator[str]:
    destinations = [as_map(as_map(item).get("destination")) for item in as_list(route.get("route"))]
    subsets = (rollout.router("istio") or {}).get("destinationRule")
    if subsets is not None:
        present = {as_text(destination.get("subset")) for destination in destinations}
        wanted = [as_text(as_map(subsets).get(key)) for key in ("canarySubsetName", "stableSubsetName")]
        noun = "subset"
    else:
        present = {as_text(destination.get("host")).split(".")[0] for destination in destinations}
        wanted = list(reversed(rollout.stable_and_canary))
        noun = "Service"
    for name in wanted:
        if not name or name not in present:
            yield f"a route lacks the {noun} {name!r}"
