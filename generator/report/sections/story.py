"""The timeline and its guards."""

from __future__ import annotations

from collections.abc import Sequence

from generator.plan.guards import Comparison, Guard, Limit, Parity
from generator.plan.resolve import Planned
from generator.plan.timeline import Event, Timeline, approver, timeline
from generator.plan.values import Plan
from generator.report import records
from generator.report.records import Stage
from generator.report.sections.section import Section
from generator.report.tables import JOINED, Table
from generator.spec.quantities import time_span
from generator.spec.units import percent


def story(planned: Planned) -> Section:
    """Return what happens when."""
    course = timeline(planned.plan)
    data: records.TimelineRecord = {
        "planned_s": course.planned_s,
        "approvals": list(course.approvals),
        "events": [_event(event) for event in course.events],
    }
    head = (
        f"{planned_time(course)}. Times start when the new version's pods are ready; after an approval, at that"
        " approval. Before each increase of the weight the controller waits up to 10m for the pods, then aborts."
    )
    guards = [guard.name for guard in planned.plan.guards]
    rows = [(*event_times(event), event.text, _stops(event.stops, guards)) for event in course.events]
    title = "Timeline (in brackets: who can stop it)"
    return Section("timeline", title, data, (head, "", Table.of(rows)))


def planned_time(course: Timeline) -> str:
    """Return how long a release takes, in words."""
    waits = f", and waits for {', '.join(map(approver, course.approvals))}" if course.approvals else ""
    return f"{time_span(course.planned_s)} planned{waits}"


def _stops(stops: Sequence[str], guards: Sequence[str]) -> str:
    """Name who can stop an event; all guards together are not named one by one."""
    if not stops:
        return ""
    if len(guards) > 1 and set(guards) <= set(stops):
        stops = ("all guards", *(name for name in stops if name not in guards))
    return f"[{', '.join(name.replace(' ', JOINED) for name in stops)}]"


def _event(event: Event) -> records.TimelineEvent:
    return {
        "kind": event.kind,
        "text": event.text,
        "start_s": event.start_s,
        "end_s": event.end_s,
        "after": event.after,
        "stops": list(event.stops),
        "step": event.step,
        "weight": None if event.weight is None else event.weight / 100,
        "load": None if event.load is None else [event.load.least, event.load.most],
    }


def event_times(event: Event) -> tuple[str, str]:
    """Return when an event starts, and when it ends if that is another time."""
    behind = f"{event.after} +{JOINED}" if event.after else ""
    if event.start_s is None:
        return "before", ""
    start = f"{behind}{time_span(event.start_s).replace(' ', JOINED)}"
    if event.end_s is None:
        return start, "…"
    return start, "" if event.end_s == event.start_s else time_span(event.end_s)


def guards(planned: Planned) -> Section:
    """Return the guards, and the risk that the team accepts."""
    plan = planned.plan
    risk = plan.rollout.risk
    every = _guards(plan)
    data: records.Guards = {
        "risk": {"false_rollback": risk.false_rollback, "power": risk.power, "max_exposed": risk.max_exposed},
        "guards": [_guard(stage, guard) for stage, guard in every],
    }
    rows = [(guard.name, stage, guard.describe(), f"no data: {guard.no_data}") for stage, guard in every]
    accepted = f"accepted: {percent(risk.false_rollback)} false rollbacks, {percent(risk.power)} power"
    return Section("guards", "Guards", data, (accepted, Table.of(rows)))


def _guards(plan: Plan) -> list[tuple[Stage, Guard]]:
    return [
        *(("shadow", guard) for guard in plan.shadow_guards),
        *((plan.rollout.stage, guard) for guard in plan.guards),
    ]


def _guard(stage: Stage, guard: Guard) -> records.GuardRecord:
    return {
        "name": guard.name,
        "stage": stage,
        "kind": guard.kind,
        "subject": guard.subject,
        "ratio": guard.ratio if isinstance(guard, Comparison) else None,
        "limit": guard.limit if isinstance(guard, Limit | Parity) else None,
        "at_most": guard.more_is_worse,
        "baseline": guard.baseline,
        "delay_s": guard.delay_s,
        "bound_s": guard.bound_s or None,
        "alpha": guard.alpha if isinstance(guard, Comparison) else None,
        "attributes": {name: list(values) for name, values in guard.attributes},
        "no_data": guard.no_data,
    }
