"""Ceilings of the tier: what no model may exceed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from generator.lint.engine import Problem, Related, rule
from generator.odds.odds import odds_of, share_up
from generator.plan.values import Plan
from generator.rules.context import GUARDS, ROLLOUT, STEPS, Context
from generator.source.document import Path
from generator.source.finding import Fix
from generator.source.quantity import quantity_amount
from generator.spec.units import duration, percent

_STRICTER = "A team may be stricter than its tier, never looser."


def _ceiling(context: Context, key: str, shown: object) -> Related:
    text = f"tier `{context.plan.identity.tier}`: {key} {shown}"
    return ((text, context.tier_place("ceilings", key)),)


def _above(context: Context, path: Path, what: str, key: str, limit: int | str) -> Problem:
    """A value above a ceiling, with the edit that brings it down to it."""
    message = f"{what} is above the {limit} that the tier `{context.plan.identity.tier}` allows"
    return Problem(path, message, f"write {limit} or less", _ceiling(context, key, limit), Fix(path, limit))


@rule(
    "TIER301",
    "error",
    "the first weight is above the tier's ceiling",
    scope=Context,
    why=f"The first step decides how many requests a bad model answers before anyone has looked. {_STRICTER}",
    remedy="Lower the first weight, or add a smaller step before it.",
)
def first_weight(context: Context) -> Iterator[Problem]:
    """Without any weight step the first weight is that of the promotion: everything."""
    ceiling, rollout = context.tier.ceilings.first_weight, context.plan.rollout
    if ceiling is None or rollout.strategy != "canary":
        return
    tier, limit = context.plan.identity.tier, f"{ceiling}%"
    if not rollout.weight_steps:
        message = (
            f"no step has a weight, so all traffic moves at once; the tier `{tier}` allows {limit} first"
        )
        hint = f"add a step of {limit} or less"
        yield Problem(STEPS, message, hint, _ceiling(context, "firstWeight", limit))
    elif rollout.weights[0] > ceiling:
        path = (*STEPS, rollout.weight_steps[0][0], "weight")
        yield _above(context, path, f"the first weight of {rollout.weights[0]}%", "firstWeight", limit)


@rule(
    "TIER302",
    "error",
    "false rollbacks are above the tier's ceiling",
    scope=Context,
    why=f"A rollback of a good model costs a release and the trust in rollbacks. {_STRICTER}",
    remedy="Lower `risk.falseRollback`, or replace bare limits by `detect`.",
)
def false_rollback(context: Context) -> Iterator[Problem]:
    """Both what the team accepts and what its guards really do stay below the ceiling."""
    ceiling, risk = context.tier.ceilings.false_rollback, context.plan.rollout.risk
    if ceiling is None:
        return
    limit = percent(ceiling)
    if risk.false_rollback > ceiling:
        what = f"the accepted chance of a false rollback of {percent(risk.false_rollback)}"
        yield _above(context, (*ROLLOUT, "risk", "falseRollback"), what, "falseRollback", limit)
    odds = odds_of(context.plan)
    if odds and odds.false_rollback is not None and odds.false_rollback > max(ceiling, risk.false_rollback):
        message = f"the guards roll a good model back in {share_up(odds.false_rollback)} of all releases; "
        message += f"the tier `{context.plan.identity.tier}` allows {limit}"
        hint = "compare with the stable version (`detect`) instead of a bare `limit`"
        yield Problem(GUARDS, message, hint, _ceiling(context, "falseRollback", limit))


@rule(
    "TIER303",
    "error",
    "the rollout takes longer than the tier allows",
    scope=Context,
    why=f"Two versions serve side by side all that time, and an urgent fix waits behind it. {_STRICTER}",
    remedy="Shorten holds; a higher weight sees enough requests sooner.",
)
def longest_rollout(context: Context) -> Iterator[Problem]:
    """Sum of all holds, that of the shadow included; approvals may last any time."""
    ceiling, rollout = context.tier.ceilings.longest_rollout, context.plan.rollout
    if ceiling is None or rollout.strategy != "canary":
        return
    total = rollout.held_s + (rollout.shadow.hold if rollout.shadow else 0)
    if total > ceiling:
        message = f"the holds sum up to {duration(total)}, more than the {duration(ceiling)} "
        message += f"that the tier `{context.plan.identity.tier}` allows"
        related = _ceiling(context, "longestRollout", duration(ceiling))
        yield Problem(STEPS, message, f"shorten them by {duration(total - ceiling)}", related)


@dataclass(frozen=True, slots=True)
class _Size:
    """A ceiling on one size of a model.

    Args:
        code: of the finding.
        title: what it finds.
        why: why that matters.
        fix: how to mend it.
        key: of the ceiling in the tier.
        what: how a message calls the size.
        path: where the spec says it.
        asked: the size in a plan, as written.
        amount: of such a size, to compare.
    """

    code: str
    title: str
    why: str
    fix: str
    key: str
    what: str
    path: Callable[[Plan], Path]
    asked: Callable[[Plan], int | str]
    amount: Callable[[Any], float | Decimal]


_SIZES = (
    _Size(
        "TIER304",
        "more pods than the tier allows",
        why="Pods cost money and crowd out other models.",
        fix="Lower `replicas` or `autoscaling.max`.",
        key="replicas",
        what="the number of pods",
        path=lambda plan: (
            ("spec", "autoscaling", "max") if plan.capacity.autoscaler else ("spec", "replicas")
        ),
        asked=lambda plan: plan.capacity.most,
        amount=float,
    ),
    _Size(
        "TIER305",
        "more CPU in one pod than the tier allows",
        why="A pod that is too large does not fit on a node of its class.",
        fix="Lower `resources.cpu`; more pods carry more load.",
        key="cpu",
        what="the CPU of one pod",
        path=lambda _: ("spec", "resources", "cpu"),
        asked=lambda plan: plan.capacity.cpu,
        amount=quantity_amount,
    ),
    _Size(
        "TIER306",
        "more memory in one pod than the tier allows",
        why="A pod that is too large does not fit on a node of its class.",
        fix="Lower `resources.memory`.",
        key="memory",
        what="the memory of one pod",
        path=lambda _: ("spec", "resources", "memory"),
        asked=lambda plan: plan.capacity.memory,
        amount=quantity_amount,
    ),
    _Size(
        "TIER307",
        "more GPUs in one pod than the tier allows",
        why="GPUs are scarce: a canary that waits for one blocks the release.",
        fix="Lower `resources.gpu`, or use a tier that has GPUs.",
        key="gpu",
        what="the number of GPUs of one pod",
        path=lambda _: ("spec", "resources", "gpu"),
        asked=lambda plan: plan.capacity.gpu,
        amount=float,
    ),
)


def _limited(size: _Size) -> Callable[[Context], Iterator[Problem]]:
    def check(context: Context) -> Iterator[Problem]:
        ceiling, asked = getattr(context.tier.ceilings, size.key), size.asked(context.plan)
        if ceiling is not None and size.amount(asked) > size.amount(ceiling):
            yield _above(context, size.path(context.plan), f"{size.what}, {asked},", size.key, ceiling)

    return check


for _size in _SIZES:
    rule(
        _size.code,
        "error",
        _size.title,
        scope=Context,
        why=f"{_size.why} {_STRICTER}",
        remedy=_size.fix,
    )(_limited(_size))


@rule(
    "TIER308",
    "error",
    "a bad model answers more requests than the tier allows",
    scope=Context,
    why=f"Every request that a bad model answers is harm done. {_STRICTER}",
    remedy="Lower the first weights, hold them longer, or watch something that shows sooner.",
)
def max_exposed(context: Context) -> Iterator[Problem]:
    """Mean exposure by the odds; without a guard it is the whole canary."""
    ceiling, rollout = context.tier.ceilings.max_exposed, context.plan.rollout
    if ceiling is None:
        return
    tier, related = context.plan.identity.tier, _ceiling(context, "maxExposed", ceiling)
    if rollout.risk.max_exposed is not None and rollout.risk.max_exposed > ceiling:
        path = (*ROLLOUT, "risk", "maxExposed")
        message = (
            f"`maxExposed` of {rollout.risk.max_exposed} is above the {ceiling} that the tier `{tier}` allows"
        )
        yield Problem(path, message, f"write {ceiling} or less", related, Fix(path, ceiling))
    odds = odds_of(context.plan)
    exposed = odds.worst_exposed if odds else None
    if exposed is not None and exposed > ceiling:
        message = f"a bad model answers {math.ceil(exposed)} requests on average before it is rolled back; "
        message += f"the tier `{tier}` allows {ceiling}"
        hint = "lower the first weights or hold them longer; `sluice plan` shows the effect"
        yield Problem(STEPS, message, hint, related)


@rule(
    "TIER309",
    "warning",
    "nobody can tell whether the tier's limit of exposed requests is kept",
    scope=Context,
    why="Exposure is traffic times weight times time: without the traffic there is no number to hold against.",
    remedy="Declare `traffic.minRps`, the requests per second off-peak.",
)
def exposure_unknown(context: Context) -> Iterator[Problem]:
    """A ceiling on exposure without declared traffic."""
    ceiling = context.tier.ceilings.max_exposed
    if ceiling is not None and context.plan.rollout.strategy == "canary" and not context.plan.min_rps:
        message = f"the tier `{context.plan.identity.tier}` allows {ceiling} exposed requests, "
        message += "but `traffic.minRps` is not declared"
        hint = "declare the requests per second off-peak"
        related = _ceiling(context, "maxExposed", ceiling)
        yield Problem(("spec", "traffic", "minRps"), message, hint, related, on_key=True)
