"""The status of each gate of a plan in the evidence next to its spec, whether or not its tier enforces gates in git."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from generator.dataclass import dataclass
from generator.plan.values import Gate, Plan

if TYPE_CHECKING:
    from generator.gates.document import Evidence
    from generator.spec.evidence import EvidenceEntry

State = Literal["pass", "fail", "inconclusive", "outdated", "missing", "unreadable"]


@dataclass(frozen=True, slots=True)
class GateStatus:
    """The status of one gate.

    Args:
        gate: the gate.
        state: the verdict, or why none counts.
        reason: one sentence.
        entry: the evidence, even if outdated; None without any.
    """

    gate: Gate
    state: State
    reason: str
    entry: EvidenceEntry | None


def gate_statuses(plan: Plan, evidence: Evidence) -> tuple[GateStatus, ...]:
    """Return the status of each gate of a plan, in the plan's order."""
    return tuple(_status(plan, gate, evidence) for gate in plan.gates)


def _status(plan: Plan, gate: Gate, evidence: Evidence) -> GateStatus:
    content = evidence.content
    if evidence.findings:
        return GateStatus(gate, "unreadable", evidence.findings[0].message, None)
    if content is None:
        return GateStatus(gate, "missing", "it has not run yet", None)
    from generator.gates.compare import mismatches
    from generator.gates.document import configuration

    named = [entry for entry in content.predicate.gates if entry.name == gate.name]
    entry = next((entry for entry in named if entry.configuration == configuration(gate)), None)
    if entry is None:
        old = named[0] if named else None
        state: State = "outdated" if old else "missing"
        return GateStatus(gate, state, "it has not run with its current configuration", old)
    if f"sha256:{content.subject[0].digest.sha256}" != plan.version.digest:
        return GateStatus(gate, "outdated", "it ran for another version of the model", entry)
    if content.predicate.data != dict(plan.data):
        return GateStatus(gate, "outdated", "it ran with other data sets than the locked ones", entry)
    mismatch = next(mismatches(plan, gate, entry, content.predicate.sluice), "")
    if mismatch:
        return GateStatus(gate, "unreadable", f"it contradicts the plan: {mismatch}", entry)
    return GateStatus(gate, entry.verdict, entry.reason, entry)


def summary(found: Sequence[GateStatus]) -> str:
    """Return the number of gates in each state, such as `3 pass, 1 missing`, with waivers."""
    if not found:
        return "none"
    counts: dict[str, int] = {}
    for status in found:
        waived = status.gate.waiver is not None and status.state != "pass"
        state = f"{status.state} (waived)" if waived else status.state
        counts[state] = counts.get(state, 0) + 1
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def last_day(evidence: Evidence) -> str | None:
    """Return the day on which the last gate ended (ISO 8601); None without evidence that can be trusted."""
    if evidence.content is None:
        return None
    return max((entry.end for entry in evidence.content.predicate.gates), default="")[:10] or None
