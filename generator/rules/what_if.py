"""Computes how changes of a plan affect its odds, for hints and repairs."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from generator.odds.design import ROUND_HOLDS
from generator.odds.odds import PlanOdds, phases, price
from generator.plan.guards import Comparison, Guard, Limit
from generator.plan.values import Plan
from generator.rules.context import Context
from generator.spec.quantities import share_down
from generator.spec.rollout import Canary
from generator.spec.units import percent
from generator.stats.odds import GuardOdds
from generator.stats.timeline import Phase


def canary_odds(context: Context) -> tuple[Canary, PlanOdds] | None:
    """Return a canary and its odds; None for a blue-green."""
    rollout, odds = context.plan.rollout, context.odds
    return (rollout, odds) if isinstance(rollout, Canary) and odds is not None else None


def phases_of(context: Context) -> tuple[Phase, ...]:
    """Return the weight steps of a plan for the statistics."""
    return phases(context.plan.rollout)


def takes_evidence(context: Context, guard: Comparison, phase: Phase) -> bool:
    """Return whether a guard takes evidence from a step; CAN213 reports those that take none from any."""
    return context.plan.takes_evidence(guard, round(100 * phase.weight))


def round_hold(seconds: float) -> float | None:
    """Return the smallest round hold of at least this many seconds; None above a week."""
    at = bisect_left(ROUND_HOLDS, seconds - 1e-9)
    return ROUND_HOLDS[at] if at < len(ROUND_HOLDS) else None


def with_hold(steps: Sequence[Phase], position: int, hold_s: float) -> tuple[Phase, ...]:
    """Return the weight steps with one hold changed."""
    changed = replace(steps[position], duration_s=hold_s)
    return (*steps[:position], changed, *steps[position + 1 :])


def hold_that_catches(
    context: Context, guard: Comparison | Limit, steps: tuple[Phase, ...], position: int, power: float
) -> tuple[float, GuardOdds] | None:
    """Find the smallest longer round hold of a step by whose end a guard catches a share of bad versions.

    Returns:
        The hold (seconds) and the odds with it; None if a week is not enough or exceeds the tier's ceiling.
    """
    longer = [hold for hold in ROUND_HOLDS if hold > steps[position].duration_s]

    def odds(hold: float) -> GuardOdds:
        return price(context.plan, guard, with_hold(steps, position, hold))

    at = bisect_left(longer, power, key=lambda hold: odds(hold).power_by_step[position])
    if at == len(longer) or not may_last(context, longer[at] - steps[position].duration_s):
        return None
    return longer[at], odds(longer[at])


def may_last(context: Context, more_s: float) -> bool:
    """Return whether the tier allows so many more seconds of a rollout."""
    ceiling, rollout = context.tier.ceilings.longest_rollout, context.plan.rollout
    if ceiling is None or rollout.strategy != "canary":
        return True
    shadow = rollout.shadow.hold if rollout.shadow else 0.0
    return rollout.held_s + shadow + more_s <= ceiling


def exposure_change(before: GuardOdds, after: GuardOdds) -> str:
    """Return the change of the mean exposure, rounded up; empty if it is unknown."""
    if not before.exposed_mean or after.exposed_mean is None:
        return ""
    change = after.exposed_mean / before.exposed_mean - 1
    whole = math.ceil(100 * change)
    return f", mean exposure {whole:+d}%" if whole else ""


def caught(odds: GuardOdds, position: int) -> str:
    """Return the share of bad versions that is caught by the end of a step, as text."""
    return share_down(odds.power_by_step[position])


def compared(plan: Plan, guard: Limit) -> Comparison | None:
    """Return a guard with a bare limit as one that compares with stable and catches the same change.

    None if the limit is on the good side of the baseline, or the baseline is not declared.
    """
    if guard.counts is None or not guard.baseline:
        return None
    ratio = guard.limit / guard.baseline
    if ratio <= 0 or (ratio > 1) != guard.more_is_worse or ratio == 1 or ratio * guard.baseline > 1:
        return None
    others = sum(1 for other in plan.guards if isinstance(other, Comparison))
    alpha = plan.rollout.risk.false_rollback / (others + 1)
    if not 0 < alpha < 1:
        return None
    return Comparison(
        name=guard.name,
        kind=guard.kind,
        subject=guard.subject,
        no_data=guard.no_data,
        index=guard.index,
        counted=guard.counts,
        ratio=ratio,
        more_is_worse=guard.more_is_worse,
        baseline=guard.baseline,
        delay_s=guard.delay_s,
        alpha=alpha,
        mask_s=0.0,
    )


def comparisons(context: Context, guard: Guard) -> list[Comparison]:
    """Return the guards that compare the same thing with stable."""
    same = (guard.kind, guard.subject, guard.bound_s)
    found = [other for other in context.plan.guards if isinstance(other, Comparison)]
    return [other for other in found if (other.kind, other.subject, other.bound_s) == same]


def detect_of(guard: Comparison) -> dict[str, str]:
    """Return what a guard detects, as a spec writes it: `{drop: 10%}`."""
    change = guard.ratio - 1.0
    return {"drop": percent(-change)} if change < 0 else {"rise": percent(change)}


def effect_of(guard: Comparison) -> str:
    """Return what a guard detects in words: `10% drops`."""
    ((direction, size),) = detect_of(guard).items()
    return f"{size} {direction}s"


def rewritten(context: Context, guard: Guard, **changes: Any) -> dict[str, Any]:
    """Return a guard as its spec wrote it, with some keys changed; None removes a key."""
    written = context.planned.source.layers.merged["spec"]["rollout"]["guards"][guard.index]
    return {key: value for key, value in {**written, **changes}.items() if value is not None}


def is_testable(context: Context, guard: Guard) -> bool:
    """Return whether a test exists for a guard; otherwise PLAN504 or PLAN506 reports it."""
    risk = context.plan.rollout.risk
    impossible = isinstance(guard, Comparison) and guard.ratio in {0.0, 1.0}
    return 0 < risk.false_rollback < 1 and 0 < risk.power < 1 and not impossible
