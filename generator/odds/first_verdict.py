"""The first moment at which each guard of a canary can stop it, and whether the release still runs then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, assert_never

from generator.dataclass import dataclass
from generator.odds.odds import masked_s
from generator.plan.guards import Comparison, Guard, Limit, Parity
from generator.plan.measurements import LIMIT_FAILURES
from generator.plan.timeline import Event, timeline
from generator.plan.values import Plan
from generator.spec.quantities import time_span
from generator.spec.rollout import ApproveStep, Canary, CohortStep, WeightStep
from generator.stats.passage import first_evidence_s
from generator.stats.runs import Looks, run_stops
from generator.stats.timeline import Phase, Rollout

_ROUNDING_S: Final = 1e-6
_AS_LONG_AS_IT_TAKES_S: Final = 400 * 86_400.0
_COHORT: Final = 0.5
"""Used for the unknown share of a cohort: its route changes the canary's share of the requests, as a weight does."""


@dataclass(frozen=True, slots=True)
class FirstVerdict:
    """The first verdict of a guard that can stop a canary.

    Args:
        guard: the guard.
        at_s: seconds from the first step that is measured until then; None if no step gives the guard any evidence.
        promoted_s: seconds from there to the promotion; None where a person decides how long the release takes.
    """

    guard: Guard
    at_s: float | None
    promoted_s: float | None

    @property
    def in_time(self) -> bool:
        """Whether the guard can fail before the release is promoted."""
        return self.at_s is not None and (
            self.promoted_s is None or self.at_s <= self.promoted_s + _ROUNDING_S
        )

    @property
    def text(self) -> str:
        """The verdict that comes too late, in words."""
        first = (
            "no step gives it evidence" if self.at_s is None else f"first verdict at {time_span(self.at_s)}"
        )
        end = "" if self.promoted_s is None else f", promoted at {time_span(self.promoted_s)}"
        return f"cannot fail before promotion: {first}{end}"


def late_guards(plan: Plan) -> tuple[FirstVerdict, ...]:
    """Return the guards that cannot fail before the release is promoted; none for a blue-green."""
    return tuple(found for found in first_verdicts(plan) if not found.in_time)


def first_verdicts(plan: Plan) -> tuple[FirstVerdict, ...]:
    """Return the first verdict of every guard of a canary; nothing for a blue-green.

    The times are those of the timeline: the first measurement of each guard, the holds of the steps, and the promotion.
    Approvals, waits for late data and the start of pods only make a release longer. A verdict at the very moment of the
    promotion counts, as in the odds.
    """
    if not isinstance(plan.rollout, Canary):
        return ()
    events = timeline(plan).events
    looks = {name: event for event in events if event.kind == "looks" for name in event.stops}
    promotion = next(event for event in events if event.kind == "promotion")
    return tuple(_first(plan, guard, looks, events, promotion) for guard in plan.guards)


def _first(
    plan: Plan, guard: Guard, looks: Mapping[str, Event], events: tuple[Event, ...], promotion: Event
) -> FirstVerdict:
    look = looks.get(guard.name)
    if look is None or look.start_s is None:
        return FirstVerdict(guard, None, None)  # it waits for approvals only, and measures nothing
    begin = look.start_s - guard.first_s(plan.clock)
    promoted = None
    if promotion.after == look.after and promotion.start_s is not None:
        promoted = promotion.start_s - begin
    return FirstVerdict(guard, _at_s(plan, guard, _proofs(guard, events, look, begin)), promoted)


def _at_s(plan: Plan, guard: Guard, proofs: tuple[float, ...]) -> float | None:
    """Return the seconds to the first verdict, from the first step that is measured."""
    match guard:
        case Comparison():
            return _evidence_s(plan, guard)
        case Limit():
            return _failed_s(plan, guard, LIMIT_FAILURES)
        case Parity():
            return min((_failed_s(plan, guard, 0), *proofs))
        case _:
            assert_never(guard)


def _failed_s(plan: Plan, guard: Guard, forgiven: int) -> float:
    """Return when a guard has failed if every measurement fails."""
    first, interval = guard.first_s(plan.clock), guard.interval_s(plan.clock)
    return run_stops([Looks(first, interval, forgiven + 1, 1.0)], forgiven)[-1].first_s


def _proofs(guard: Guard, events: tuple[Event, ...], look: Event, begin: float) -> tuple[float, ...]:
    """Return when steps end that demand proof of a parity: without it no weight grows."""
    return tuple(
        event.start_s - begin
        for event in events
        if event.kind == "evidence" and guard.name in event.stops and event.after == look.after
        if event.start_s is not None
    )


def _evidence_s(plan: Plan, guard: Comparison) -> float | None:
    """Return when a comparison first has evidence; beyond the promotion, if only a longer last step gives it some."""
    for waits in (False, True):
        rollout = Rollout(tuple(_phases(plan, guard, waits=waits)), 1.0)
        found = first_evidence_s(masked_s(plan, guard), guard.interval_s(plan.clock), rollout)
        if found is not None:
            return found
    return None


def _phases(plan: Plan, guard: Comparison, *, waits: bool) -> Iterator[Phase]:
    """Yield the steps that are measured; the last one lasts as long as it takes, and so may one before an approval."""
    steps = list(plan.rollout.steps) if isinstance(plan.rollout, Canary) else []
    while steps and isinstance(steps[0], ApproveStep):
        steps.pop(0)
    for at, step in enumerate(steps):
        after = steps[at + 1 :]
        approved = waits and bool(after) and isinstance(after[0], ApproveStep)
        more = _AS_LONG_AS_IT_TAKES_S if approved or not after else 0.0
        match step:
            case WeightStep():
                counts = plan.takes_evidence(guard, step.weight)
                yield Phase(step.weight / 100, step.hold + more, counts)
            case CohortStep():
                yield Phase(_COHORT, step.hold + more, not plan.compares_loads(guard))
            case ApproveStep():
                continue
            case _:
                assert_never(step)


def with_hold_of(plan: Plan, rollout: Canary, position: int, hold_s: float) -> Plan:
    """Return a plan with another hold (seconds) of one step."""
    steps = [
        step.model_copy(update={"hold": hold_s}) if at == position else step
        for at, step in enumerate(rollout.steps)
    ]
    return replace(plan, rollout=rollout.model_copy(update={"steps": steps}))
