"""Odds that refute a plan: what a canary promises and can't keep (limits: statistics.md section 5)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from generator.plan.values import Canary, Guard
from generator.rules.effects import (
    ROUND_HOLDS,
    caught,
    compared,
    detect_of,
    effect_of,
    exposure_change,
    hold_that_catches,
    rewritten,
    with_hold,
)
from generator.rules.odds import PlanOdds, odds_of, phases, price, share_down, share_up
from generator.rules.paths import GUARDS, ROLLOUT, STEPS, weight_steps
from generator.rules.registry import Context, Problem, rule
from generator.source.document import Path
from generator.source.finding import Fix, Severity
from generator.spec.units import duration, percent
from generator.stats.odds import GuardOdds
from generator.stats.timeline import Phase

_REFUSED_FALSE_ROLLBACK: Final = 3.0  # times the budget
_REFUSED_POWER: Final = 0.5
_FIRST_STEP_WARNED, _FIRST_STEP_REFUSED, _STEEP = 0.5, 0.05, 5.0


def _canary(context: Context) -> tuple[Canary, PlanOdds] | None:
    rollout, odds = context.plan.rollout, odds_of(context.plan)
    return (rollout, odds) if isinstance(rollout, Canary) and odds is not None else None


@rule(
    "CAN101",
    "warning",
    "good versions are rolled back more often than accepted",
    why="A guard that fires on good versions is switched off after a while, and then it stops no bad one either.",
    fix="Compare with the stable version (`detect`) instead of a bare `limit`, or move the limit away.",
)
def false_rollback(context: Context) -> Iterator[Problem]:
    """False rollbacks of the whole rollout: warned above the budget, refused above three times of it."""
    found = _canary(context)
    if found is None or found[1].false_rollback is None:
        return
    rollout, odds = found
    chance, budget = odds.false_rollback or 0.0, rollout.risk.false_rollback
    if chance <= budget + 1e-12:
        return
    guard, alone = max(odds.guards, key=lambda pair: pair[1].false_rollback)
    message = f"a good version is rolled back in {share_up(chance)} of all releases (1 in {math.floor(1 / chance)}); "
    message += f"{percent(budget)} are accepted. `{guard.name}` alone: {share_up(alone.false_rollback)}"
    severity: Severity = "error" if chance > _REFUSED_FALSE_ROLLBACK * budget else "warning"
    hint, fix = _compare(context, guard)
    yield Problem((*GUARDS, guard.index), message, hint, fix=fix, severity=severity)


def _compare(context: Context, guard: Guard) -> tuple[str, Fix | None]:
    """The way from a bare limit to a comparison, and what it brings."""
    better = compared(context.plan, guard)
    if better is None:
        return "compare with the stable version: `detect` instead of `limit`", None
    odds = price(context.plan, better, phases_of(context))
    ((direction, size),) = detect_of(better).items()
    hint = f"write `detect: {{{direction}: {size}}}` instead of `limit`: "
    hint += f"{share_up(odds.false_rollback)} false rollbacks, {share_down(odds.power)} of {effect_of(better)} caught"
    return hint, Fix((*GUARDS, guard.index), rewritten(context, guard, limit=None, detect={direction: size}))


def phases_of(context: Context) -> tuple[Phase, ...]:
    """The weight steps of the plan as the statistics see them."""
    rollout = context.plan.rollout
    return phases(rollout) if isinstance(rollout, Canary) else ()


@rule(
    "CAN102",
    "warning",
    "too few bad versions are caught by the end of the rollout",
    why="A guard that sees too few requests lets the change through that it was written for, and looks like a check.",
    fix="Hold longer, send more traffic, or declare a larger change.",
)
def power(context: Context) -> Iterator[Problem]:
    """Power over all steps: warned below `risk.power`, refused below one half."""
    found = _canary(context)
    if found is None:
        return
    rollout, odds = found
    for guard, alone in odds.guards:
        if guard.ratio is None or alone.power >= rollout.risk.power:
            continue
        message = f"`{guard.name}` catches {share_down(alone.power)} of {effect_of(guard)} by the end; "
        message += f"{percent(rollout.risk.power)} are wanted"
        hint, fix = _more_power(context, guard, alone)
        severity: Severity = "error" if alone.power < _REFUSED_POWER else "warning"
        yield Problem((*GUARDS, guard.index, "detect"), message, hint, fix=fix, severity=severity)


def _more_power(context: Context, guard: Guard, alone: GuardOdds) -> tuple[str, Fix | None]:
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
    context: Context, guard: Guard, position: int, wanted: float
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
    why="Whether a guard catches anything depends on the traffic and on how often the event happens in normal times.",
    fix="Declare `traffic.minRps`, and the `baseline` of the guard or of its outcome.",
)
def unpriced(context: Context) -> Iterator[Problem]:
    """Guards without odds; fairness guards are judged by their intervals and need none."""
    found = _canary(context)
    if found is None:
        return
    rollout, odds = found
    guards = {guard.name: guard for guard in rollout.guards}
    if not context.plan.min_rps and any(guard.kind != "fairness" for guard in rollout.guards):
        message = (
            "`traffic.minRps` is not declared: there are no odds, and no step asks whether it has seen enough"
        )
        yield Problem(
            ("spec", "traffic", "minRps"), message, "declare the requests per second off-peak", key=True
        )
        return
    for name, reason in odds.unpriced:
        if guards[name].kind != "fairness":
            message = f"there are no odds of `{name}`: {reason}"
            hint = "declare its `baseline`: the share of events in normal times"
            yield Problem((*GUARDS, guards[name].index, "baseline"), message, hint, key=True)


@rule(
    "CAN108",
    "warning",
    "nothing but a person can stop this rollout",
    why="Without a guard the weights grow by the clock: a bad version reaches everyone unless somebody looks.",
    fix="Add a guard: an outcome, `error-rate` or `slow-rate`.",
)
def unguarded(context: Context) -> Iterator[Problem]:
    """A canary without guards."""
    if isinstance(context.plan.rollout, Canary) and not context.plan.rollout.guards:
        message = "no guard watches the live traffic"
        hint = "add one: `{metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}`, for example"
        yield Problem(GUARDS, message, hint, key=True)


@rule(
    "CAN151",
    "warning",
    "weights are shares of pods, not of requests",
    why="Without a router a step sends what its pods happen to get: one pod of two is half of the traffic.",
    fix="Use a router, or enough replicas for the smallest weight.",
)
def replica_ratio(context: Context) -> Iterator[Problem]:
    """Warned always, refused below one pod (statistics.md section 5; argo-rollouts.md 1.11)."""
    from generator.rules.routing import capabilities, smallest_weight

    plan = context.plan
    if not isinstance(plan.rollout, Canary) or capabilities(plan).weights or not plan.rollout.weights:
        return
    pods, smallest = plan.capacity.fewest, min(plan.rollout.weights)
    if smallest >= smallest_weight(plan):
        message = f"without a router a weight is a share of the {pods} pods: {smallest}% is one in {100 // smallest}"
        yield Problem(STEPS, message, "use a router in this environment, or accept this finding", key=True)
        return
    needed = math.ceil(100 / smallest)
    path: Path = ("spec", "autoscaling", "min") if plan.capacity.autoscaler else ("spec", "replicas")
    index = next(i for i, step in enumerate(plan.rollout.steps) if step.weight == smallest)
    message = f"{smallest}% of {pods} pods is less than one; the smallest weight is {math.ceil(100 / max(pods, 1))}%"
    hint = f"run {needed} pods (one of them is {smallest}%), or use a router in this environment"
    ceiling = context.tier.ceilings.replicas
    fix = Fix(path, needed) if ceiling is None or needed <= ceiling else None
    yield Problem((*STEPS, index, "weight"), message, hint, fix=fix, severity="error")


@rule(
    "CAN152",
    "error",
    "a guard of a blue-green with nothing to compare",
    why="After the switch all traffic is on the new version: there is no stable one beside it at the same time.",
    fix="Use absolute limits on errors and latency, or a canary.",
)
def blue_green(context: Context) -> Iterator[Problem]:
    """Comparisons are refused; limits on outcomes are warned of, in a strict tier refused."""
    rollout = context.plan.rollout
    if isinstance(rollout, Canary):
        return
    for guard in rollout.guards:
        path: Path = (*GUARDS, guard.index)
        if guard.kind == "fairness" or guard.ratio is not None:
            message = (
                f"`{guard.name}` compares versions or groups; a blue-green is watched by absolute limits only"
            )
            yield Problem(path, message, "write a `limit`, or use a canary", fix=_as_limit(context, guard))
        elif guard.kind == "outcome":
            message = f"the limit on `{guard.subject}` meets the time of day: no version beside it shares the change"
            severity: Severity = "error" if context.regulated else "warning"
            yield Problem(path, message, "use a canary to judge outcomes", severity=severity)


def _as_limit(context: Context, guard: Guard) -> Fix | None:
    if guard.ratio is None or not guard.baseline or guard.ratio * guard.baseline > 1:
        return None
    limit = percent(guard.ratio * guard.baseline)
    return Fix((*GUARDS, guard.index), rewritten(context, guard, detect=None, limit=limit))


@rule(
    "CAN210",
    "warning",
    "the first step catches too few bad versions",
    why="The first step is there to meet a bad version while few see it; one that is too short only delays it.",
    fix="Hold the first step longer.",
)
def first_step(context: Context) -> Iterator[Problem]:
    """Power before the first widening: warned below one half, refused below 5 % before a step of five times."""
    found = _canary(context)
    steps, indices = phases_of(context), weight_steps(context)
    if found is None or len(steps) < 2:
        return
    steep = steps[1].weight >= _STEEP * steps[0].weight - 1e-12
    late = [
        (g, o) for g, o in found[1].guards if g.ratio is not None and o.power_by_step[0] < _FIRST_STEP_WARNED
    ]
    hold = _common_hold(context, late, 0)
    for guard, alone in late:
        first = alone.power_by_step[0]
        message = f"`{guard.name}`: {share_down(first)} of {effect_of(guard)} are caught before the weight goes from "
        message += f"{percent(steps[0].weight)} to {percent(steps[1].weight)}"
        message += (
            f"; {math.ceil(alone.exposed_mean)} requests meet the bad version" if alone.exposed_mean else ""
        )
        hint, fix = _held(context, guard, alone, 0, hold)
        severity: Severity = "error" if first < _FIRST_STEP_REFUSED and steep else "warning"
        yield Problem((*STEPS, indices[0], "hold"), message, hint, fix=fix, severity=severity)


def _common_hold(context: Context, late: Sequence[tuple[Guard, GuardOdds]], position: int) -> float | None:
    """The smallest round hold by which each of these guards catches as many as wanted, or at least half of them."""
    steps, wanted = phases_of(context), context.plan.rollout.risk.power
    holds = []
    for guard, _ in late:
        shares = (wanted, _FIRST_STEP_WARNED)
        found = (hold_that_catches(context, guard, steps, position, share) for share in shares)
        holds.append(next((better[0] for better in found if better), None))
    return max((hold for hold in holds if hold is not None), default=None)


def _held(
    context: Context, guard: Guard, alone: GuardOdds, position: int, hold: float | None
) -> tuple[str, Fix | None]:
    """What a longer hold of a step brings to one guard."""
    if hold is None:
        return "a longer hold alone does not help: raise the weight, or declare a larger change", None
    steps = phases_of(context)
    odds = price(context.plan, guard, with_hold(steps, position, hold))
    hint = f"hold {percent(steps[position].weight)} for {duration(hold)}: "
    hint += f"{caught(odds, position)} caught by its end{exposure_change(alone, odds)}"
    return hint, Fix((*STEPS, weight_steps(context)[position], "hold"), duration(hold))


@rule(
    "CAN211",
    "error",
    "a bad version answers more requests than accepted",
    why="`risk.maxExposed` is the harm that the team accepts, on average, when a version is bad.",
    fix="Lower the first weights, hold them longer, or accept more.",
)
def exposed(context: Context) -> Iterator[Problem]:
    """Mean exposure of the worst guard above `risk.maxExposed`."""
    found = _canary(context)
    if found is None or found[0].risk.max_exposed is None:
        return
    accepted, worst = found[0].risk.max_exposed, found[1].worst_exposed
    if worst is None or worst <= accepted:
        return
    message = f"a bad version answers {math.ceil(worst)} requests on average before it is rolled back; "
    message += f"{accepted} are accepted"
    hint, fix = _less_exposed(context, found[1], accepted)
    yield Problem((*ROLLOUT, "risk", "maxExposed"), message, hint, fix=fix)


def _less_exposed(context: Context, odds: PlanOdds, accepted: int) -> tuple[str, Fix | None]:
    """A longer first step keeps most bad versions from the larger ones."""
    steps, guards = phases_of(context), [guard for guard, _ in odds.guards]
    for hold in ROUND_HOLDS if guards and steps else ():
        if hold <= steps[0].duration_s:
            continue
        changed = with_hold(steps, 0, hold)
        worst = max(price(context.plan, guard, changed).exposed_mean or math.inf for guard in guards)
        if worst <= accepted:
            hint = f"hold {percent(steps[0].weight)} for {duration(hold)}: {math.ceil(worst)} requests on average"
            return hint, Fix((*STEPS, weight_steps(context)[0], "hold"), duration(hold))
    return "lower the first weight, or add a smaller step before it", None


@rule(
    "CAN212",
    "warning",
    "the weight grows more than fivefold before bad versions are caught",
    why="Each step multiplies the harm per second; before a large one the guards should have made up their minds.",
    fix="Hold the step before longer, or put one between.",
)
def steep(context: Context) -> Iterator[Problem]:
    """A step of more than five times while fewer than `risk.power` of bad versions are caught by then."""
    found = _canary(context)
    if found is None:
        return
    steps, indices = phases_of(context), weight_steps(context)
    for position in range(1, len(steps)):
        before, after = steps[position - 1].weight, steps[position].weight
        slow = [pair for pair in found[1].guards if pair[1].power_by_step[position - 1] < found[0].risk.power]
        slow = [pair for pair in slow if pair[0].ratio is not None]
        if after <= _STEEP * before + 1e-12 or not slow:
            continue
        guard, alone = min(slow, key=lambda pair: pair[1].power_by_step[position - 1])
        message = f"the weight goes from {percent(before)} to {percent(after)} when "
        message += f"`{guard.name}` has caught {caught(alone, position - 1)} of {effect_of(guard)}"
        hint, fix = _held(context, guard, alone, position - 1, _common_hold(context, slow, position - 1))
        yield Problem((*STEPS, indices[position], "weight"), message, hint, fix=fix)
