"""The rule on guards whose first verdict comes after the promotion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.lint.engine import Problem, rule
from generator.odds.design import ROUND_HOLDS
from generator.odds.first_verdict import FirstVerdict, first_verdicts, with_hold_of
from generator.odds.odds import LATENCY_S
from generator.plan.guards import Guard
from generator.plan.values import Plan
from generator.rules.context import GUARDS, STEPS, Context
from generator.rules.what_if import may_last
from generator.source.finding import Fix, Severity
from generator.spec.quantities import time_span
from generator.spec.rollout import ApproveStep, Canary, WeightStep
from generator.spec.units import duration


@rule(
    "CAN216",
    "warning",
    "a guard can't fail before the release is promoted",
    scope=Context,
    why="A guard needs time for its first verdict: a window must be full, late outcomes must arrive, and a limit "
    "forgives one failure. If the steps end before that, the guard looks like a check, but every version is promoted. "
    "With declared traffic, and if no guard of the release can fail in time, this is an error.",
    remedy="Hold the last step longer, or let a person approve it.",
    example="""
spec:
  traffic: {minRps: 20000}
  rollout:
    steps: [{weight: 5%, hold: 2m}, {weight: 25%, hold: 2m}, {weight: 50%, hold: 2m}]
    guards:
      - {metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}
      - {metric: error-rate, baseline: 0.5%, limit: 5%, name: ceiling}
""",
    instead="""
spec:
  traffic: {minRps: 20000}
  rollout:
    steps: [{weight: 5%, hold: 2m}, {weight: 25%, hold: 2m}, {weight: 50%, hold: 3m}]
    guards:
      - {metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}
      - {metric: error-rate, baseline: 0.5%, limit: 5%, name: ceiling}
""",
    repair="safe",
    source="Argo Rollouts 1.10, rollout/analysis.go and analysis/analysis.go",
)
def in_time(context: Context) -> Iterator[Problem]:
    """Check that each guard can fail between the first step and the promotion, if every measurement fails."""
    plan, rollout = context.plan, context.plan.rollout
    if not isinstance(rollout, Canary) or not all(hold for _, hold in _holds(rollout)):
        return  # PLAN502
    found = first_verdicts(plan)
    late = [one for one in found if not one.in_time and not _compares_nothing(plan, one)]
    stopped = any(one.in_time for one in found) or bool(plan.shadow_guards)
    severity: Severity = "warning" if stopped or not plan.min_rps else "error"  # as CAN108, without a guard
    enough = [_enough(plan, rollout, one.guard) for one in late]
    for one, mine in zip(late, enough, strict=True):
        hint, fix = _hint(context, rollout, mine, enough)
        yield Problem((*GUARDS, one.guard.index), _message(one), hint, fix=fix, severity=severity)


def _compares_nothing(plan: Plan, found: FirstVerdict) -> bool:
    """Return whether CAN213 reports the guard: the loads of the pods differ in every step."""
    return found.at_s is None and plan.compares_loads(found.guard) and bool(plan.step_loads)


def _message(found: FirstVerdict) -> str:
    message = f"`{found.guard.name}` can't fail before the release is promoted: "
    if found.at_s is None or found.promoted_s is None:
        return f"{message}no step gives it evidence"
    return (
        f"{message}its first verdict comes after {time_span(found.at_s)}, "
        f"the promotion after {time_span(found.promoted_s)}"
    )


def _holds(rollout: Canary) -> list[tuple[int, float]]:
    """Return the positions of the steps that last for some time, with their holds."""
    return [(at, step.hold) for at, step in enumerate(rollout.steps) if not isinstance(step, ApproveStep)]


_Enough = tuple[int, float]
"""The position of a step, and a hold (seconds) of it."""


def _enough(plan: Plan, rollout: Canary, guard: Guard) -> _Enough | None:
    """Return the smallest longer round hold of the last step, or of one before it, with which a guard is in time."""
    for at, held in reversed(_holds(rollout)):
        for hold in ROUND_HOLDS:
            if hold > held and _is_in_time(with_hold_of(plan, rollout, at, hold), guard):
                return at, hold
    return None


def _is_in_time(plan: Plan, guard: Guard) -> bool:
    """Return whether the controller has time to act on the first verdict."""
    found = next(one for one in first_verdicts(plan) if one.guard == guard)
    return found.in_time and (found.promoted_s is None or (found.at_s or 0.0) + LATENCY_S <= found.promoted_s)


def _hint(
    context: Context, rollout: Canary, mine: _Enough | None, all_of_them: Sequence[_Enough | None]
) -> tuple[str, Fix | None]:
    """Return the hint and the edit; guards that need the same step longer get the same edit."""
    if mine is None:
        return "add a step with a weight, and hold it", None
    at, hold = max(one for one in all_of_them if one and one[0] == mine[0])
    step = rollout.steps[at]
    held = 0.0 if isinstance(step, ApproveStep) else step.hold
    what = f"{step.weight}%" if isinstance(step, WeightStep) else "the cohort"
    if not may_last(context, hold - held):
        return (
            f"hold {what} for {duration(hold)}, which the tier does not allow, or let a person approve it",
            None,
        )
    return f"hold {what} for {duration(hold)}", Fix((*STEPS, at, "hold"), duration(hold))
