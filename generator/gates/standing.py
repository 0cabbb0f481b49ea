"""What the evidence beside a spec says about each gate of a plan, whether or not its tier asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from generator.gates.canonical import configuration
from generator.gates.document import Evidence
from generator.plan.values import Gate, Plan
from generator.spec.evidence import Entry

State = Literal["pass", "fail", "inconclusive", "outdated", "missing", "unreadable"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a gate stands.

    Args:
        gate: the gate.
        state: the verdict, or why there is none that counts.
        said: one sentence.
        entry: what was found, also where it is outdated; None when nothing was.
    """

    gate: Gate
    state: State
    said: str
    entry: Entry | None


def standings(plan: Plan, evidence: Evidence) -> tuple[Standing, ...]:
    """Where each gate of a plan stands, in the plan's order."""
    return tuple(_standing(plan, gate, evidence) for gate in plan.gates)


def _standing(plan: Plan, gate: Gate, evidence: Evidence) -> Standing:
    content = evidence.content
    if evidence.findings:
        return Standing(gate, "unreadable", evidence.findings[0].message, None)
    if content is None:
        return Standing(gate, "missing", "it was not judged yet", None)
    named = [entry for entry in content.predicate.gates if entry.name == gate.name]
    entry = next((entry for entry in named if entry.configuration == configuration(gate)), None)
    if entry is None:
        old = named[0] if named else None
        state: State = "outdated" if old else "missing"
        return Standing(gate, state, "it was not judged as it is configured now", old)
    if f"sha256:{content.subject[0].digest.sha256}" != plan.version.digest:
        return Standing(gate, "outdated", "it was judged for another version of the model", entry)
    if content.predicate.data != dict(plan.data):
        return Standing(gate, "outdated", "it was judged before other data were locked", entry)
    return Standing(gate, entry.verdict, entry.reason, entry)


def summary(found: Sequence[Standing]) -> str:
    """How many gates stand where, such as `3 pass, 1 missing`; waived ones say so."""
    if not found:
        return "none"
    counts: dict[str, int] = {}
    for standing in found:
        waived = standing.gate.waiver is not None and standing.state != "pass"
        state = f"{standing.state} (waived)" if waived else standing.state
        counts[state] = counts.get(state, 0) + 1
    return ", ".join(f"{count} {state}" for state, count in counts.items())


def last_day(evidence: Evidence) -> str | None:
    """Day on which the last gate ended (ISO 8601); None without evidence that can be believed."""
    content = evidence.content
    return max((entry.end for entry in content.predicate.gates), default="")[:10] or None if content else None
