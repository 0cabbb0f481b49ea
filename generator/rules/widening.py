"""Rules on the odds of steps: the share caught before the weight grows, and the requests that a bad version answers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from generator.lint.engine import Problem, rule
from generator.odds.design import FIRST_CAUGHT, ROUND_HOLDS, WIDENING
from generator.odds.odds import PlanOdds, price
from generator.plan.exposure import EVERYBODY
from generator.plan.guards import Comparison, Limit
from generator.rules.context import ROLLOUT, STEPS, Context, inserted_steps, weight_steps
from generator.rules.what_if import (
    canary_odds,
    caught,
    effect_of,
    exposure_change,
    hold_that_catches,
    phases_of,
    takes_evidence,
    with_hold,
)
from generator.source.finding import Fix, Severity
from generator.spec.quantities import plural, share_down
from generator.spec.units import duration, percent
from generator.stats.odds import GuardOdds
from generator.stats.timeline import Phase

_FIRST_STEP_REFUSED: Final = 0.05


@rule(
    "CAN210",
    "warning",
    "the first step catches too few bad versions",
    scope=Context,
    why="The first step should catch a bad version while few users see it; one that is too short only "
    "delays the harm. Below 5% before a weight that is five times as large, this is an error.",
    remedy="Hold the first step longer.",
    example="spec: {rollout: {steps: [{weight: 5%, hold: 20m}, {weight: 25%, hold: 20m}, {weight: 50%, hold: 20m}]}}",
    instead="spec: {rollout: {steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 20m}, {weight: 50%, hold: 20m}]}}",
    repair="safe",
)
def first_step(context: Context) -> Iterator[Problem]:
    """Check that the first step catches at least half of the bad versions."""
    found = canary_odds(context)
    steps, indices = phases_of(context), weight_steps(context)
    if found is None or len(steps) < 2:
        return
    steep = steps[1].weight >= WIDENING * steps[0].weight - 1e-12
    late = [
        (guard, odds)
        for guard, odds in found[1].comparisons
        if odds.power_by_step[0] < FIRST_CAUGHT and takes_evidence(context, guard, steps[0])
    ]
    hold = _common_hold(context, late, 0)
    for guard, alone in late:
        first = alone.power_by_step[0]
        message = f"`{guard.name}`: {share_down(first)} of {effect_of(guard)} are caught before the weight grows from "
        message += f"{percent(steps[0].weight)} to {percent(steps[1].weight)}"
        if alone.exposed_mean:
            message += f"; a bad version answers {math.ceil(alone.exposed_mean):,} requests"
        hint, fix = _held(context, guard, alone, 0, hold)
        severity: Severity = "error" if first < _FIRST_STEP_REFUSED and steep else "warning"
        yield Problem((*STEPS, indices[0], "hold"), message, hint, fix=fix, severity=severity)


def _common_hold(
    context: Context, late: Sequence[tuple[Comparison, GuardOdds]], position: int
) -> float | None:
    """Return the smallest round hold by which each guard catches the required share, or at least half."""
    steps, required = phases_of(context), context.plan.rollout.risk.power
    holds = []
    for guard, _ in late:
        shares = (required, FIRST_CAUGHT)
        found = (hold_that_catches(context, guard, steps, position, share) for share in shares)
        holds.append(next((better[0] for better in found if better), None))
    return max((hold for hold in holds if hold is not None), default=None)


def _held(
    context: Context, guard: Comparison, alone: GuardOdds, position: int, hold: float | None
) -> tuple[str, Fix | None]:
    """Return the hint with the odds of one guard for a longer hold of a step."""
    if hold is None:
        return "a longer hold alone is not enough: raise the weight, or declare a larger change", None
    steps = phases_of(context)
    odds = price(context.plan, guard, with_hold(steps, position, hold))
    hint = f"hold {percent(steps[position].weight)} for {duration(hold)}: "
    hint += f"{caught(odds, position)} caught by the end of the step{exposure_change(alone, odds)}"
    return hint, Fix((*STEPS, weight_steps(context)[position], "hold"), duration(hold))


@rule(
    "CAN211",
    "error",
    "a bad version answers more requests than `risk.maxExposed` accepts",
    scope=Context,
    why="`risk.maxExposed` is the harm that the team accepts: requests that a bad version answers, on average, "
    "before it is rolled back.",
    remedy="Lower the first weights, hold them longer, or accept more.",
    example="spec: {rollout: {risk: {maxExposed: 25000}}}",
    instead="spec: {rollout: {risk: {maxExposed: 35000}}}",
    repair="safe",
)
def exposed(context: Context) -> Iterator[Problem]:
    """Check the mean exposure of the guard that takes longest against `risk.maxExposed`."""
    found = canary_odds(context)
    if found is None or found[0].risk.max_exposed is None:
        return
    accepted, worst = found[0].risk.max_exposed, found[1].worst_exposed
    if worst is None or worst <= accepted:
        return
    message = f"a bad version answers {math.ceil(worst):,} requests on average before it is rolled back; "
    message += f"{accepted:,} are accepted"
    hint, fix = _less_exposed(context, found[1], accepted)
    yield Problem((*ROLLOUT, "risk", "maxExposed"), message, hint, fix=fix)


def _less_exposed(context: Context, odds: PlanOdds, accepted: int) -> tuple[str, Fix | None]:
    """Return the longer first step that keeps enough bad versions from the later ones."""
    steps, guards = phases_of(context), [guard for guard, _ in odds.guards]
    for hold in ROUND_HOLDS if guards and steps else ():
        if hold <= steps[0].duration_s:
            continue
        worst = _worst(context, guards, with_hold(steps, 0, hold), accepted)
        if worst <= accepted:
            hint = f"hold {percent(steps[0].weight)} for {duration(hold)}: {math.ceil(worst):,} requests on average"
            return hint, Fix((*STEPS, weight_steps(context)[0], "hold"), duration(hold))
    return "lower the first weight, or add a smaller step before it", None


def _worst(
    context: Context, guards: Sequence[Comparison | Limit], steps: tuple[Phase, ...], accepted: int
) -> float:
    """Return the largest mean exposure among the guards, or the first one that exceeds what is accepted."""
    worst = 0.0
    # Odds of comparisons are computed a hundred times faster than those of limits, and exclude most holds.
    for guard in sorted(guards, key=lambda guard: isinstance(guard, Limit)):
        worst = max(worst, price(context.plan, guard, steps).exposed_mean or math.inf)
        if worst > accepted:
            break
    return worst


@rule(
    "CAN212",
    "warning",
    "a weight grows more than fivefold before bad versions are caught",
    scope=Context,
    why="Each step multiplies the harm per second; before a large one the guards should have decided.",
    remedy="Hold the step before it longer, or add a step between the two.",
    example="spec: {rollout: {steps: [{weight: 4%, hold: 60m}, {weight: 25%, hold: 1h}]}}",
    instead="spec: {rollout: {steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 1h}]}}",
    repair="safe",
)
def steep(context: Context) -> Iterator[Problem]:
    """Check that at least `risk.power` of the bad versions are caught before a weight grows more than fivefold."""
    found = canary_odds(context)
    if found is None:
        return
    steps, indices = phases_of(context), weight_steps(context)
    for position in range(1, len(steps)):
        before, after = steps[position - 1].weight, steps[position].weight
        required = found[0].risk.power
        slow = [
            (guard, odds)
            for guard, odds in found[1].comparisons
            if odds.power_by_step[position - 1] < required
            and takes_evidence(context, guard, steps[position - 1])
        ]
        if after <= WIDENING * before + 1e-12 or not slow:
            continue
        guard, alone = min(slow, key=lambda pair: pair[1].power_by_step[position - 1])
        message = f"the weight grows from {percent(before)} to {percent(after)} when "
        message += f"`{guard.name}` has caught {caught(alone, position - 1)} of {effect_of(guard)}"
        hint, fix = _held(context, guard, alone, position - 1, _common_hold(context, slow, position - 1))
        yield Problem((*STEPS, indices[position], "weight"), message, hint, fix=fix)


@rule(
    "CAN215",
    "warning",
    "the last weight is far from 100%",
    scope=Context,
    why="After the last step all traffic moves at once: what a small share does not show (load, caches, rare users) "
    "shows when everybody has it.",
    remedy="Add a step in between, such as 50%.",
    example="spec: {rollout: {steps: [{weight: 2%, hold: 4h}, {weight: 6%, hold: 1h}]}}",
    instead="spec: {rollout: {steps: [{weight: 2%, hold: 4h}, {weight: 8%, hold: 1h}, {weight: 40%, hold: 20m}]}}",
    repair="safe",
)
def last_weight(context: Context) -> Iterator[Problem]:
    """Check that the promotion grows the last weight at most fivefold; a tier with `largestIncrease` is stricter."""
    steps, indices = phases_of(context), weight_steps(context)
    if not steps or context.tier.ceilings.largest_increase is not None:
        return
    last = steps[-1].weight
    if last < max(step.weight for step in steps):
        return  # PLAN501
    if WIDENING * last + 1e-12 < 1:
        message = f"the weight grows from {percent(last)} to 100% at the end"
        hint = f"add a step of 50%, held for {duration(steps[-1].duration_s)} like the last one"
        fix = inserted_steps(context, indices[-1] + 1, [50], duration(steps[-1].duration_s))
        yield Problem((*STEPS, indices[-1], "weight"), message, hint, fix=fix)


@rule(
    "CAN214",
    "warning",
    "a cohort sends fewer requests than its step waits for",
    scope=Context,
    why="The next step starts only after the cohort has sent `requests`. With fewer, each release pauses for a person.",
    remedy="Hold the cohort longer, or lower its `requests`.",
    example="""
