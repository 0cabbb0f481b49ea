"""What running models costs, by the platform's prices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from generator.plan.peak import Need
from generator.rules.footprint import Footprint
from generator.rules.registry import Problem
from generator.spec.platform import PlatformSpec, Prices

HOURS = 730.0
"""Hours of an average month: 365 x 24 / 12."""


def monthly(need: Need, prices: Prices) -> float:
    """Cost of some pods for a month, in the prices' currency; what has no price costs nothing."""
    per_hour = (
        (need.cpu, prices.cpu_hour),
        (need.memory / 2**30, prices.memory_hour),
        (need.gpu, prices.gpu_hour),
    )
    return HOURS * math.fsum(amount * price.amount for amount, price in per_hour if price)


def currencies(prices: Prices) -> list[str]:
    """Currencies of the prices, sorted."""
    given = (prices.cpu_hour, prices.memory_hour, prices.gpu_hour)
    return sorted({price.currency for price in given if price})


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
