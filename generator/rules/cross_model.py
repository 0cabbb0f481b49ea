"""Rules across models: quotas and budgets."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from functools import reduce
from operator import add, itemgetter

from generator.lint.engine import Problem, Related, rule
from generator.odds.footprint import ResourceFootprint, currencies, monthly
from generator.plan.peak import Need
from generator.rules.context import FleetContext
from generator.source.document import Path
from generator.source.quantity import quantity_amount
from generator.spec.environment import Budget, Quota
from generator.spec.platform import PlatformSpec

_SHOWN = 5


@rule(
    "TEAM801",
    "error",
    "a team's models need more than its quota at their peak",
    scope=FleetContext,
    why="If a quota is reached during a release, pods never start until the rollout is aborted.",
    remedy="Raise the team's quota, or lower `replicas`, `autoscaling.max` or `resources`. In the quota, "
    "`storage` and `objects` have defaults.",
    example="""
# specs/platform.yaml
spec: {teams: {shop: {quota: {cpu: "4", memory: 80Gi}}}}
# specs/shop/ranker.yaml
spec: {replicas: 6}
""",
    instead="""
# specs/platform.yaml
spec: {teams: {shop: {quota: {cpu: "8", memory: 80Gi}}}}
# specs/shop/ranker.yaml
spec: {replicas: 6}
""",
)
def quota(context: FleetContext) -> Iterator[Problem]:
    """Check the requests of all pods of a team in one environment, with every model in a release."""
    teams: dict[tuple[str, str], list[ResourceFootprint]] = defaultdict(list)
    for each in context.footprints:
        teams[each.team, each.environment].append(each)
    for (team, environment), models in teams.items():
        allowed = context.platform.at(environment).teams[team].quota
        if allowed is None:
            continue
        own = context.platform.environments[environment].teams.get(team)
        base: Path = ("spec", "teams", team, "quota")
        if own and own.quota:
            base = context.platform.where_written(
                ("spec", "environments", environment, "teams", team, "quota")
            )
        total = reduce(add, (model.peak for model in models))
        for key, needed, limit in _exceeded(total, allowed):
            message = (
                f"the models of `{team}` need {needed} in {environment} at their peak; the quota is {limit}"
            )
            hint = "raise the quota, or lower `replicas`, `autoscaling.max` or `resources` of its models"
            yield Problem((*base, key), message, hint, _largest(context, models))


def _exceeded(total: Need, allowed: Quota) -> Iterator[tuple[str, str, str]]:
    """Yield the key of each exceeded part of a quota, what is needed, and what is allowed."""
    if total.cpu > float(quantity_amount(allowed.cpu)) + 1e-9:
        yield "cpu", f"{total.cpu:g} cpu", allowed.cpu
    if total.memory > quantity_amount(allowed.memory):
        yield "memory", f"{-(-total.memory // 2**20)}Mi memory", allowed.memory
    if total.gpu > allowed.gpu:
        yield "gpu", f"{total.gpu} gpu", str(allowed.gpu)
    if total.storage > quantity_amount(allowed.storage):
        yield "storage", f"{-(-total.storage // 2**30)}Gi of local storage", allowed.storage
    kind, most = max(("pods", total.pods), ("Services", total.services), key=itemgetter(1))
    if most > allowed.objects:
        yield "objects", f"{most} {kind}", str(allowed.objects)


def _largest(context: FleetContext, models: list[ResourceFootprint]) -> Related:
    """Return the models that need most CPU, with their specs."""
    largest = sorted(models, key=lambda model: -model.peak.cpu)[:_SHOWN]
    return tuple(
        (
            f"{model.model}: {model.peak.pods} pods, {model.peak.cpu:g} CPU, {-(-model.peak.memory // 2**20)}Mi",
            context.layers(model).place(("spec", "resources")),
        )
        for model in largest
    )


@rule(
    "TEAM802",
    "error",
    "a team's models cost more than its budget",
    scope=FleetContext,
    why="The cost is known from the specs before the bill comes. If only the scaled-up models exceed the "
    "budget this is a warning.",
    remedy="Raise the team's budget, or lower `replicas`, `autoscaling` or `resources`.",
    example="# specs/platform.yaml\nspec: {teams: {shop: {budget: {monthly: 20 EUR}}}}",
    instead="# specs/platform.yaml\nspec: {teams: {shop: {budget: {monthly: 40 EUR}}}}",
)
def budget(context: FleetContext) -> Iterator[Problem]:
    """Check the monthly cost between releases, in all environments, against the budget of each team."""
    prices = context.platform.prices
    for team, where, allowed, path in _budgets(context.platform):
        models = [one for one in context.footprints if one.team == team and where in {"", one.environment}]
        if currencies(prices) != [allowed.monthly.currency]:
            continue
        fewest = math.fsum(monthly(model.steady_state, prices) for model in models)
        most = math.fsum(monthly(model.scaled_up, prices) for model in models)
        hint = "raise the budget, or lower `replicas`, `autoscaling` or `resources` of its models"
        whose = f"the models of `{team}`" + (f" in {where}" if where else "")
        currency = allowed.monthly.currency
        if fewest > allowed.monthly.amount:
            message = f"{whose} cost at least {math.ceil(fewest):,} {currency} a month"
            yield Problem(path, f"{message}; the budget is {allowed.monthly}", hint)
        elif most > allowed.monthly.amount:
            message = f"{whose} cost up to {math.ceil(most):,} {currency} a month when all are scaled up"
            yield Problem(path, f"{message}; the budget is {allowed.monthly}", hint, severity="warning")


def _budgets(platform: PlatformSpec) -> Iterator[tuple[str, str, Budget, Path]]:
    """Yield each budget: its team, its environment (empty for all), the budget and its path."""
    for name, team in platform.teams.items():
        if team.budget:
            yield name, "", team.budget, ("spec", "teams", name, "budget", "monthly")
    for environment, settings in platform.environments.items():
        for name, own in settings.teams.items():
            if own.budget:
                path = ("spec", "environments", environment, "teams", name, "budget", "monthly")
                yield name, environment, own.budget, platform.where_written(path)


@rule(
    "PLAT909",
    "error",
    "prices and budgets are in different currencies",
    scope=FleetContext,
    why="An amount in one currency can't be compared with a budget in another.",
    remedy="Write all of them in one currency.",
    example="# specs/platform.yaml\nspec: {teams: {shop: {budget: {monthly: 900 USD}}}}",
    instead="# specs/platform.yaml\nspec: {teams: {shop: {budget: {monthly: 900 EUR}}}}",
)
def one_currency(context: FleetContext) -> Iterator[Problem]:
    """Check that all prices and all budgets have the same currency."""
    known = currencies(context.platform.prices)
    if len(known) > 1:
        message = f"the prices are in {' and '.join(known)}"
        yield Problem(("spec", "prices"), message, "write all prices in one currency", on_key=True)
        return
    for name, _, budget, path in _budgets(context.platform):
        if known and budget.monthly.currency != known[0]:
            currency = budget.monthly.currency
            message = f"the budget of `{name}` is in {currency}, but the prices are in {known[0]}"
            yield Problem(path, message, f"write the budget in {known[0]}")


@rule(
    "PLAT910",
    "warning",
    "a budget has no prices to compare with",
    scope=FleetContext,
    why="Without prices every model costs nothing, and no budget is ever exceeded.",
    remedy="Declare `prices`, or remove the budget.",
    example="# specs/platform.yaml\nspec: {prices: {}, teams: {shop: {budget: {monthly: 900 EUR}}}}",
    instead="# specs/platform.yaml\nspec: {prices: {cpuHour: 0.03 EUR}, teams: {shop: {budget: {monthly: 900 EUR}}}}",
)
def unpriced(context: FleetContext) -> Iterator[Problem]:
    """Check that there are prices if there is a budget."""
    if currencies(context.platform.prices):
        return
    for name, _, _, path in _budgets(context.platform):
        message = f"the budget of `{name}` is never exceeded: the platform declares no prices"
        yield Problem(path[:-1], message, "declare `prices`", on_key=True)
