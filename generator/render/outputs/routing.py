"""Services, and the routes between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generator.plan.names import FEEDBACK, PORT, Names, selector, service_roles
from generator.plan.values import Plan
from generator.render.output import Output
from generator.render.outputs.pods import probe_port
from generator.routers import Backend, Route, Traffic

# The route waits a little longer, so that the service reports a time-out before the gateway does.
_ROUTE_MARGIN_S = 5


def services(plan: Plan) -> Iterator[Output]:
    """Yield the Services of both versions, and that of the shadow."""
    names = Names.of(plan)
    for role, name in service_roles(plan).items():
        yield service(role, name, selector(plan))
    if plan.feedback:
        yield feedback_service(plan, selector(plan))
    if shadow_percent(plan):
        yield service("shadow", names.shadow, selector(plan, names.shadow))


def service(role: str, name: str, selector: Mapping[str, str], target: str = "http") -> Output:
    """Return the Service of some pods, for a port by its name."""
    context = {"name": name, "selector": dict(selector), "target": target}
    return Output(f"service-{role}.yaml", "kubernetes/service.yaml.j2", context)


def feedback_service(plan: Plan, selector: Mapping[str, str]) -> Output:
    """Return the Service of the feedback route of all pods, whichever version they have."""
    return service("feedback", Names.of(plan).feedback, selector, "feedback")


def routes(plan: Plan) -> Iterator[Output]:
    """Yield the objects that split live requests, and those of public feedback.

    Feedback has separate routes: it is neither split nor copied, and a pod counts it for whichever version served.
    """
    router = plan.routing.router
    for found in router.routes(traffic(plan)):
        yield Output(found.file, found.template, found.context)
    if plan.feedback and plan.feedback.public:
        for found in router.routes(_feedback(plan)):
            yield Output(found.file.replace("-main.", "-feedback."), found.template, found.context)


def traffic(plan: Plan) -> Traffic:
    """Return the requests that the router splits."""
    names = Names.of(plan)
    if plan.rollout.strategy == "blue-green":
        backends: tuple[Backend, ...] = (Backend(names.active, 100),)
    else:
        backends = (Backend(names.stable, 100), Backend(names.canary, 0))
    return Traffic(
        name=names.route,
        hosts=plan.routing.hosts,
        routes=tuple(
            Route(f"predict-{number}" if number > 1 else "predict", path, shadow_percent(plan))
            for number, path in enumerate(plan.server.paths, 1)
        ),
        backends=backends,
        shadow=names.shadow,
        timeout_s=plan.server.timeout_s + _ROUTE_MARGIN_S,
        port=PORT,
        health=(plan.server.ready, probe_port(plan)),
    )


def _feedback(plan: Plan) -> Traffic:
    name = Names.of(plan).feedback
    return Traffic(
        name=name,
        hosts=plan.routing.hosts,
        routes=(Route("feedback", FEEDBACK, 0),),
        backends=(Backend(name, 100),),
        shadow="",
        timeout_s=plan.server.timeout_s + _ROUTE_MARGIN_S,
        port=PORT,
        health=(plan.server.ready, probe_port(plan)),
    )


def shadow_percent(plan: Plan) -> int:
    """Return the percentage of live requests that are copied; 0 without a shadow."""
    shadow = plan.rollout.shadow
    return max(1, round(100 * shadow.percent)) if shadow else 0
