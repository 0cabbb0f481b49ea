"""The platform's prices and budgets: one currency, and none of them without the other."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.odds.cost import currencies
from generator.rules.context import FleetContext


@rule(
    "PLAT909",
    "error",
    "prices and budgets in different currencies",
    scope=FleetContext,
    why="An amount in one currency says nothing about a limit in another.",
    remedy="Write all of them in one currency.",
)
def one_currency(context: FleetContext) -> Iterator[Problem]:
    """The currency of the prices, and that of every budget."""
    known = currencies(context.platform.prices)
    if len(known) > 1:
        message = f"the prices are in {' and '.join(known)}"
        yield Problem(("spec", "prices"), message, "write all prices in one currency", on_key=True)
        return
    for name, team in context.platform.teams.items():
        if known and team.budget and team.budget.monthly.currency != known[0]:
            message = (
                f"the budget of `{name}` is in {team.budget.monthly.currency}, the prices are in {known[0]}"
            )
            path = ("spec", "teams", name, "budget", "monthly")
            yield Problem(path, message, f"write the budget in {known[0]}")


@rule(
    "PLAT910",
    "warning",
    "a budget that nothing is held against",
    scope=FleetContext,
    why="Without prices nothing costs anything, and no budget is ever exceeded.",
    remedy="Declare `prices`, or remove the budget.",
)
def unpriced(context: FleetContext) -> Iterator[Problem]:
    """Budgets without any price."""
    if currencies(context.platform.prices):
        return
    for name, team in context.platform.teams.items():
        if team.budget:
            message = f"the budget of `{name}` is never exceeded: the platform declares no prices"
            yield Problem(("spec", "teams", name, "budget"), message, "declare `prices`", on_key=True)
