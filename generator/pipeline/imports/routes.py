"""Where the requests of a release come from: hosts, the path of predictions, and the router of its environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from generator.dataclass import dataclass
from generator.lint import Rollout, as_int, as_list, as_map, as_text, each, go_duration
from generator.pipeline.imports.account import Account
from generator.pipeline.imports.family import Family
from generator.pipeline.imports.pod import fits
from generator.routers import ROUTERS
from generator.source.document import Path
from generator.spec.container import HttpPath
from generator.spec.types import Host, Name
from generator.spec.units import duration

_PLUGIN: Final = "argoproj-labs/gatewayAPI"
_BY_ROUTE: Final = {
    "HTTPRoute": "gateway-api",
    "VirtualService": "istio",
    "TraefikService": "traefik",
    "Ingress": "nginx",
}
_FLAGGER: Final = {
    "gatewayapi": "gateway-api",
    "istio": "istio",
    "traefik": "traefik",
    "nginx": "nginx",
    "kubernetes": "none",
}
GATEWAYS: Final = "gateways"
_GROUP: Final = ("metadata", "annotations", "alb.ingress.kubernetes.io/group.name")
_ROUTER_WAITS_S: Final = 5.0
"""Seconds that a rendered route waits longer than `service.timeout`."""


@dataclass(frozen=True)
class RouterSettings:
    """The router of a release.

    Args:
        kind: its kind in the platform file, or the name that Argo Rollouts or Flagger has for it.
        values: its settings in the platform file.
        places: where the tree has each of them.
    """

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    places: tuple[tuple[Account, Path, str], ...] = ()


def read_routes(family: Family) -> RouterSettings:
    """Write `traffic.hosts` and `serve.path` of the spec, and return the router."""
    kind = _kind(family)
    if kind not in ROUTERS:
        family.blocked = (
            family.blocked or f"its router is {kind}, and Sluice has {', '.join(sorted(ROUTERS))}"
        )
        return RouterSettings(kind)
    hosts = list(dict.fromkeys(_hosts(family)))
    if hosts:
        family.spec.setdefault("traffic", {})["hosts"] = hosts
    if "serve" in family.spec:
        path = next(_paths(family), None)
        why = "no route of the tree has the path of predictions, and a release routes that path only"
        family.spec["serve"]["path"] = path or family.assume("serve.path", "/", why)
    seconds = next(_timeouts(family), 0.0)
    if _ROUTER_WAITS_S < seconds <= 3600:
        family.spec.setdefault("service", {})["timeout"] = duration(seconds - _ROUTER_WAITS_S)
    return _settings(family, kind)


def _kind(family: Family) -> str:
    if family.release.tool == "Flagger":
        provider = as_text(family.main.get("spec", "provider")).partition(":")[0]
        service = as_map(family.main.get("spec", "service"))
        if provider:
            return _FLAGGER.get(provider, provider)
        return (
            "gateway-api"
            if service.get("gatewayRefs")
            else "nginx"
            if family.main.get("spec", "ingressRef")
            else "istio"
        )
    rollout = Rollout(family.main.item)
    if rollout.routers:
        first = rollout.routers[0]
        return "gateway-api" if first == _PLUGIN else first
    if rollout.blue_green is None:
        return "none"
    found = next((_BY_ROUTE[route.item.kind] for route in family.routes), "none")
    return found if found in ROUTERS else "none"


def _hosts(family: Family) -> Iterator[str]:
    for account, path in _host_places(family):
        value = account.get(*path)
        if not fits(Host, value):
            account.leave(path, "a host is a DNS name without `*`", "`traffic.hosts`")
            continue
        yield account.take(path, "traffic.hosts")


def _host_places(family: Family) -> Iterator[tuple[Account, Path]]:
    lists: list[tuple[Account, Path]] = [
        (route, ("spec", name)) for route in family.routes for name in ("hostnames", "hosts")
    ]
    if family.release.tool == "Flagger":
        lists.append((family.main, ("spec", "service", "hosts")))
    for account, at in lists:
        yield from ((account, (*at, number)) for number, _ in enumerate(as_list(account.get(*at))))
    for route in family.routes:
        if route.item.kind == "Ingress":
            for path, rule in each(route.get("spec", "rules"), ("spec", "rules")):
                if rule.get("host") is not None:
                    yield route, (*path, "host")


def _paths(family: Family) -> Iterator[str]:
    """Yield the paths of requests, and take the first."""
    for route in family.routes:
        for path in _path_places(route):
            if fits(HttpPath, route.get(*path)):
                yield route.take(path, "serve.path")


def _path_places(route: Account) -> Iterator[Path]:
    for path, rule in each(route.get("spec", "rules"), ("spec", "rules")):
        for at, match in each(rule.get("matches"), (*path, "matches")):
            if as_map(match.get("path")).get("value"):
                yield (*at, "path", "value")
        for at, one in each(as_map(rule.get("http")).get("paths"), (*path, "http", "paths")):
            if one.get("path"):
                yield (*at, "path")
    for path, rule in each(route.get("spec", "http"), ("spec", "http")):
        for at, match in each(rule.get("match"), (*path, "match")):
            uri = as_map(match.get("uri"))
            yield from ((*at, "uri", key) for key in ("exact", "prefix") if uri.get(key))


def _timeouts(family: Family) -> Iterator[float]:
    for route in family.routes:
        for name, below in (("rules", ("timeouts", "request")), ("http", ("timeout",))):
            for path, _ in each(route.get("spec", name), ("spec", name)):
                seconds = go_duration(as_text(route.get(*path, *below)))
                if seconds and _ROUTER_WAITS_S < seconds <= 3600:
                    route.take((*path, *below), "service.timeout")
                    yield seconds


def _settings(family: Family, kind: str) -> RouterSettings:
    values: dict[str, Any] = {}
    places: list[tuple[Account, Path, str]] = []
    sources = [*family.routes, *([family.main] if family.release.tool == "Flagger" else [])]
    for account in sources:
        found = list(_READERS[kind](account)) if kind in _READERS else []
        for path, key, value in found:
            if key not in values and (not isinstance(value, str) or fits(Name, value)):
                values[key] = value
                places.append((account, path, key))
        if values:
            break
    if "gateway" in values and values.get("namespace", family.namespace) == family.namespace:
        for account, path, key in places:
            if key == "namespace" or kind == "istio":
                account.leave(
                    path, "Gateways are in a namespace that is not a team's", f"move it to {GATEWAYS}"
                )
        why = "the namespaces of teams get quotas and network policies, so the Gateway can't be in one"
        values["namespace"] = family.assume("platform: router.namespace", GATEWAYS, why)
        places = [one for one in places if one[2] != "namespace" and kind != "istio"]
    return RouterSettings(kind, values, tuple(places))


def _parents(account: Account) -> Iterator[tuple[Path, str, Any]]:
    flagger = account.item.kind == "Canary"
    at: Path = ("spec", "service", "gatewayRefs", 0) if flagger else ("spec", "parentRefs", 0)
    parent = as_map(account.get(*at))
    for name, key in (
        ("name", "gateway"),
        ("namespace", "namespace"),
        ("sectionName", "section"),
        ("port", "port"),
    ):
        if parent.get(name):
            yield (*at, name), key, as_int(parent[name]) if name == "port" else as_text(parent[name])


def _ingress(account: Account) -> Iterator[tuple[Path, str, Any]]:
    for path, key in ((("spec", "ingressClassName"), "ingressClass"), (_GROUP, "group")):
        if value := as_text(account.get(*path)):
            yield path, key, value


def _gateways(account: Account) -> Iterator[tuple[Path, str, Any]]:
    at: Path = ("spec", "service", "gateways") if account.item.kind == "Canary" else ("spec", "gateways")
    for number, gateway in enumerate(as_list(account.get(*at))):
        namespace, _, name = as_text(gateway).rpartition("/")
        if name and name != "mesh":
            yield (*at, number), "gateway", name.partition(".")[0]
            if namespace:
                yield (*at, number), "namespace", namespace
            return


_READERS: Final[Mapping[str, Callable[[Account], Iterator[tuple[Path, str, Any]]]]] = {
    "gateway-api": _parents,
    "istio": _gateways,
    "nginx": _ingress,
    "alb": _ingress,
}
"""What reads the settings of each router in a route."""
