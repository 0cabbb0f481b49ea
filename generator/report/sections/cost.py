"""Cost and capacity: what the model needs, what its release needs on top, and the team's budget and quota."""

from __future__ import annotations

import math

from generator.odds.footprint import HOURS, currencies, monthly
from generator.plan.peak import Need, peak, steady_state
from generator.plan.resolve import Planned
from generator.plan.timeline import timeline
from generator.report import records
from generator.report.sections.section import Section
from generator.report.tables import Block, Table
from generator.source.quantity import quantity_amount
from generator.spec.environment import OwnTeam
from generator.spec.platform import Team
from generator.spec.quantities import money_up, plural

_GIB = 2**30


def cost(planned: Planned) -> Section:
    """Return pods, CPU, memory, GPUs and money; budget and quota are for all models of the team together."""
    plan, platform = planned.plan, planned.source.platform
    usual, most = steady_state(plan), steady_state(plan, scaled_up=True)
    whole = peak(plan).total
    money = currencies(platform.prices)
    currency = money[0] if len(money) == 1 else ""
    rows = {"usual": usual, "scaled up": most, "during a release": whole}
    prices = {
        name: monthly(need, platform.prices) for name, need in rows.items() if name != "during a release"
    }
    release = release_cost(planned)
    team = platform.at(plan.identity.environment).teams[plan.identity.team]
    own = platform.environments[plan.identity.environment].teams.get(plan.identity.team)
    data: records.Cost = {
        "needs": {"usual": _need(usual), "scaled_up": _need(most), "during_a_release": _need(whole)},
        "monthly": prices if currency else None,
        "per_release": release,
        "currency": currency or None,
        "budget": team.budget.monthly.amount if team.budget else None,
        "quota": {
            "cpu": float(quantity_amount(team.quota.cpu)),
            "memory": int(quantity_amount(team.quota.memory)),
            "gpu": team.quota.gpu,
        }
        if team.quota
        else None,
    }
    shown = [(name, *_shown(need), _monthly(prices.get(name), currency)) for name, need in rows.items()]
    body: list[Block] = [Table.of(shown)]
    if currency:
        body.append(f"a release costs about {money_up(release, currency)} more than no release")
    return Section("cost", "Cost and capacity", data, (*body, *_limits(team, own)))


def release_cost(planned: Planned) -> float | None:
    """Return what a release costs more than no release; None unless all prices have one currency."""
    plan, prices = planned.plan, planned.source.platform.prices
    if len(currencies(prices)) != 1:
        return None
    extra = _minus(peak(plan).total, steady_state(plan, scaled_up=True))
    return monthly(extra, prices) / HOURS * timeline(plan).planned_s / 3600


def _minus(whole: Need, part: Need) -> Need:
    return Need(
        whole.pods - part.pods, whole.cpu - part.cpu, whole.memory - part.memory, whole.gpu - part.gpu
    )


def _need(need: Need) -> records.Resources:
    return {"pods": need.pods, "cpu": need.cpu, "memory": need.memory, "gpu": need.gpu}


def _shown(need: Need) -> tuple[str, str, str, str]:
    gpu = plural(need.gpu, "GPU") if need.gpu else ""
    return (
        f"{plural(need.pods, 'pod')}",
        f"{need.cpu:g} CPU",
        f"{math.ceil(need.memory / _GIB * 10) / 10:g} GiB",
        gpu,
    )


def _monthly(amount: float | None, currency: str) -> str:
    return f"{money_up(amount, currency)} a month" if amount is not None and currency else ""


def _limits(team: Team, own: OwnTeam | None) -> list[str]:
    lines = []
    if team.budget:
        budget = team.budget.monthly
        text = money_up(budget.amount, budget.currency)
        lines.append(f"budget of the team, all models and environments: {text} a month")
    if own and own.budget:
        budget = own.budget.monthly
        text = money_up(budget.amount, budget.currency)
        lines.append(f"budget of the team in this environment: {text} a month")
    if team.quota:
        gpu = f", {plural(team.quota.gpu, 'GPU')}" if team.quota.gpu else ""
        quota = f"{team.quota.cpu} CPU, {team.quota.memory}{gpu}"
        lines.append(f"quota of the team in one environment, canaries included: {quota}")
    return lines
