"""Runs gates, and combines their new entries with those that still hold into one evidence document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from generator import __version__
from generator.dataclass import dataclass
from generator.gates.adapters import Outcome, Task, adapter
from generator.gates.compare import mismatches
from generator.gates.document import Evidence, configuration, parse_evidence, sealed
from generator.gates.errors import NoVerdictError
from generator.gates.measures import LONGEST_REASON, deciding_reasons, worst
from generator.plan.values import Gate, Plan
from generator.source.line import one_line
from generator.spec.evidence import PREDICATE, STATEMENT, EvidenceEntry, EvidenceFile
from generator.spec.lock import LockFile

Clock = Callable[[], dt.datetime]
"""Returns the time (UTC)."""


UNSEALED: Final = "sha256:" + "0" * 64
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class PlannedGate:
    """A gate and a plan that has it in this configuration."""

    gate: Gate
    plan: Plan

    @property
    def id(self) -> tuple[str, str]:
        """Name and configuration, the key in the evidence."""
        return self.gate.name, configuration(self.gate)


def distinct_gates(plans: Iterable[Plan], name: str = "") -> tuple[PlannedGate, ...]:
    """Return the gates of all plans, each configuration once; with a name, only those of this name."""
    found: dict[tuple[str, str], PlannedGate] = {}
    for plan in plans:
        for gate in plan.gates:
            if not name or gate.name == name:
                item = PlannedGate(gate, plan)
                found.setdefault(item.id, item)
    return tuple(found.values())


def run_gate(task: Task, clock: Clock) -> EvidenceEntry:
    """Run one gate.

    An obstacle to a verdict becomes the reason of an inconclusive one.

    Raises:
        InstallError: an environment can't be created.
    """
    start = clock()
    try:
        outcome = adapter(task.gate.kind).run(task)
        reason = deciding_reasons(outcome.measures)
    except NoVerdictError as error:
        outcome = Outcome(task.gate.tool, "none", "none", (), ())
        reason = str(error)
    return sealed(_entry(task.gate, outcome, reason, start, clock()))


def inconclusive_entry(gate: Gate, reason: str, clock: Clock) -> EvidenceEntry:
    """Return the entry of a gate that can't reach a verdict."""
    return sealed(_entry(gate, Outcome(gate.tool, "none", "none", (), ()), reason, clock(), clock()))


def entry_of(gate: Gate, outcome: Outcome, clock: Clock) -> EvidenceEntry:
    """Return the entry of an outcome."""
    return sealed(_entry(gate, outcome, deciding_reasons(outcome.measures), clock(), clock()))


def document(
    name: str, gate_keys: Iterable[str], lock: LockFile, entries: Iterable[EvidenceEntry]
) -> EvidenceFile:
    """Return the evidence of one model.

    Args:
        name: team/model.
        gate_keys: of the plans in all environments that it is evidence for.
        lock: digests of model and data.
        entries: one per gate.
    """
    gates = sorted(entries, key=lambda entry: (entry.name, entry.configuration))
    predicate = {
        "gateKeys": sorted(set(gate_keys)),
        "data": {ref: data.digest for ref, data in sorted(lock.data.items())},
        "sluice": __version__,
        "created": {"start": min(entry.start for entry in gates), "end": max(entry.end for entry in gates)},
        "gates": gates,
    }
    return sealed(
        EvidenceFile.model_validate(
            {
                "schema": "sluice/evidence/v1",
                "_type": STATEMENT,
                "predicateType": PREDICATE,
                "subject": [{"name": name, "digest": {"sha256": lock.model.digest.removeprefix("sha256:")}}],
                "predicate": predicate,
                "digest": UNSEALED,
            }
        )
    )