# specs/platform.yaml
spec: {cohorts: [{header: x-cohort, exact: staff, share: "0.1%"}]}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{cohort: {header: x-cohort, exact: staff}, hold: 1m}, {weight: 25%, hold: 60m}]}}
""",
    instead="""
# specs/platform.yaml
spec: {cohorts: [{header: x-cohort, exact: staff, share: "0.1%"}]}
# specs/shop/ranker.yaml
spec: {rollout: {steps: [{cohort: {header: x-cohort, exact: staff}, hold: 30m}, {weight: 25%, hold: 60m}]}}
""",
    repair="review",
)
def small_cohort(context: Context) -> Iterator[Problem]:
    """Check that the declared traffic of a cohort is enough for its evidence check."""
    plan = context.plan
    for (index, step), share in zip(plan.rollout.cohort_steps, plan.cohort_shares, strict=True):
        rps, weight = plan.min_rps or 0.0, plan.weight_before(index) / 100
        if not rps or share >= EVERYBODY or weight >= 1:
            continue
        from generator.promql.bounds import CohortRequests

        def seen(hold_s: float, rps: float = rps, share: float = share, weight: float = weight) -> float:
            """Return the requests that the check counts after this hold."""
            stable = (1 - share) * (1 - weight) * rps * hold_s
            test = CohortRequests(hold_s, weight, plan.design_effect)
            return test.of(rps * hold_s - stable, stable)

        if seen(step.hold) >= step.requests:
            continue
        sent = max(0, math.floor(seen(step.hold)))
        message = (
            f"the check can count at most {plural(sent, 'request')} of this cohort; the next step waits for "
        )
        message += f"{step.requests:,}"
        longer = next(
            (hold for hold in ROUND_HOLDS if hold > step.hold and seen(hold) >= step.requests), None
        )
        path = (*STEPS, index, "hold")
        if longer is None:
            yield Problem(path, message, "lower `requests`, or use a larger cohort")
            continue
        hint = f"hold it for {duration(longer)}, or lower `requests`"
        yield Problem(path, message, hint, fix=Fix(path, duration(longer)))
