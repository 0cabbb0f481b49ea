"""The page of one plan: the plain values that its template shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from generator.dataclass import dataclass
from generator.gates.document import Evidence
from generator.gates.gate_status import gate_statuses, summary
from generator.odds.key_metrics import format_figures, key_metrics
from generator.odds.odds import odds_of
from generator.plan.resolve import Planned
from generator.plan.timeline import approver, timeline
from generator.render.environment import Templates
from generator.report.charts.timeline import NARROW, WIDE, timeline_picture
from generator.report.diffs.compare import Difference, NumberChange, applies
from generator.report.overview import environment_changes
from generator.report.pages.gates import gate_rows
from generator.report.pages.odds import guard_rows, step_rows
from generator.report.sections import sections
from generator.report.sections.odds import past
from generator.report.sections.section import Section
from generator.spec.quantities import money_up, time_span

if TYPE_CHECKING:
    from generator.spec.signers import SignedBy

TEMPLATE = "pages/plan.html.j2"


@dataclass(frozen=True, slots=True)
class Against:
    """What a plan is compared with.

    Args:
        label: the revision, for people; empty when nothing could be compared.
        difference: what differs; None when nothing does.
    """

    label: str
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Subject:
    """One plan and what else its page shows.

    Args:
        planned: the plan.
        others: plans of the same model in other environments.
        evidence: the evidence of its gates.
        signed: the valid signatures of its evidence and its lock.
        against: what the plan is compared with.
        home: relative address of the index; empty without one.
    """

    planned: Planned
    others: Sequence[Planned]
    evidence: Evidence
    signed: Sequence[SignedBy]
    against: Against
    home: str = ""


def plan_page(subject: Subject, templates: Templates) -> str:
    """Return the page as HTML."""
    plan = subject.planned.plan
    stand = gate_statuses(plan, subject.evidence)
    by_key = {section.key: section for section in sections(subject.planned, stand, subject.signed)}
    context = {
        "plan": plan,
        "head": _head(subject, by_key["release"]),
        "tiles": _tiles(subject, summary(stand)),
        "against": subject.against,
        "changes": list(_changes(subject.against.difference)),
        "wide": timeline_picture(plan, WIDE),
        "narrow": timeline_picture(plan, NARROW),
        "story": _story(subject.planned),
        "events": [_event(event) for event in by_key["timeline"].data["events"]],
        "steps": step_rows(plan),
        "guards": guard_rows(plan),
        "odds": odds_of(plan),
        "past": past(plan),
        "odds_lines": [line for line in by_key["odds"].lines() if line.startswith("gate ")],
        "risk": plan.rollout.risk,
        "gates": gate_rows(stand),
        "signed": list(map(str, subject.signed)),
        "gates_key": plan.gate_key[:12],
        "enforced": " and ".join(plan.enforcement),
        "cost": _cost(by_key["cost"].data, subject),
        "aborts": by_key["abort"].data,
        "gaps": by_key["not_covered"].data,
        "powers": by_key["powers"].data,
        "values": by_key["values"].data,
        "others": [_other(subject.planned, other) for other in subject.others],
        "home": subject.home,
    }
    return templates.render(TEMPLATE, context)


def _head(subject: Subject, release: Section) -> dict[str, str]:
    data = release.data
    pods = data["pods"]
    size = str(pods["least"]) if pods["least"] == pods["most"] else f"{pods['least']} to {pods['most']}"
    return {
        "version": data["version"]["label"],
        "resolved": data["version"]["resolved"],
        "digest": data["version"]["digest"],
        "image": data["image"]["reference"],
        "by_digest": "" if data["image"]["by_digest"] else "by tag: the lock holds no pushed digest",
        "release_key": data["release_key"],
        "promotion": data["promotion"] or "",
        "pods": f"{size}, at most {pods['peak']} at once during the release",
        "autoscaler": data["autoscaler"] or "",
        "route": f"{data['router']}: {', '.join(data['hosts'])}",
        "namespace": data["namespace"],
        "owner": data["owner"],
        "bundle": data["bundle"],
        "description": subject.planned.plan.identity.description,
    }


def _tiles(subject: Subject, gates: str) -> list[dict[str, str]]:
    """Return the numbers at the top, each with its old value."""
    numbers = key_metrics(subject.planned)
    now = format_figures(numbers) | {"gates": gates}
    if numbers.power is None:
        for name in ("power", "caught in the first step", "false rollback, at most"):
            del now[name]
        now = {"odds": "no guard to price"} | now
    moved = subject.against.difference.numbers if subject.against.difference else {}
    return [_tile(name, value, moved.get(name)) for name, value in now.items()]


def _tile(name: str, value: str, moved: NumberChange | None) -> dict[str, str]:
    if moved is None or moved.old is None or name == "gates":
        return {"name": name, "value": value, "was": "", "direction": ""}
    return {"name": name, "value": moved.new or value, "was": moved.old, "direction": moved.direction}


def _cost(data: dict[str, Any], subject: Subject) -> dict[str, Any]:
    currency, monthly = data["currency"] or "", data["monthly"] or {}
    rows = [
        {
            "name": name.replace("_", " "),
            "pods": need["pods"],
            "cpu": f"{need['cpu']:g}",
            "memory": f"{math.ceil(need['memory'] / 2**30 * 10) / 10:g} GiB",
            "gpu": need["gpu"] or "none",
            "monthly": money_up(monthly[shown], currency)
            if (shown := name.replace("_", " ")) in monthly
            else "",
        }
        for name, need in data["needs"].items()
    ]
    team = subject.planned.plan.identity.team
    budget = ""
    if data["budget"] is not None and currency:
        budget = (
            f"The budget of the team {team} is {data['budget']:g} {currency} a month, for all its models."
        )
    return {
        "rows": rows,
        "release": money_up(data["per_release"], currency) if currency else "",
        "budget": budget,
    }


def _changes(difference: Difference | None) -> Iterator[dict[str, str | None]]:
    """Yield the changes for their table, lost guards first, with the direction that colors them."""
    for change in difference.changes if difference else ():
        yield {
            "label": change.label,
            "old": change.old,
            "new": change.new,
            "direction": difference.direction(change) if difference else "",
            "at_once": "at once, to everybody" if applies(change) == "at once" else "",
        }


def _story(planned: Planned) -> str:
    found = timeline(planned.plan)
    waits = f" and the approval of {', '.join(map(approver, found.approvals))}" if found.approvals else ""
    return f"{time_span(found.planned_s)} planned{waits}"


def _event(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event with its times in words."""
    start, end = event["start_s"], event["end_s"]
    if start is None:
        when = "before"
    elif end is None:
        when = f"{time_span(start)}, then for as long as it takes"
    else:
        when = time_span(start) if end == start else f"{time_span(start)} to {time_span(end)}"
    return event | {"when": f"{event['after']} + {when}" if event["after"] else when}


def _other(planned: Planned, other: Planned) -> dict[str, Any]:
    """Return how the same model is released in another environment."""
    identity = other.plan.identity
    return {
        "environment": identity.environment,
        "changes": environment_changes(planned, other),
        "hosts": ", ".join(other.plan.routing.hosts),
    }
