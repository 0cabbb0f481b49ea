"""The platform's prices and budgets: one currency, and none of them without the other."""

from __future__ import annotations

from collections.abc import Iterator

from generator.odds.cost import currencies
from generator.rules.registry import Problem, Together, rule


@rule(
    "PLAT909",
    "error",
    "prices and budgets in different currencies",
    why="An amount in one currency says nothing about a limit in another.",
    fix="Write all of them in one currency.",
    scope="together",
)
def one_currency(context: Together) -> Iterator[Problem]:
    """The currency of the prices, and that of every budget."""
    known = currencies(context.platform.prices)
    if len(known) > 1:
        message = f"the prices are in {' and '.join(known)}"
        yield Problem(("spec", "prices"), message, "write all prices in one currency", key=True)
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
    why="Without prices nothing costs anything, and no budget is ever exceeded.",
    fix="Declare `prices`, or remove the budget.",
    scope="together",
)
def unpriced(context: Together) -> Iterator[Problem]:
    """Budgets without any price."""
    if currencies(context.platform.prices):
        return
    for name, team in context.platform.teams.items():
        if team.budget:
            message = f"the budget of `{name}` is never exceeded: the platform declares no prices"
            yield Problem(("spec", "teams", name, "budget"), message, "declare `prices`", key=True)
