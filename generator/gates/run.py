"""Runs gates, one after the other, and makes evidence of what they found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from generator import __version__
from generator.gates import adapters
from generator.gates.canonical import configuration, sealed
from generator.gates.consistency import worst
from generator.gates.outcome import NoVerdictError, Outcome
from generator.gates.task import Task
from generator.plan.values import Gate, Plan
from generator.source.line import one_line
from generator.spec.evidence import PREDICATE, STATEMENT, Entry, EvidenceFile
from generator.spec.lock import LockFile

Clock = Callable[[], dt.datetime]


class Keyed(Protocol):
    """A plan, or a release: what a document answers."""

    @property
    def gate_key(self) -> str:
        """SHA-256 (hex) of what is judged, and by what."""
        ...


UNSEALED = "sha256:" + "0" * 64
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """A gate as one of the environments has it."""

    gate: Gate
    plan: Plan


def wanted(plans: Iterable[Plan], name: str = "") -> tuple[Wanted, ...]:
    """The gates of all plans, each configuration once; with a name, those of this name."""
    found: dict[tuple[str, str], Wanted] = {}
    for plan in plans:
        for gate in plan.gates:
            if not name or gate.name == name:
                found.setdefault((gate.name, configuration(gate)), Wanted(gate, plan))
    return tuple(found.values())


def run_gate(task: Task, clock: Clock) -> Entry:
    """Judge one gate. What keeps it from being judged is its reason, and its verdict inconclusive.

    Args:
        task: the gate, its inputs and tools.
        clock: tells the time (UTC).

    Raises:
        InstallError: an environment can't be made.
    """
    start = clock()
    try:
        outcome = adapters.judge(task)
        reason = _reason(outcome)
    except NoVerdictError as error:
        outcome = Outcome(task.gate.tool, "none", "none", (), ())
        reason = str(error)
    return sealed(_entry(task.gate, outcome, reason, start, clock()))


def refused(gate: Gate, reason: str, clock: Clock) -> Entry:
    """The entry of a gate that can't be judged."""
    return sealed(_entry(gate, Outcome(gate.tool, "none", "none", (), ()), reason, clock(), clock()))


def found(gate: Gate, outcome: Outcome, clock: Clock) -> Entry:
    """The entry of what was measured elsewhere."""
    return sealed(_entry(gate, outcome, _reason(outcome), clock(), clock()))


def document(name: str, plans: Iterable[Keyed], lock: LockFile, entries: Iterable[Entry]) -> EvidenceFile:
    """The evidence of one model.

    Args:
        name: team/model.
        plans: of all environments; their gate keys are answered.
        lock: says which bytes model and data are.
        entries: what each gate found.
    """
    gates = sorted(entries, key=lambda entry: (entry.name, entry.configuration))
    predicate = {
        "gateKeys": sorted({plan.gate_key for plan in plans}),
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


def kept(
    old: EvidenceFile | None, lock: LockFile, run: Iterable[Wanted], all_: Iterable[Wanted]
) -> list[Entry]:
    """Entries of earlier evidence that still hold: same model, same data, same configuration, not judged again now."""
    if old is None or f"sha256:{old.subject[0].digest.sha256}" != lock.model.digest:
        return []
    if old.predicate.data != {ref: data.digest for ref, data in lock.data.items()}:
        return []
    again = {(item.gate.name, configuration(item.gate)) for item in run}
    still = {(item.gate.name, configuration(item.gate)) for item in all_} - again
    return [entry for entry in old.predicate.gates if (entry.name, entry.configuration) in still]


def _entry(gate: Gate, outcome: Outcome, reason: str, start: dt.datetime, end: dt.datetime) -> Entry:
    return Entry.model_validate(
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
            "reason": _line(reason),
            "start": _time(start),
            "end": _time(end),
            "digest": UNSEALED,
        }
    )


def _reason(outcome: Outcome) -> str:
    """The reasons of the measures that decided."""
    verdict = worst(item.verdict for item in outcome.measures)
    return "; ".join(item.reason for item in outcome.measures if item.verdict == verdict)


def _line(text: str) -> str:
    """One printable line, as long as evidence may have it."""
    return one_line(text)[:_LONGEST] or "nothing was said"


def _time(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
