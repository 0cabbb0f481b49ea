"""Services and the routes between them, one function a router."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from generator.plan.names import FEEDBACK, PREDICT, Names
from generator.plan.strategy import Canary
from generator.plan.values import Plan
from generator.render.output import Output

# A user is told of a time-out by the service, not by the gateway: the route waits a little longer.
_ROUTE_MARGIN_S = 5


def services(plan: Plan) -> Iterator[Output]:
    """The Services of both versions, and of the shadow."""
    names, model = Names(plan.identity.model), plan.identity.model
    if plan.rollout.strategy == "blue-green":
        roles = {"active": names.active, "preview": names.preview}
    elif plan.routing.kind == "none":
        roles = {"main": model}
    else:
        roles = {"stable": names.stable, "canary": names.canary}
    for role, name in roles.items():
        yield Output(f"service-{role}.yaml", "kubernetes/service.yaml.j2", {"name": name, "app": model})
    if shadow_percent(plan):
        yield Output(
            "service-shadow.yaml", "kubernetes/service.yaml.j2", {"name": names.shadow, "app": names.shadow}
        )


def routes(plan: Plan) -> Iterator[Output]:
    """What splits the live traffic."""
    yield from _ROUTERS[plan.routing.kind](plan)


def shadow_percent(plan: Plan) -> int:
    """Share of live requests that is copied, in percent; 0 without a shadow."""
    shadow = plan.rollout.shadow if isinstance(plan.rollout, Canary) else None
    return max(1, round(100 * shadow.percent)) if shadow else 0


def _backends(plan: Plan) -> list[dict[str, object]]:
    names = Names(plan.identity.model)
    if plan.rollout.strategy == "blue-green":
        return [{"name": names.active, "weight": 100}]
    return [{"name": names.stable, "weight": 100}, {"name": names.canary, "weight": 0}]


def _common(plan: Plan) -> dict[str, object]:
    """Two rules: feedback is never copied, a shadow would count the outcomes of others."""
    routes = [
        {"name": "predict", "path": PREDICT, "mirror": shadow_percent(plan)},
        {"name": "feedback", "path": FEEDBACK, "mirror": 0},
    ]
    return {
        "routes": routes,
        "backends": _backends(plan),
        "timeout_s": plan.bento.timeout_s + _ROUTE_MARGIN_S,
    }


def _gateway_api(plan: Plan) -> Iterator[Output]:
    yield Output("httproute-main.yaml", "kubernetes/httproute.yaml.j2", _common(plan))


def _istio(plan: Plan) -> Iterator[Output]:
    yield Output("virtualservice-main.yaml", "kubernetes/virtualservice.yaml.j2", _common(plan))


def _traefik(plan: Plan) -> Iterator[Output]:
    names, model, percent = Names(plan.identity.model), plan.identity.model, shadow_percent(plan)
    blue_green = plan.rollout.strategy == "blue-green"
    kind, service = ("Service", names.active) if blue_green else ("TraefikService", model)
    hosts = " || ".join(f"Host(`{host}`)" for host in plan.routing.hosts)
    predict = names.shadow if percent else service
    yield Output(
        "ingressroute-main.yaml",
        "kubernetes/ingressroute.yaml.j2",
        {
            "routes": [
                {"rule": f"({hosts}) && Path(`{path}`)", "kind": kind, "service": target}
                for path, target in ((PREDICT, predict), (FEEDBACK, service))
            ]
        },
    )
    if not blue_green:
        yield Output("traefikservice-main.yaml", "kubernetes/traefikservice.yaml.j2", _common(plan))
    if percent:
        yield Output(
            "traefikservice-shadow.yaml", "kubernetes/traefikservice-mirror.yaml.j2", {"percent": percent}
        )


def _none(plan: Plan) -> Iterator[Output]:
    del plan
    yield from ()


_ROUTERS: dict[str, Callable[[Plan], Iterator[Output]]] = {
    "gateway-api": _gateway_api,
    "istio": _istio,
    "traefik": _traefik,
    "none": _none,
}
