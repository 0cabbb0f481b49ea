"""Bare limits and delayed outcomes: guards that read something else than they seem to."""

from __future__ import annotations

import math
from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.odds.odds import odds_of, price, share_up
from generator.plan.guards import Comparison, Guard, Limit
from generator.rules.context import GUARDS, STEPS, Context, weight_steps
from generator.rules.effects import (
    caught,
    compared,
    comparisons,
    detect_of,
    effect_of,
    hold_that_catches,
    phases_of,
    rewritten,
    round_hold,
    with_hold,
)
from generator.source.document import Path
from generator.source.finding import Fix, Severity
from generator.spec.units import duration, percent
from generator.stats.delay import REFUSE_SHIFT, WARN_SHIFT, delay_share, llr_shift, mask_dead_time

_FEW, _TOO_FEW = 100.0, 20.0
_HALF = 0.5


def _bare(context: Context) -> list[Limit]:
    """Guards with an absolute limit on a ratio."""
    return [guard for guard in context.plan.guards if isinstance(guard, Limit) and guard.counts]


@rule(
    "CAN103",
    "warning",
    "a guard can roll back and nobody said what it must catch",
    scope=Context,
    why="A limit without a declared change has no power: nobody can tell a check from a decoration.",
    remedy="Write `detect` instead of `limit`, or add a guard that does beside it.",
)
def undeclared(context: Context) -> Iterator[Problem]:
    """A bare limit alone: warned, refused in a strict tier; beside a comparison it is a second net."""
    if context.plan.rollout.strategy != "canary":
        return
    for guard in _bare(context):
        if not comparisons(context, guard):
            message = f"`{guard.name}` has a limit, but no change that it must catch"
            severity: Severity = "error" if context.regulated else "warning"
            fix, example = _as_comparison(context, guard)
            hint = f"write `detect: {example}` instead of `limit`, or add such a guard beside it"
            yield Problem((*GUARDS, guard.index, "limit"), message, hint, fix=fix, severity=severity)


def _as_comparison(context: Context, guard: Limit) -> tuple[Fix | None, str]:
    better = compared(context.plan, guard)
    if better is None:
        return None, "{drop: …}" if not guard.more_is_worse else "{rise: …}"
    detect = detect_of(better)
    ((direction, size),) = detect.items()
    value = rewritten(context, guard, limit=None, detect=detect)
    return Fix((*GUARDS, guard.index), value), f"{{{direction}: {size}}}"


@rule(
    "CAN105",
    "warning",
    "too few requests in the window of a limit",
    scope=Context,
    why="A ratio of a handful of requests is noise, and of none there is none: the guard waits or fires by chance.",
    remedy="Send more traffic in the first step, or compare with the stable version (`detect`).",
)
def sparse(context: Context) -> Iterator[Problem]:
    """Requests in a window at the smallest weight: warned below 100, refused below 20."""
    rollout, rps = context.plan.rollout, context.plan.min_rps
    if not rps or not _bare(context):
        return
    smallest = min(rollout.weights, default=100)
    window = context.plan.clock.window_s
    requests = rps * smallest / 100 * window
    if requests >= _FEW:
        return
    needed = math.ceil(100 * _FEW / (rps * window))
    fix, hint = None, "a limit needs more traffic than this: compare with the stable version (`detect`)"
    if rollout.weights and needed <= _highest_weight(context):
        index = next(i for i, step in rollout.weight_steps if step.weight == smallest)
        hint = f"start with {needed}%: {math.floor(rps * needed / 100 * window)} requests in a window"
        fix = Fix((*STEPS, index, "weight"), f"{needed}%")
    for guard in _bare(context):
        seen = f"{math.floor(requests)} requests in {duration(window)}"
        message = f"`{guard.name}` looks at {seen} at {smallest}%"
        severity: Severity = "error" if requests < _TOO_FEW else "warning"
        yield Problem((*GUARDS, guard.index, "limit"), message, hint, fix=fix, severity=severity)


def _highest_weight(context: Context) -> int:
    """Highest weight that the smallest step may have: below the next step, within the tier."""
    weights = sorted(context.plan.rollout.weights)
    next_weight = weights[1] - 1 if len(weights) > 1 else 100
    return min(next_weight, context.tier.ceilings.first_weight or 100)


@rule(
    "CAN110",
    "warning",
    "a limit stands exactly where the change is to be caught",
    scope=Context,
    why="A version with just that change is below the limit in half of all looks: it is caught by the toss of a coin.",
    remedy="Move the limit beyond the change, or leave it out: the comparison catches it.",
)
def coin_toss(context: Context) -> Iterator[Problem]:
    """A limit at baseline times the change that a comparison beside it is to catch."""
    for guard in _bare(context):
        for other in comparisons(context, guard):
            bad = (guard.baseline or 0.0) * other.ratio
            if guard.baseline and math.isclose(guard.limit, bad, rel_tol=1e-6):
                message = f"the limit {percent(guard.limit)} is exactly what {effect_of(other)} leave: "
                message += "each look at such a version is the toss of a coin"
                beyond = guard.baseline * (1 + 2 * (other.ratio - 1))
                fix, hint = None, f"leave the limit out: `{other.name}` compares"
                if 0 < beyond < 1:
                    fix = Fix((*GUARDS, guard.index, "limit"), percent(beyond))
                    hint = f"write {percent(beyond)}, twice that change: `{other.name}` catches the change itself"
                yield Problem((*GUARDS, guard.index, "limit"), message, hint, fix=fix)


