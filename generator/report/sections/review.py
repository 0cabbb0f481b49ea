"""What reviewers and auditors need: gates, aborts, gaps, powers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from generator.gates.gate_status import GateStatus
from generator.plan.coverage import gaps
from generator.plan.people import powers
from generator.plan.resolve import Planned
from generator.plan.timeline import on_abort
from generator.report import records
from generator.report.sections.section import Section
from generator.report.tables import Table
from generator.spec.exemptions import Waiver

if TYPE_CHECKING:
    from generator.spec.signers import SignedBy


def gate_section(planned: Planned, statuses: Sequence[GateStatus], signed: Sequence[SignedBy]) -> Section:
    """Return the gates before any traffic: configuration, evidence, who signed it, and waivers."""
    plan = planned.plan
    data: records.Gates = {
        "key": plan.gate_key,
        "enforced": list(plan.enforcement),
        "gates": [_gate(status) for status in statuses],
        "signed": [
            {"document": item.kind, "by": item.signer, "role": item.role, "form": item.form}
            for item in signed
        ],
    }
    rows = [row for status in statuses for row in _rows(status)]
    where = f"enforced in {' and '.join(plan.enforcement)}, key {plan.gate_key[:12]}"
    signatures = tuple(map(str, signed))
    return Section("gates", "Gates", data, (where, Table.of(rows) if rows else "none", *signatures))


def _gate(status: GateStatus) -> records.GateRecord:
    gate, entry = status.gate, status.entry
    return {
        "name": gate.name,
        "kind": gate.kind,
        "tool": gate.tool,
        "config": gate.config,
        "waiver": _waiver(gate.waiver) if gate.waiver else None,
        "state": status.state,
        "reason": status.reason,
        "judged_at": entry.end if entry else None,
    }


def _waiver(waiver: Waiver) -> records.WaiverRecord:
    return {
        "gate": waiver.gate,
        "reason": waiver.reason,
        "approved_by": waiver.approved_by,
        "until": waiver.until,
        "kind": waiver.kind,
        "configuration": waiver.configuration,
        "digest": waiver.digest,
    }


def _rows(status: GateStatus) -> Iterator[tuple[str, str, str, str]]:
    gate, held = status.gate, status.gate.waiver
    yield gate.name, gate.kind, status.state, status.reason
    if held:
        yield "", "", "waived", held.terms


def abort(planned: Planned) -> Section:
    """Return what an abort does."""
    stages = on_abort(planned.plan)
    lines = [
        line
        for stage in stages
        for line in (f"{stage.stage}:", *(f"  - {effect}" for effect in stage.effects))
    ]
    data: list[records.AbortRecord] = [
        {"stage": stage.stage, "effects": list(stage.effects)} for stage in stages
    ]
    return Section("abort", "What an abort does", data, tuple(lines))


def coverage(planned: Planned) -> Section:
    """Return what nothing watches."""
    found = gaps(planned.plan)
    data: list[records.GapRecord] = [{"topic": gap.topic, "text": gap.text} for gap in found]
    return Section("not_covered", "Not covered", data, tuple(f"- {gap.text}" for gap in found))


def authority(planned: Planned) -> Section:
    """Return who may do what."""
    found = powers(planned.plan, planned.source.platform)
    data: list[records.PowerRecord] = [
        {"who": power.who, "may": power.may, "how": power.how} for power in found
    ]
    return Section(
        "powers", "Who may do what", data, (Table.of((power.who, power.may, power.how) for power in found),)
    )
