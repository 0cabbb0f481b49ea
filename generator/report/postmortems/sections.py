"""The sections of a postmortem, from an incident and its remedy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from generator.gates.gate_status import GateStatus
from generator.odds.odds import odds_of
from generator.plan.guards import Guard
from generator.plan.values import Plan
from generator.report.postmortems.causes import _causes
from generator.report.postmortems.document import Block, Section
from generator.report.postmortems.incident import Incident
from generator.report.postmortems.recorded import Recorded
from generator.report.postmortems.remedy import Remedy, Variant, caught, false_rollback
from generator.report.replays.text import verdict
from generator.report.tables import JOINED
from generator.spec.quantities import count_up, minutes_up, plural, share_down, share_up, time_span
from generator.spec.release_record import RecordedMetric, RecordFile
from generator.stats.timeline import Detection

_UNKNOWN: Final = "not known"
_Moment = tuple[dt.datetime | None, str, str, str]


def title(incident: Incident) -> str:
    """Return the title of the page."""
    where = f" in {incident.environment}" if incident.environment else ""
    return f"Postmortem: {incident.model} {incident.version}{where}".rstrip()


def sections(
    incident: Incident, found: Remedy, recorded: Recorded | None, gates: Sequence[GateStatus]
) -> list[Section]:
    """Return all sections, in the order in which people read them.

    Args:
        incident: the release.
        found: what would have caught it.
        recorded: recorded traffic; None without any.
        gates: the gates of today's plan.
    """
    return [
        Section("What happened", tuple(_summary(incident))),
        Section("Timeline", (_timeline(incident),)),
        Section("What each guard saw", tuple(_guards(incident, found, recorded))),
        Section("Who was exposed", tuple(_exposed(incident))),
        Section("What let it through", tuple(_causes(incident, found))),
        Section("What would have caught it", tuple(_remedy(incident, found, recorded, gates))),
        Section("What is missing", (Block(items=tuple(_missing(incident, found, recorded))),)),
    ]


def _summary(incident: Incident) -> Iterator[Block]:
    record, back = incident.record, incident.taken_back
    yield Block("This page is about what happened and what would have prevented it, not about who did it.")
    rows = [("release", incident.key or _UNKNOWN)]
    if record:
        reasons = f" ({'; '.join(record.reasons)})" if record.reasons else ""
        rows.append(("ended", f"{record.end}, {record.verdict}{reasons}"))
    if back:
        rows.append(("taken back", f"{_stamp(back.at)}: {back.reason}"))
        if back.item.get("released"):
            rows.append(("released again", str(back.item["released"])))
    exposed = record.exposed if record else None
    rows.append(("requests to it", _UNKNOWN if exposed is None else f"{exposed:,} up to the last check"))
    yield Block(head=("what", "as git knows it"), rows=tuple(rows))


def _timeline(incident: Incident) -> Block:
    known = sorted((moment for moment in _moments(incident) if moment[0]), key=lambda moment: str(moment[0]))
    rows = tuple((_stamp(at), what, who, source) for at, what, who, source in known)
    return Block(head=("when (UTC)", "what", "who", "source"), rows=rows)


def _moments(incident: Incident) -> Iterator[_Moment]:
    release, record, back = incident.release, incident.record, incident.taken_back
    if release:
        who = "; ".join((release.change.commit.author, *release.approvals))
        what = f"version {release.version} was merged: {release.change.commit.subject}"
        yield release.since, what, who, f"commit {release.change.commit.sha[:12]}"
        for one in release.entered:
            yield one.since, f"promoted to {one.environment} ({one.how})", "", f"lock of {one.environment}"
        if release.until:
            yield release.until, "another version was merged", "", "lock"
    for proof in incident.proofs:
        yield from _ends(proof)
    if record:
        if incident.start:
            yield (
                incident.start,
                f"the first analysis started in {incident.environment}",
                "the controller",
                "record",
            )
        for run in record.runs:
            failed = [metric.name for metric in run.metrics if metric.verdict in {"Failed", "Error"}]
            if failed:
                words = f"the analysis {run.name} started, which ended as {run.verdict}: {', '.join(failed)}"
                yield dt.datetime.fromisoformat(run.start), words, "the controller", "record"
        yield from _ends(record)
    if back:
        commit = back.change.commit
        yield back.at, f"taken back: {back.reason}", commit.author, f"commit {commit.sha[:12]}"


def _ends(record: RecordFile) -> Iterator[_Moment]:
    how = "aborted" if record.aborted else "completed"
    what = f"{how} in {record.subject.environment}: {record.verdict}"
    yield dt.datetime.fromisoformat(record.end), what, "the controller", "record"


def _guards(incident: Incident, found: Remedy, recorded: Recorded | None) -> Iterator[Block]:
    plan = incident.planned.plan if incident.planned else None
    measured = _measured(incident.record)
    guards = {guard.name: guard for guard in plan.measured_guards} if plan else {}
    names = list(dict.fromkeys([*guards, *measured]))
    if not names:
        yield Block("No guard watched this release: only a person could stop it.")
        return
    head = ["guard", "watches for", "measured", "could know", *(["replay"] if recorded else [])]
    rows = []
    for name in names:
        guard = guards.get(name)
        row = [
            name,
            guard.describe() if guard else "a check of a step",
            _saw(measured.get(name)),
            _could_know(incident, plan, guard, found),
        ]
        rows.append(tuple(row + ([_replayed(incident, recorded, name)] if recorded else [])))
    yield Block(head=tuple(head), rows=tuple(rows))
    if recorded and recorded.observed:
        yield Block("What was counted, new against stable version, with 95% intervals:")
        yield Block(items=tuple(f"{name}: {one.text}" for name, one in recorded.observed.items()))


def _measured(record: RecordFile | None) -> dict[str, list[RecordedMetric]]:
    found: dict[str, list[RecordedMetric]] = {}
    for run in record.runs if record else ():
        for metric in run.metrics:
            found.setdefault(metric.name, []).append(metric)
    return found


def _saw(metrics: Sequence[RecordedMetric] | None) -> str:
    if metrics is None:
        return "nothing recorded"
    total, failed = sum(m.measurements for m in metrics), sum(m.failed for m in metrics)
    parts = [plural(total, "measurement"), f"{failed} failed"]
    undecided, errors = sum(m.inconclusive for m in metrics), sum(m.errors for m in metrics)
    parts += [f"{undecided} undecided"] if undecided else []
    parts += [f"{errors} without an answer"] if errors else []
    last = next((metric.last for metric in metrics if metric.last), "")
    return f"{', '.join(parts)}{f'; last value {last}' if last else ''}"


def _could_know(incident: Incident, plan: Plan | None, guard: Guard | None, found: Remedy) -> str:
    """Return when a guard could have known: its first measurement, and when it decides on average."""
    if plan is None:
        return _UNKNOWN
    if guard is None:
        return "at the end of each step"
    first = guard.first_s(plan.clock)
    at = f" ({_stamp(incident.start + dt.timedelta(seconds=first))})" if incident.start else ""
    parts = [f"first measurement {f'after {time_span(round(first))}' if first else 'at once'}{at}"]
    odds = odds_of(plan)
    own = next((one for priced, one in odds.guards if priced.name == guard.name), None) if odds else None
    if own and own.detect_mean_s is not None:
        parts.append(
            f"stops {share_down(own.power)} of versions with {guard.threshold}, "
            f"after {minutes_up(own.detect_mean_s)} on average"
        )
    seen = incident.record.power.by_guard.get(guard.name) if incident.record else None
    if seen is not None:
        parts.append(f"{share_down(seen)} with the traffic that came")
    ratio = found.harms.get(guard.name)
    stop = caught(plan, guard.name, ratio) if ratio else None
    if isinstance(stop, Detection) and ratio:
        parts.append(f"{share_down(stop.probability)} of those with this harm ({100 * (ratio - 1):+.1f}%)")
    return "; ".join(parts)


def _replayed(incident: Incident, recorded: Recorded | None, guard: str) -> str:
    if recorded is None or incident.planned is None:
        return "no replay"
    course = recorded.replay(incident.planned.plan, guard)
    if course is None:
        return "no numbers were recorded"
    if course.outcome in {"promoted", "undecided"}:
        return "does not fire"
    return f"{course.outcome} after {minutes_up(course.at_s)}"


def _exposed(incident: Incident) -> Iterator[Block]:
    record, plan = incident.record, incident.planned.plan if incident.planned else None
    if record and record.traffic:
        rows = tuple(
            (
                f"{step.weight}%",
                time_span(round(step.seconds)),
                *(_UNKNOWN if count is None else f"{count:,}" for count in (step.canary, step.stable)),
            )
            for step in record.traffic
        )
        yield Block(head=("weight", "for", "requests to the new version", "to the stable version"), rows=rows)
    else:
        yield Block("The record has no traffic of weight steps.")
    parts = []
    if plan and plan.rollout.cohort_steps:
        parts.append("A cohort met it first: the spec lists which.")
    if record and not record.aborted and incident.taken_back and incident.end:
        lasted = (incident.taken_back.at - incident.end).total_seconds()
        parts.append(
            f"After its last step it served all requests for {minutes_up(max(0.0, lasted))}, until it was taken back."
        )
        if plan and plan.min_rps:
            least = count_up(max(0.0, lasted) * plan.min_rps)
            parts.append(
                f"At the declared {plan.min_rps:g} requests a second these are at least {least}; nothing counted them."
            )
    parts.append("Git does not know which users they were from: the service's logs may.")
    yield Block(items=tuple(parts))


def _remedy(
    incident: Incident, found: Remedy, recorded: Recorded | None, gates: Sequence[GateStatus]
) -> Iterator[Block]:
    yield from _new_gates(incident, gates)
    if not found.harms:
        yield Block(
            "No harm is known that a guard could have caught: --harm NAME:rise=40% names one, and "
            "--data brings what was recorded."
        )
        return
    head = ("plan", *(f"stops {name} {100 * (ratio - 1):+.1f}%" for name, ratio in found.harms.items()))
    yield Block(
        head=(*head, "false rollback, at most", "steps", "replay"),
        rows=tuple(_row(one, recorded) for one in found.variants),
    )
    for one in found.variants:
        if one.diff:
            yield Block(f"{one.name[0].upper()}{one.name[1:]}:")
            yield Block(code=one.diff)


def _new_gates(incident: Incident, gates: Sequence[GateStatus]) -> Iterator[Block]:
    """Yield the gates that today's spec has and the release did not have, with their evidence."""
    if incident.planned is None:
        return
    before = {gate.spec.name for gate in incident.planned.plan.gates}
    new = [status for status in gates if status.gate.spec.name not in before]
    if not new:
        return
    yield Block(
        "Gates that the spec of today has, and this release did not have; their evidence is about today's version:"
    )
    rows = tuple((s.gate.spec.name, s.gate.spec.kind, s.state, s.reason) for s in new)
    yield Block(head=("gate", "kind", "verdict", "why"), rows=rows)