@rule(
    "CAN140",
    "warning",
    "late outcomes look like a bad version",
    scope=Context,
    why="Outcomes that are still under way are missing from a version whose weight has just grown, and from no other.",
    remedy="Let the weight grow less at a time, compare with the stable version, or count settled outcomes only.",
)
def late(context: Context) -> Iterator[Problem]:
    """Evidence against a good version by outcomes that outlast the mask; bare limits have no mask."""
    rps = context.plan.min_rps
    if context.plan.rollout.strategy != "canary" or not rps:
        return
    for guard in context.plan.guards:
        if not guard.delay_s or not guard.baseline or guard.more_is_worse:
            continue
        if isinstance(guard, Comparison):
            yield from _shifted(context, guard, rps)
        elif isinstance(guard, Limit):
            yield from _unmasked(context, guard)


def _shifted(context: Context, guard: Comparison, rps: float) -> Iterator[Problem]:
    ratio, baseline = guard.ratio, guard.baseline or 0.0
    if not 0 < ratio < 1:
        return
    left = math.exp(-mask_dead_time(guard.mask_s) / guard.delay_s)
    before = 0
    for index, step in context.plan.rollout.weight_steps:
        grown, before = step.weight - before, step.weight
        if grown <= 0:
            continue
        shift = left * llr_shift(rps, step.weight / 100, grown / 100, baseline, guard.delay_s, ratio)
        if shift > WARN_SHIFT:
            share = shift / math.log(1 / guard.alpha) if 0 < guard.alpha < 1 else 1.0
            added = share_up(share) if share < 1 else "more than all"
            message = f"late outcomes add {added} of the evidence that rolls back to `{guard.name}` "
            message += f"when the weight becomes {step.weight}%"
            slower = math.floor(grown * WARN_SHIFT / shift)
            hint, fix = "count an outcome and its request together once they are settled", None
            if slower >= 1:
                weight = step.weight - grown + slower
                hint = f"go to {weight}% first: a third of that evidence and less, or {hint}"
                fix = Fix((*STEPS, index, "weight"), f"{weight}%")
            severity: Severity = "error" if shift > REFUSE_SHIFT else "warning"
            yield Problem((*STEPS, index, "weight"), message, hint, fix=fix, severity=severity)


def _unmasked(context: Context, guard: Limit) -> Iterator[Problem]:
    seen = delay_share(context.plan.clock.window_s, guard.delay_s)
    reading, limit = (guard.baseline or 0.0) * seen, guard.limit
    if reading >= limit:
        return
    message = f"outcomes come {duration(guard.delay_s)} late: the first window of a good version reads "
    message += f"{percent(round(reading, 5))}, below the limit {percent(limit)}"
    fix, example = _as_comparison(context, guard)
    hint = f"write `detect: {example}`: the comparison leaves new strata out"
    yield Problem((*GUARDS, guard.index, "limit"), message, hint, fix=fix, severity="error")


@rule(
    "CAN141",
    "warning",
    "outcomes are late for the length of a step",
    scope=Context,
    why="Until the outcomes are there a step shows nothing; the mask leaves out five mean delays after each change.",
    remedy="Hold each step for four mean delays at least, better ten.",
)
def slow(context: Context) -> Iterator[Problem]:
    """Mean delay above a quarter of the shortest step: warned; above the step: refused."""
    steps, indices = phases_of(context), weight_steps(context)
    if not steps:
        return
    position = min(range(len(steps)), key=lambda at: steps[at].duration_s)
    shortest = steps[position].duration_s
    for guard in context.plan.guards:
        if not guard.delay_s or guard.delay_s <= shortest / 4:
            continue
        message = f"the outcomes of `{guard.name}` come {duration(guard.delay_s)} late; "
        message += f"the shortest step lasts {duration(shortest)}"
        severity: Severity = "error" if guard.delay_s > shortest else "warning"
        path: Path = (*STEPS, indices[position], "hold")
        hold = _settled(context, guard, position)
        hint = "count outcomes that settle sooner" if hold is None else _held(context, guard, position, hold)
        fix = Fix(path, duration(hold)) if hold is not None else None
        yield Problem(path, message, hint, fix=fix, severity=severity)


def _settled(context: Context, guard: Guard, position: int) -> float | None:
    """The smallest round hold of four mean delays; with odds, one that catches half of bad versions."""
    least = round_hold(4 * guard.delay_s)
    if least is None or not isinstance(guard, Comparison) or not _has_odds(context, guard):
        return least
    found = hold_that_catches(context, guard, phases_of(context), position, _HALF)
    return max(least, found[0]) if found else least


def _has_odds(context: Context, guard: Comparison) -> bool:
    odds = odds_of(context.plan)
    return odds is not None and any(priced == guard for priced, _ in odds.guards)


def _held(context: Context, guard: Guard, position: int, hold: float) -> str:
    """What a longer step brings, where there are odds."""
    hint = f"hold it for {duration(hold)}"
    if not isinstance(guard, Comparison) or not _has_odds(context, guard):
        return hint
    after = price(context.plan, guard, with_hold(phases_of(context), position, hold))
    return f"{hint}: {caught(after, position)} of {effect_of(guard)} caught by its end"
