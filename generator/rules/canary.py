"""Odds that refute a plan: what a canary promises and can't keep (limits: statistics.md section 5)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.odds.odds import price, share_down, share_up
from generator.plan.guards import Comparison, Limit
from generator.rules.context import GUARDS, STEPS, Context, weight_steps
from generator.rules.effects import (
    canary_odds,
    compared,
    comparisons,
    detect_of,
    effect_of,
    hold_that_catches,
    phases_of,
    rewritten,
    with_hold,
)
from generator.rules.routing import capabilities, smallest_weight
from generator.source.document import Path
from generator.source.finding import Fix, Severity
from generator.spec.units import duration, percent
from generator.stats.odds import GuardOdds

_REFUSED_FALSE_ROLLBACK: Final = 3.0  # times the budget
_EVERY_SECOND: Final = 0.5
_REFUSED_POWER: Final = 0.5


@rule(
    "CAN101",
    "warning",
    "good versions are rolled back more often than accepted",
    scope=Context,
    why="A guard that fires on good versions is switched off after a while, and then it stops no bad one either.",
    remedy="Compare with the stable version (`detect`) instead of a bare `limit`, or move the limit away.",
)
def false_rollback(context: Context) -> Iterator[Problem]:
    """False rollbacks of the whole rollout: warned above the budget, refused above three times of it."""
    found = canary_odds(context)
    if found is None or found[1].false_rollback is None:
        return
    rollout, odds = found
    chance, budget = odds.false_rollback or 0.0, rollout.risk.false_rollback
    if chance <= budget + 1e-12:
        return
    guard, alone = max(odds.guards, key=lambda pair: pair[1].false_rollback)
    often = f" (1 in {math.floor(1 / chance)})" if chance <= _EVERY_SECOND else ""
    message = (
        f"a good version is rolled back in {share_up(chance)} of all releases{often}; {percent(budget)} are "
    )
    message += f"accepted. `{guard.name}` alone: {share_up(alone.false_rollback)}"
    severity: Severity = "error" if chance > _REFUSED_FALSE_ROLLBACK * budget else "warning"
    hint, fix = _compare(context, guard)
    yield Problem((*GUARDS, guard.index), message, hint, fix=fix, severity=severity)


def _compare(context: Context, guard: Comparison | Limit) -> tuple[str, Fix | None]:
    """The way from a bare limit to a comparison, and what it brings."""
    sibling = next(iter(comparisons(context, guard)), None)
    if sibling is not None:
        return f"leave it out: `{sibling.name}` compares already", None
    better = compared(context.plan, guard) if isinstance(guard, Limit) else None
    if better is None:
        return "compare with the stable version: `detect` instead of `limit`", None
    odds = price(context.plan, better, phases_of(context))
    ((direction, size),) = detect_of(better).items()
    hint = f"write `detect: {{{direction}: {size}}}` instead of `limit`: "
    hint += f"{share_up(odds.false_rollback)} false rollbacks, {share_down(odds.power)} of {effect_of(better)} caught"
    return hint, Fix((*GUARDS, guard.index), rewritten(context, guard, limit=None, detect={direction: size}))


@rule(
    "CAN102",
    "warning",
    "too few bad versions are caught by the end of the rollout",
    scope=Context,
    why="A guard that sees too few requests lets the change through that it was written for, and looks like a check.",
    remedy="Hold longer, send more traffic, or declare a larger change.",
)
def power(context: Context) -> Iterator[Problem]:
    """Power over all steps: warned below `risk.power`, refused below one half."""
    found = canary_odds(context)
    if found is None:
        return
    rollout, odds = found
    for guard, alone in odds.comparisons:
        if alone.power >= rollout.risk.power:
            continue
        message = f"`{guard.name}` catches {share_down(alone.power)} of {effect_of(guard)} by the end; "
        message += f"{percent(rollout.risk.power)} are wanted"
        hint, fix = _more_power(context, guard, alone)
        severity: Severity = "error" if alone.power < _REFUSED_POWER else "warning"
        yield Problem((*GUARDS, guard.index, "detect"), message, hint, fix=fix, severity=severity)


def _more_power(context: Context, guard: Comparison, alone: GuardOdds) -> tuple[str, Fix | None]:
    """The ways out: for each step how long it would have to be, or the change that is caught as it is."""
    steps, indices, wanted = phases_of(context), weight_steps(context), context.plan.rollout.risk.power
    exits, fix = [], None
    for position, (phase, index) in enumerate(zip(steps, indices, strict=True)):
        better = _hold_for_end(context, guard, position, wanted)
        if better:
            exits.append(
                f"hold {percent(phase.weight)} for {duration(better[0])} ({share_down(better[1].power)} caught)"
            )
            fix = Fix((*STEPS, index, "hold"), duration(better[0]))
    if alone.mde_at_power:
        rounded = percent(math.ceil(alone.mde_at_power * 1000 - 1e-9) / 1000)
        exits.append(f"declare {rounded}, the smallest change that these steps catch")
    return ", or ".join(
        exits
    ) or "this traffic is too little for a canary: judge it offline, or in a shadow", fix


def _hold_for_end(
    context: Context, guard: Comparison, position: int, wanted: float
) -> tuple[float, GuardOdds] | None:
    """The smallest round hold of a step that gives the whole rollout its power."""
    steps = phases_of(context)
    if position == len(steps) - 1:
        return hold_that_catches(context, guard, steps, position, wanted)
    reached = hold_that_catches(context, guard, steps[: position + 1], position, wanted)
    return (
        (reached[0], price(context.plan, guard, with_hold(steps, position, reached[0]))) if reached else None
    )


@rule(
    "CAN107",
    "warning",
    "nobody can tell what a guard will do",
    scope=Context,
    why="Whether a guard catches anything depends on the traffic and on how often the event happens in normal times.",
    remedy="Declare `traffic.minRps`, and the `baseline` of the guard or of its outcome.",
)
def unpriced(context: Context) -> Iterator[Problem]:
    """Guards without odds; fairness guards are judged by their intervals and need none."""
    found = canary_odds(context)
    if found is None:
        return
    _, odds = found
    # Guards that can have odds: what keeps the others from it is their type, not what the spec leaves out.
    guards = {guard.name: guard for guard in context.plan.guards if not guard.unpriced}
    if not context.plan.min_rps and guards:
        message = (
            "`traffic.minRps` is not declared: there are no odds, and no step asks whether it has seen enough"
        )
        yield Problem(
            ("spec", "traffic", "minRps"), message, "declare the requests per second off-peak", on_key=True
        )
        return
    for name, reason in odds.unpriced:
        if name in guards:
            message = f"there are no odds of `{name}`: {reason}"
            hint = "declare its `baseline`: the share of events in normal times"
            yield Problem((*GUARDS, guards[name].index, "baseline"), message, hint, on_key=True)


@rule(
    "CAN108",
    "warning",
    "nothing but a person can stop this rollout",
    scope=Context,
    why="Without a guard the weights grow by the clock: a bad version reaches everyone unless somebody looks.",
    remedy="Add a guard: an outcome, `error-rate` or `slow-rate`.",
)
def unguarded(context: Context) -> Iterator[Problem]:
    """A canary without guards."""
    if context.plan.rollout.strategy == "canary" and not context.plan.guards:
        message = "no guard watches the live traffic"
        hint = "add one: `{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}`, for example"
        yield Problem(GUARDS, message, hint, on_key=True)


@rule(
    "CAN151",
    "warning",
    "weights are shares of pods, not of requests",
    scope=Context,
    why="Without a router a step sends what its pods happen to get: one pod of two is half of the traffic.",
    remedy="Use a router, or enough replicas for the smallest weight.",
)
def replica_ratio(context: Context) -> Iterator[Problem]:
    """Warned always, refused below one pod (statistics.md section 5; argo-rollouts.md 1.11)."""
    plan = context.plan
    if capabilities(plan).weights or not plan.rollout.weights:
        return
    pods, smallest = plan.capacity.fewest, min(plan.rollout.weights)
    if smallest >= smallest_weight(plan):
        message = f"without a router a weight is a share of the {pods} pods: {smallest}% is one in {100 // smallest}"
        yield Problem(STEPS, message, "use a router in this environment, or accept this finding", on_key=True)
        return
    needed = math.ceil(100 / smallest)
    path: Path = ("spec", "autoscaling", "min") if plan.capacity.autoscaler else ("spec", "replicas")
    index = next(i for i, step in plan.rollout.weight_steps if step.weight == smallest)
    message = f"{smallest}% of {pods} pods is less than one; the smallest weight is {math.ceil(100 / max(pods, 1))}%"
    hint = f"run {needed} pods (one of them is {smallest}%), or use a router in this environment"
    ceiling = context.tier.ceilings.replicas
    fix = Fix(path, needed) if ceiling is None or needed <= ceiling else None
    yield Problem((*STEPS, index, "weight"), message, hint, fix=fix, severity="error")


@rule(
    "CAN152",
    "warning",
    "a guard of a blue-green with nothing to compare",
    scope=Context,
    why="After the switch all traffic is on the new version: there is no stable one beside it at the same time.",
    remedy="Use absolute limits on errors and latency, or a canary.",
)
def blue_green(context: Context) -> Iterator[Problem]:
    """Comparisons are refused; limits on outcomes are warned of, in a strict tier refused."""
    if context.plan.rollout.strategy == "canary":
        return
    for guard in context.plan.guards:
        path: Path = (*GUARDS, guard.index)
        if not isinstance(guard, Limit):
            message = (
                f"`{guard.name}` compares versions or groups; a blue-green is watched by absolute limits only"
            )
            hint = "write a `limit`, or use a canary"
            yield Problem(
                path,
                message,
                hint,
                fix=_as_limit(context, guard) if isinstance(guard, Comparison) else None,
                severity="error",
            )
        elif guard.kind == "outcome":
            message = f"the limit on `{guard.subject}` meets the time of day: no version beside it shares the change"
            severity: Severity = "error" if context.regulated else "warning"
            yield Problem(path, message, "use a canary to judge outcomes", severity=severity)


def _as_limit(context: Context, guard: Comparison) -> Fix | None:
    if not guard.baseline or guard.ratio * guard.baseline > 1:
        return None
    limit = percent(guard.ratio * guard.baseline)
    return Fix((*GUARDS, guard.index), rewritten(context, guard, detect=None, limit=limit))
