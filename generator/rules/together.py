"""Models side by side: what a team may use and spend, and who answers for which host."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import add

from generator.lint.engine import Problem, Related, rule
from generator.odds.cost import currencies, monthly
from generator.odds.footprint import Footprint
from generator.plan.peak import Need
from generator.rules.context import FleetContext
from generator.source.quantity import quantity_amount
from generator.spec.platform import PlatformSpec, Quota

_SHOWN = 5


def _by_team(context: FleetContext) -> dict[tuple[str, str], list[Footprint]]:
    """Footprints by team and environment."""
    found: dict[tuple[str, str], list[Footprint]] = defaultdict(list)
    for each in context.footprints:
        found[each.team, each.environment].append(each)
    return found


@rule(
    "TEAM801",
    "error",
    "a team's models need more than its quota at their peak",
    scope=FleetContext,
    why="A quota that is hit in mid-release shows only as pods that never start, until the rollout is aborted.",
    remedy="Raise the team's quota, or lower `replicas`, `autoscaling.max` or `resources`.",
)
def quota(context: FleetContext) -> Iterator[Problem]:
    """Requests of all pods of a team in one environment, each model in the middle of a release."""
    for (team, environment), models in _by_team(context).items():
        allowed = context.platform.teams[team].quota
        if allowed is None:
            continue
        total = reduce(add, (model.most for model in models), Need())
        for key, asked, limit in _over(total, allowed):
            message = f"the models of `{team}` need {asked} {key} in {environment} at their peak; the quota is {limit}"
            hint = "raise the quota, or lower `replicas`, `autoscaling.max` or `resources` of its models"
            path = ("spec", "teams", team, "quota", key)
            yield Problem(path, message, hint, _largest(context, models))


def _over(total: Need, allowed: Quota) -> Iterator[tuple[str, str, str]]:
    """Resources above the quota: name, asked, allowed."""
    if total.cpu > float(quantity_amount(allowed.cpu)) + 1e-9:
        yield "cpu", f"{total.cpu:g}", allowed.cpu
    if total.memory > quantity_amount(allowed.memory):
        yield "memory", f"{-(-total.memory // 2**20)}Mi", allowed.memory
    if total.gpu > allowed.gpu:
        yield "gpu", str(total.gpu), str(allowed.gpu)


def _largest(context: FleetContext, models: list[Footprint]) -> Related:
    """The models that need most CPU, with their specs."""
    largest = sorted(models, key=lambda model: -model.most.cpu)[:_SHOWN]
    return tuple(
        (
            f"{model.model}: {model.most.pods} pods, {model.most.cpu:g} CPU, {-(-model.most.memory // 2**20)}Mi",
            context.layers(model).place(("spec", "resources")),
        )
        for model in largest
    )


@rule(
    "TEAM802",
    "error",
    "a team's models cost more than its budget",
    scope=FleetContext,
    why="The bill comes at the end of the month; the spec says it now.",
    remedy="Raise the team's budget, or lower `replicas`, `autoscaling` or `resources`.",
)
def budget(context: FleetContext) -> Iterator[Problem]:
    """Monthly cost between releases, all environments: an error at the fewest pods, a warning at the most."""
    owned: dict[str, list[Footprint]] = defaultdict(list)
    for each in context.footprints:
        owned[each.team].append(each)
    yield from budget_problems(context.platform, owned)


@rule(
    "TEAM803",
    "error",
    "two models answer for the same host",
    scope=FleetContext,
    why="The older route wins, or both do: the requests of one model reach the other.",
    remedy="Give one of them another host in `traffic.hosts`.",
)
def hosts(context: FleetContext) -> Iterator[Problem]:
    """Hosts of one environment, each for one model."""
    taken: dict[tuple[str, str], Footprint] = {}
    for mine in context.footprints:
        for index, host in enumerate(mine.hosts):
            theirs = taken.setdefault((mine.environment, host), mine)
            if theirs == mine:
                continue
            document, path = context.layers(mine).where(("spec", "traffic", "hosts", index))
            message = f"`{host}` is the host of {theirs.team}/{theirs.model} and of {mine.team}/{mine.model} "
            message += f"in {mine.environment}"
            related = (("the other model", context.layers(theirs).place(("spec", "traffic", "hosts"))),)
            yield Problem(path, message, "give one of them another host", related, document=document)


def budget_problems(platform: PlatformSpec, owned: Mapping[str, Sequence[Footprint]]) -> Iterator[Problem]:
    """Budgets that the models of a team exceed."""
    for team, models in owned.items():
        budget = platform.teams[team].budget
        if budget is None or currencies(platform.prices) != [budget.monthly.currency]:
            continue
        fewest = math.fsum(monthly(model.usual, platform.prices) for model in models)
        most = math.fsum(monthly(model.scaled, platform.prices) for model in models)
        path = ("spec", "teams", team, "budget", "monthly")
        hint = "raise the budget, or lower `replicas`, `autoscaling` or `resources` of its models"
        currency, allowed = budget.monthly.currency, budget.monthly
        if fewest > allowed.amount:
            message = f"the models of `{team}` cost at least {math.ceil(fewest)} {currency} a month; "
            yield Problem(path, f"{message}the budget is {allowed}", hint)
        elif most > allowed.amount:
            message = f"the models of `{team}` cost up to {math.ceil(most)} {currency} a month when all are scaled up; "
            yield Problem(path, f"{message}the budget is {allowed}", hint, severity="warning")