def _row(one: Variant, recorded: Recorded | None) -> tuple[str, ...]:
    chance = false_rollback(one.plan)
    steps = ", ".join(
        f"{step.weight}% {time_span(round(step.hold))}" for _, step in one.plan.rollout.weight_steps
    )
    if one.course:
        replay = verdict(one.course, None).replace(JOINED, " ")
    else:
        replay = "no traffic was recorded" if recorded is None else "not recorded for these steps and guards"
    return (
        one.name,
        *map(_stops, one.caught.values()),
        "no odds" if chance is None else share_up(chance),
        steps,
        replay,
    )


def _stops(found: Detection | str) -> str:
    if isinstance(found, str):
        return f"no odds: {found}"
    mean = "" if found.mean_s is None else f", after {minutes_up(found.mean_s)} on average"
    exposed = "" if found.exposed is None else f", {count_up(found.exposed)} requests exposed"
    return f"{share_down(found.probability)}{mean}{exposed}"


def _missing(incident: Incident, found: Remedy, recorded: Recorded | None) -> Iterator[str]:
    yield from incident.missing
    yield from found.notes
    if recorded is None:
        yield "no recorded traffic was given, so nothing is replayed: --data FILE, or --prometheus URL"
    if incident.record and incident.record.power.unknown:
        yield f"the power with the traffic that came: {incident.record.power.unknown}"
    yield "alerts, chats and what people saw are not in git: add them to the timeline by hand"


def _stamp(at: dt.datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"
