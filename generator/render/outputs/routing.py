"""Services, and the routes between them."""

from __future__ import annotations

from collections.abc import Iterator

from generator.plan.names import FEEDBACK, PREDICT, Names
from generator.plan.values import Plan
from generator.render.output import Output
from generator.routers import Backend, Route, Traffic

# The route waits a little longer, so that the service reports a time-out before the gateway does.
_ROUTE_MARGIN_S = 5


def services(plan: Plan) -> Iterator[Output]:
    """Yield the Services of both versions, and that of the shadow."""
    names, model = Names(plan.identity.model), plan.identity.model
    if plan.rollout.strategy == "blue-green":
        roles = {"active": names.active, "preview": names.preview}
    elif plan.routing.router.splits_requests:
        roles = {"stable": names.stable, "canary": names.canary}
    else:
        roles = {"main": model}
    for role, name in roles.items():
        yield Output(f"service-{role}.yaml", "kubernetes/service.yaml.j2", {"name": name, "app": model})
    if shadow_percent(plan):
        yield Output(
            "service-shadow.yaml", "kubernetes/service.yaml.j2", {"name": names.shadow, "app": names.shadow}
        )


def routes(plan: Plan) -> Iterator[Output]:
    """Yield the objects that split live requests."""
    for found in plan.routing.router.routes(traffic(plan)):
        yield Output(found.file, found.template, found.context)


def traffic(plan: Plan) -> Traffic:
    """Return the requests that the router splits.

    Feedback is never copied: a shadow would count outcomes of other versions.
    """
    names = Names(plan.identity.model)
    if plan.rollout.strategy == "blue-green":
        backends: tuple[Backend, ...] = (Backend(names.active, 100),)
    else:
        backends = (Backend(names.stable, 100), Backend(names.canary, 0))
    return Traffic(
        model=plan.identity.model,
        hosts=plan.routing.hosts,
        routes=(Route("predict", PREDICT, shadow_percent(plan)), Route("feedback", FEEDBACK, 0)),
        backends=backends,
        shadow=names.shadow,
        timeout_s=plan.bento.timeout_s + _ROUTE_MARGIN_S,
    )


def shadow_percent(plan: Plan) -> int:
    """Return the percentage of live requests that are copied; 0 without a shadow."""
    shadow = plan.rollout.shadow
    return max(1, round(100 * shadow.percent)) if shadow else 0
