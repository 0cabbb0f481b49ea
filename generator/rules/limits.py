"""Rules on bare limits and late outcomes: guards that do not measure what they seem to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.odds.odds import price
from generator.plan.guards import Comparison, Guard, Limit
from generator.rules.context import GUARDS, STEPS, Context, inserted_steps, weight_steps
from generator.rules.what_if import (
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
from generator.spec.quantities import share_up
from generator.spec.units import duration, percent
from generator.stats.delay import REFUSE_SHIFT, WARN_SHIFT, delay_share, llr_shift, mask_dead_time

_FEW: Final = 100.0
_TOO_FEW: Final = 20.0
_HALF: Final = 0.5
_HEARD: Final = 5.0
"""Expected events of which a good version has none in fewer than one of a hundred windows."""
_MOST_STEPS: Final = 3  # more would be another rollout


def _bare(context: Context) -> list[Limit]:
    """Guards with an absolute limit on a share of events."""
    return [guard for guard in context.plan.guards if isinstance(guard, Limit) and guard.counts]


@rule(
    "CAN103",
    "warning",
    "a guard has a limit, but no declared change that it must catch",
    scope=Context,
    why="Without a declared change the power of a limit is unknown, so it may catch nothing. In a tier "
    "that requires images by digest this is an error.",
    remedy="Write `detect` instead of `limit`, or add a guard with `detect` for the same metric.",
    example="spec: {rollout: {guards: [{outcome: ctr, limit: 3%}]}}",
    instead="spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 25%}}]}}",
    repair="review",
)
def undeclared(context: Context) -> Iterator[Problem]:
    """Check that a comparison watches what a bare limit watches."""
    if context.plan.rollout.strategy != "canary":
        return
    for guard in _bare(context):
        if not comparisons(context, guard):
            message = f"`{guard.name}` has a limit, but no change that it must catch"
            severity: Severity = "error" if context.regulated else "warning"
            fix, example = _as_comparison(context, guard)
            hint = f"write `detect: {example}` instead of `limit`, or add such a guard"
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
    "the window of a limit has too few requests",
    scope=Context,
    why="A share of few requests is noise, and a share of none is undefined: the guard waits or fires by "
    "chance. Below 20 requests this is an error.",
    remedy="Send more traffic in the first step, or compare with the stable version (`detect`).",
    example="""
spec:
  traffic: {minRps: 6}
  rollout:
    guards:
      - {metric: error-rate, baseline: 20%, detect: {rise: 100%}}
      - {metric: error-rate, baseline: 20%, limit: 80%, name: ceiling}
""",
    instead="""
spec:
  traffic: {minRps: 7}
  rollout:
    guards:
      - {metric: error-rate, baseline: 20%, detect: {rise: 100%}}
      - {metric: error-rate, baseline: 20%, limit: 80%, name: ceiling}
""",
    repair="review",
)
def sparse(context: Context) -> Iterator[Problem]:
    """Check that a window has at least 100 requests at the smallest weight."""
    rollout, rps = context.plan.rollout, context.plan.min_rps
    if not rps or not _bare(context):
        return
    smallest = min(rollout.weights, default=100)
    window = context.plan.clock.window_s
    requests = rps * smallest / 100 * window
    if requests >= _FEW:
        return
    needed = math.ceil(100 * _FEW / (rps * window))
    fix = None
    hint = "a limit needs more traffic: compare with the stable version (`detect`) instead"
    if rollout.weights and needed <= _highest_weight(context):
        index = next(i for i, step in rollout.weight_steps if step.weight == smallest)
        hint = f"start with {needed}%: {math.floor(rps * needed / 100 * window):,} requests in a window"
        fix = Fix((*STEPS, index, "weight"), f"{needed}%")
    for guard in _bare(context):
        seen = f"{math.floor(requests)} requests in {duration(window)}"
        message = f"`{guard.name}` sees only {seen} at {smallest}%"
        severity: Severity = "error" if requests < _TOO_FEW else "warning"
        yield Problem((*GUARDS, guard.index, "limit"), message, hint, fix=fix, severity=severity)


def _highest_weight(context: Context) -> int:
    """Return the highest weight that the smallest step may have: below the next step, within the tier."""
    weights = sorted(context.plan.rollout.weights)
    next_weight = weights[1] - 1 if len(weights) > 1 else 100
    return min(next_weight, context.tier.ceilings.first_weight or 100)


@rule(
    "CAN110",
    "warning",
    "a limit equals the level after the change to detect",
    scope=Context,
    why="A version with exactly that change exceeds the limit in half of all measurements: chance decides "
    "whether it is caught.",
    remedy="Move the limit beyond the change, or remove it: the comparison catches the change.",
    example="""
