"""What reviewers and auditors ask for: gates, aborts, gaps, powers."""

from __future__ import annotations

import dataclasses

from generator.cli.sections.section import Section, table
from generator.plan.abort import on_abort
from generator.plan.authority import powers
from generator.plan.coverage import gaps
from generator.plan.resolve import Planned
from generator.plan.values import Gate


def gates(planned: Planned) -> Section:
    """Judgements before any traffic."""
    plan = planned.plan
    data = {
        "key": plan.gate_key,
        "enforced": list(plan.enforcement),
        "gates": [
            {
                "name": gate.name,
                "kind": gate.kind,
                "tool": gate.tool,
                "config": gate.config,
                "waiver": dataclasses.asdict(gate.waiver) if gate.waiver else None,
            }
            for gate in plan.gates
        ],
    }
    lines = table((gate.name, gate.kind, _waived(gate)) for gate in plan.gates) or ("none",)
    where = f"enforced in {' and '.join(plan.enforcement)}, key {plan.gate_key[:12]}"
    return Section("gates", "Gates", data, (where, *lines))


def _waived(gate: Gate) -> str:
    held = gate.waiver
    return f"waived until {held.until} by {held.approved_by}: {held.reason}" if held else "must pass"


def abort(planned: Planned) -> Section:
    """What an abort does."""
    stages = on_abort(planned.plan)
    lines = [
        line
        for stage in stages
        for line in (f"{stage.stage}:", *(f"  - {effect}" for effect in stage.effects))
    ]
    data = [{"stage": stage.stage, "effects": list(stage.effects)} for stage in stages]
    return Section("abort", "What an abort does", data, tuple(lines))


def coverage(planned: Planned) -> Section:
    """What nothing watches."""
    found = gaps(planned.plan)
    data = [{"topic": gap.topic, "text": gap.text} for gap in found]
    return Section("not_covered", "Not covered", data, tuple(f"- {gap.text}" for gap in found))


def authority(planned: Planned) -> Section:
    """Who may do what."""
    found = powers(planned.plan, planned.written.platform)
    data = [{"who": power.who, "may": power.may, "how": power.how} for power in found]
    return Section(
        "powers", "Who may do what", data, table((power.who, power.may, power.how) for power in found)
    )
