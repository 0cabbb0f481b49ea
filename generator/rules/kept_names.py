"""Rules on the names that Services and routes keep: each names one object of one model, which the model has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.odds.footprint import ResourceFootprint
from generator.plan.derived import object_names
from generator.plan.names import Names, kept_names, service_roles
from generator.plan.values import Plan
from generator.rules.context import Context, FleetContext
from generator.source.document import Path

_NAMES: Final[Path] = ("spec", "traffic", "names")


@rule(
    "NAME408",
    "error",
    "a Service or a route keeps a name that another object of the namespace has",
    scope=FleetContext,
    why="Both would be one object: the Service selects the pods of only one of them, or the route sends requests to "
    "only one. Argo CD refuses to sync an object that two Applications have.",
    remedy="Keep another name in `traffic.names`, or none.",
    example="""
# specs/shop/ranker.yaml
spec: {traffic: {names: {service: recommendations}}}
# specs/shop/sorter.yaml
spec: {traffic: {names: {service: recommendations}}}
""",
    instead="""
# specs/shop/ranker.yaml
spec: {traffic: {names: {service: recommendations}}}
# specs/shop/sorter.yaml
spec: {traffic: {names: {service: sorting}}}
""",
    source="Argo CD 3.6, docs/user-guide/sync-options.md (FailOnSharedResource)",
)
def kept(context: FleetContext) -> Iterator[Problem]:
    """Check kept names against each other, and against the names of all models of the team."""
    taken: dict[tuple[str, str, str, str], ResourceFootprint] = {}
    for mine in context.footprints:
        for key, (kind, name) in mine.kept:
            first = taken.setdefault((mine.team, mine.environment, kind, name), mine)
            other = (
                f"{first.team}/{first.model}" if first is not mine else _namesake(context, mine, kind, name)
            )
            if other:
                message = f"the {kind} `{name}` in {mine.environment} would belong to {other}, too"
                document, path = context.layers(mine).where((*_NAMES, key))
                yield Problem(path, message, "keep another name, or none", document=document)


def _namesake(context: FleetContext, mine: ResourceFootprint, kind: str, name: str) -> str:
    """Return another model of the team that has this name, or may have it after a change of its spec."""
    others = (entry for entry in context.repository.entries if entry.team == mine.team)
    for entry in others:
        if entry.model != mine.model and name in object_names(kind, entry.model):
            return entry.name
    return ""


@rule(
    "NAME409",
    "error",
    "a Service or a route keeps a name that does not fit the model",
    scope=Context,
    why="A name for an object that is not rendered does nothing. Two Services of one name are one, so users would "
    "reach the version under test.",
    remedy="Remove it from `traffic.names`, or give the two objects different names.",
    example="""
spec: {traffic: {names: {service: recommendations, newService: recommendations}}}
""",
    instead="""
spec: {traffic: {names: {service: recommendations, newService: recommendations-canary}}}
""",
)
def fits(context: Context) -> Iterator[Problem]:
    """Check that the model has the objects whose names it keeps, and that they differ from its others."""
    plan = context.plan
    had = {
        "service": True,
        "newService": len(service_roles(plan)) > 1,
        "route": plan.routing.router.splits_requests,
    }
    for key, (kind, name) in kept_names(plan).items():
        if not had[key]:
            message = f"no {kind} of this model has the name `{name}`: the router is {plan.routing.kind}"
            yield Problem((*_NAMES, key), message, "remove it", on_key=True)
        elif _own(plan, kind).count(name) > 1:
            message = f"two objects of this model would be the {kind} `{name}`"
            yield Problem((*_NAMES, key), message, "keep another name")


def _own(plan: Plan, kind: str) -> list[str]:
    """Return the names of a model's Services or routes, also of those that it has after a change of its spec."""
    names = Names.of(plan)
    if kind == "Service":
        return [*service_roles(plan).values(), names.feedback, names.shadow]
    return [names.route, names.feedback, names.shadow]