spec:
  rollout:
    guards:
      - {metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}
      - {metric: error-rate, baseline: 0.5%, limit: 1%, name: ceiling}
""",
    instead="""
spec:
  rollout:
    guards:
      - {metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}
      - {metric: error-rate, baseline: 0.5%, limit: 1.5%, name: ceiling}
""",
    repair="review",
)
def coin_toss(context: Context) -> Iterator[Problem]:
    """Check that a limit differs from what a comparison of the same metric is to catch."""
    for guard in _bare(context):
        for other in comparisons(context, guard):
            bad = (guard.baseline or 0.0) * other.ratio
            if guard.baseline and math.isclose(guard.limit, bad, rel_tol=1e-6):
                message = f"the limit {percent(guard.limit)} is exactly what {effect_of(other)} leave: "
                message += "chance decides each measurement of such a version"
                beyond = guard.baseline * (1 + 2 * (other.ratio - 1))
                fix = None
                hint = f"remove the limit: `{other.name}` catches such versions"
                if 0 < beyond < 1:
                    fix = Fix((*GUARDS, guard.index, "limit"), percent(beyond))
                    hint = f"write {percent(beyond)}, twice that change: `{other.name}` catches the change itself"
                yield Problem((*GUARDS, guard.index, "limit"), message, hint, fix=fix)


@rule(
    "CAN111",
    "warning",
    "too few outcomes are expected to tell none from reports that never arrive",
    scope=Context,
    why="Of an outcome where fewer are better, none at all looks perfect, and so does a client that reports nothing. "
    "The guard therefore decides nothing without one; where few are expected, a good version may have none.",
    remedy="Send more traffic in the first step or hold it longer, or watch an outcome where more are better.",
    example="""
spec:
  outcomes: {complaints: {kind: ratio, event: complaint, baseline: 0.01%, better: lower}}
  rollout: {guards: [{outcome: complaints, detect: {rise: 900%}}]}
""",
    instead="""
spec:
  outcomes: {complaints: {kind: ratio, event: complaint, baseline: 1%, better: lower}}
  rollout: {guards: [{outcome: complaints, detect: {rise: 100%}}]}
""",
)
def unheard(context: Context) -> Iterator[Problem]:
    """Check the outcomes that the canary is expected to have: in a window of a limit, or in the first step."""
    plan, rps = context.plan, context.plan.min_rps
    first = plan.rollout.weight_steps[0][1].hold if plan.rollout.weight_steps else 0.0
    for guard in plan.guards:
        if not guard.silence_looks_good or not guard.baseline or not rps:
            continue
        seconds = plan.clock.window_s if isinstance(guard, Limit) else first
        if not seconds:
            continue
        smallest = min(plan.rollout.weights, default=100)
        expected = rps * smallest / 100 * seconds * guard.baseline
        if expected < _HEARD:
            message = f"`{guard.name}` expects {expected:.1f} events in {duration(seconds)} at {smallest}%: "
            message += "a good version without one would look like one whose reports never arrive"
            hint = f"{_HEARD:g} events need {math.ceil(_HEARD / guard.baseline):,} requests: raise the weight"
            hint += (
                ", or use `detect` with a longer hold" if isinstance(guard, Limit) else ", or hold it longer"
            )
            yield Problem((*GUARDS, guard.index), message, hint)


@rule(
    "CAN140",
    "warning",
    "late outcomes make a good version look bad",
    scope=Context,
    why="Right after a weight increase, the canary has requests whose outcomes have not arrived, and "
    "stable has not: the canary looks worse than it is. If this alone could roll it back, it is an error.",
    remedy="Use smaller weight steps, compare with the stable version, or count only settled outcomes.",
    example="spec: {traffic: {minRps: 3000}}",
    instead="spec: {traffic: {minRps: 400}}",
    repair="review",
)
def late(context: Context) -> Iterator[Problem]:
    """Check the evidence that late outcomes add against a good version; bare limits ignore none of them."""
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

    def shifted(start: int, weight: int) -> float:
        return left * llr_shift(rps, weight / 100, (weight - start) / 100, baseline, guard.delay_s, ratio)

    before = 0
    for index, step in context.plan.rollout.weight_steps:
        start, before = before, step.weight
        if step.weight <= start:
            continue
        shift = shifted(start, step.weight)
        if shift > WARN_SHIFT:
            boundary = math.log(1 / guard.alpha) if 0 < guard.alpha < 1 else shift
            share = shift / boundary
            message = (
                f"late outcomes alone would roll back `{guard.name}` when the weight becomes {step.weight}%"
            )
            if share < 1:
                message = (
                    f"late outcomes give `{guard.name}` {share_up(share)} of the evidence for a rollback "
                )
                message += f"when the weight becomes {step.weight}%"
            smaller = _smaller(start, step.weight, shifted)
            fix, hint = None, "count outcomes only once they have settled"
            if smaller:
                weights = ", then ".join(f"{weight}%" for weight in smaller)
                hint = f"go to {weights} first (at most {share_up(WARN_SHIFT / boundary)} of that evidence), or {hint}"
                fix = inserted_steps(context, index, smaller, duration(step.hold))
            severity: Severity = "error" if shift > REFUSE_SHIFT else "warning"
            yield Problem((*STEPS, index, "weight"), message, hint, fix=fix, severity=severity)


def _smaller(start: int, weight: int, shifted: Callable[[int, int], float]) -> list[int]:
    """Return the fewest weights below a weight between which late outcomes count little; empty for more than three."""
    out: list[int] = []
    while shifted(start, weight) > WARN_SHIFT:
        fitting = [each for each in range(start + 1, weight) if shifted(start, each) <= WARN_SHIFT]
        if not fitting or len(out) == _MOST_STEPS:
            return []
        start = fitting[-1]
        out.append(start)
    return out


def _unmasked(context: Context, guard: Limit) -> Iterator[Problem]:
    seen = delay_share(context.plan.clock.window_s, guard.delay_s)
    reading, limit = (guard.baseline or 0.0) * seen, guard.limit
    if reading >= limit:
        return
    message = f"outcomes arrive {duration(guard.delay_s)} late: the first window of a good version shows "
    message += f"{percent(round(reading, 5))}, below the limit {percent(limit)}"
    fix, example = _as_comparison(context, guard)
    hint = f"write `detect: {example}`: a comparison ignores requests whose outcomes are still to come"
    yield Problem((*GUARDS, guard.index, "limit"), message, hint, fix=fix, severity="error")


@rule(
    "CAN141",
    "warning",
    "outcomes arrive too late for the length of a step",
    scope=Context,
    why="A step shows nothing until its outcomes arrive: after each change five mean delays are ignored. A "
    "delay above the length of the step is an error.",
    remedy="Hold each step for at least four mean delays; ten are better.",
    example="""