def still_valid(
    old: EvidenceFile | None,
    lock: LockFile,
    replaced: Iterable[tuple[str, str]],
    everything: Iterable[PlannedGate],
) -> list[EvidenceEntry]:
    """Return the entries of earlier evidence that still hold: same model, data and configuration, and the same tools.

    Args:
        old: the earlier evidence.
        lock: current digests of model and data.
        replaced: ids of the gates that have new entries.
        everything: all gates of the model.
    """
    if old is None or f"sha256:{old.subject[0].digest.sha256}" != lock.model.digest:
        return []
    if old.predicate.data != {ref: data.digest for ref, data in lock.data.items()}:
        return []
    wanted = {item.id: item for item in everything if item.id not in set(replaced)}
    named = ((wanted.get((entry.name, entry.configuration)), entry) for entry in old.predicate.gates)
    return [
        entry
        for item, entry in named
        if item and not any(mismatches(item.plan, item.gate, entry, __version__))
    ]


def accept_fetched(text: str, evidence: Evidence, plan: Plan, lock: LockFile) -> EvidenceFile | None:
    """Return the document that a gate Workflow left; None, with findings, when it is not the expected one.

    Args:
        text: the document.
        evidence: receives findings; its file is the document's destination.
        plan: the plan whose gates ran.
        lock: digests of model and data.
    """
    parse_evidence(text.encode("utf-8", "surrogatepass"), evidence)
    content = evidence.content
    if content is None:
        return None
    for code, message in _differences(content, plan, lock):
        evidence.reject(code, message)
    return None if evidence.findings else content


def merge_fetched(
    content: EvidenceFile,
    old: EvidenceFile | None,
    plans: Sequence[Plan],
    lock: LockFile,
    everything: Sequence[PlannedGate],
) -> EvidenceFile:
    """Merge a fetched document with the entries of the old one that still hold."""
    fetched = [(entry.name, entry.configuration) for entry in content.predicate.gates]
    rest = still_valid(old, lock, fetched, everything)
    keys = [plan.gate_key for plan in plans]
    return document(content.subject[0].name, keys, lock, [*rest, *content.predicate.gates])


def _differences(content: EvidenceFile, plan: Plan, lock: LockFile) -> Iterator[tuple[str, str]]:
    subject, name = content.subject[0], f"{plan.identity.team}/{plan.identity.model}"
    if subject.name != name:
        yield "EVID105", f"it is about {subject.name}"
    if f"sha256:{subject.digest.sha256}" != plan.version.digest:
        yield (
            "EVID105",
            f"it is about sha256:{subject.digest.sha256[:_SHOWN]}…, the lock pins {plan.version.digest[:19]}…",
        )
    if content.predicate.data != {ref: data.digest for ref, data in lock.data.items()}:
        yield "EVID106", "its data sets are not those of the lock"
    if content.predicate.gate_keys != [plan.gate_key]:
        found = content.predicate.gate_keys[0]
        yield "EVID107", f"it is for the gate key {found[:_SHOWN]}, the plan has {plan.gate_key[:_SHOWN]}"
    expected = sorted((gate.name, configuration(gate)) for gate in plan.gates)
    if sorted((entry.name, entry.configuration) for entry in content.predicate.gates) != expected:
        yield "EVID107", "its gates are not exactly those of this model as they are configured now"


def _entry(gate: Gate, outcome: Outcome, reason: str, start: dt.datetime, end: dt.datetime) -> EvidenceEntry:
    return EvidenceEntry.model_validate(
        {
            "name": gate.name,
            "kind": gate.kind,
            "configuration": configuration(gate),
            "tool": outcome.tool,
            "toolVersion": outcome.version,
            "environment": outcome.environment,
            "binding": outcome.binding,
            "sources": list(outcome.sources),
            "measures": list(outcome.measures),
            "verdict": worst(item.verdict for item in outcome.measures),
            "reason": one_line(reason)[:LONGEST_REASON] or "no reason given",
            "start": _time(start),
            "end": _time(end),
            "digest": UNSEALED,
        }
    )


def _time(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
