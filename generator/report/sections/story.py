"""The timeline and the guards that judge it."""

from __future__ import annotations

from typing import Any

from generator.plan.guards import Comparison, Guard, Limit, Parity
from generator.plan.resolve import Planned
from generator.plan.timeline import Event, approver, timeline
from generator.plan.values import Plan
from generator.report.sections.section import Section, table
from generator.spec.units import duration, percent


def story(planned: Planned) -> Section:
    """What happens when."""
    told = timeline(planned.plan)
    data = {
        "planned_s": told.planned_s,
        "approvals": list(told.approvals),
        "events": [_event(event) for event in told.events],
    }
    waits = f", and waits for {', '.join(map(approver, told.approvals))}" if told.approvals else ""
    head = (
        f"{duration(told.planned_s)} planned{waits}. Times count from when the pods of the new version are ready,"
        " behind an approval from that approval;"
    )
    more = "each widening first waits for its pods, 10m at most, and is aborted if they never get ready."
    rows = [
        (*_times(event), event.text, f"[{', '.join(event.stops)}]" if event.stops else "")
        for event in told.events
    ]
    return Section(
        "timeline", "Timeline (in brackets: who can stop it)", data, (head, more, "", *table(rows))
    )


def _event(event: Event) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "text": event.text,
        "start_s": event.start_s,
        "end_s": event.end_s,
        "after": event.after,
        "stops": list(event.stops),
        "step": event.step,
        "weight": None if event.weight is None else event.weight / 100,
    }


def _times(event: Event) -> tuple[str, str]:
    """When it starts, and when it ends if that is another time."""
    behind = f"{event.after} + " if event.after else ""
    if event.start_s is None:
        return "before", ""
    start = f"{behind}{duration(event.start_s)}"
    if event.end_s is None:
        return start, "…"
    return start, "" if event.end_s == event.start_s else duration(event.end_s)


def guards(planned: Planned) -> Section:
    """What is judged while the new version answers requests, and what that may cost."""
    plan = planned.plan
    risk = plan.rollout.risk
    every = _guards(plan)
    data = {
        "risk": {"false_rollback": risk.false_rollback, "power": risk.power, "max_exposed": risk.max_exposed},
        "guards": [_guard(stage, guard) for stage, guard in every],
    }
    rows = [(guard.name, stage, guard.describe(), f"no data: {guard.no_data}") for stage, guard in every]
    accepted = f"accepted: {percent(risk.false_rollback)} false rollbacks, {percent(risk.power)} power"
    return Section("guards", "Guards", data, (accepted, *table(rows)))


def _guards(plan: Plan) -> list[tuple[str, Guard]]:
    return [
        *(("shadow", guard) for guard in plan.shadow_guards),
        *((plan.rollout.stage, guard) for guard in plan.guards),
    ]


def _guard(stage: str, guard: Guard) -> dict[str, Any]:
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