spec:
  outcomes: {ctr: {delay: 6m}}
  rollout:
    steps: [{weight: 5%, hold: 2h}, {weight: 20%, hold: 20m}]
    guards: [{outcome: ctr, detect: {drop: 10%}}]
""",
    instead="""
spec:
  outcomes: {ctr: {delay: 6m}}
  rollout:
    steps: [{weight: 5%, hold: 2h}, {weight: 20%, hold: 30m}]
    guards: [{outcome: ctr, detect: {drop: 10%}}]
""",
    repair="safe",
)
def slow(context: Context) -> Iterator[Problem]:
    """Check the mean delay of outcomes against a quarter of the shortest step."""
    steps, indices = phases_of(context), weight_steps(context)
    if not steps:
        return
    position = min(range(len(steps)), key=lambda at: steps[at].duration_s)
    if not steps[position].duration_s:
        return  # PLAN502
    shortest = steps[position].duration_s
    for guard in context.plan.guards:
        if not guard.delay_s or guard.delay_s <= shortest / 4:
            continue
        message = f"the outcomes of `{guard.name}` arrive {duration(guard.delay_s)} late; "
        message += f"the shortest step lasts {duration(shortest)}"
        severity: Severity = "error" if guard.delay_s > shortest else "warning"
        path: Path = (*STEPS, indices[position], "hold")
        hold = _settled(context, guard, position)
        hint = "use an outcome that settles sooner" if hold is None else _held(context, guard, position, hold)
        fix = Fix(path, duration(hold)) if hold is not None else None
        yield Problem(path, message, hint, fix=fix, severity=severity)


def _settled(context: Context, guard: Guard, position: int) -> float | None:
    """Return the smallest round hold of at least four mean delays that, with odds, catches half of the bad versions."""
    least = round_hold(4 * guard.delay_s)
    if least is None or not isinstance(guard, Comparison) or not _has_odds(context, guard):
        return least
    found = hold_that_catches(context, guard, phases_of(context), position, _HALF)
    return max(least, found[0]) if found else least


def _has_odds(context: Context, guard: Comparison) -> bool:
    odds = context.odds
    return odds is not None and any(priced == guard for priced, _ in odds.guards)


def _held(context: Context, guard: Guard, position: int, hold: float) -> str:
    """Return the odds of a longer step for a hint; empty without odds."""
    hint = f"hold it for {duration(hold)}"
    if not isinstance(guard, Comparison) or not _has_odds(context, guard):
        return hint
    after = price(context.plan, guard, with_hold(phases_of(context), position, hold))
    return f"{hint}: {caught(after, position)} of {effect_of(guard)} caught by the end of the step"
