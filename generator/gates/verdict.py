"""The last task of the gate Workflow: from what each gate said to one document, believing none of it unchecked."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from generator.gates.adapters import custom
from generator.gates.canonical import configuration, own_digest, plain
from generator.gates.consistency import entry_contradictions
from generator.gates.form import flaw_text
from generator.gates.inputs import text_source
from generator.gates.outcome import NoVerdictError, Outcome
from generator.gates.pod import Told
from generator.gates.run import Clock, document, found, refused
from generator.gates.task import Release
from generator.plan.values import Gate
from generator.spec.evidence import Entry, EvidenceFile

NOTHING = "none"
"""What the Workflow puts in the place of a parameter that a container did not write."""


def concluded(release: Told, gates: Iterable[Gate], said: Mapping[str, str], clock: Clock) -> EvidenceFile:
    """The evidence of all gates; one that said nothing usable is inconclusive, with the reason.

    Args:
        release: what was judged.
        gates: the gates that should have spoken.
        said: text by name of the gate: an entry, or the report of a custom gate.
        clock: tells the time (UTC).
    """
    entries = [_entry(gate, release, said.get(gate.name, ""), clock) for gate in gates]
    keyed = Release(release.framework, release.gate_key)
    return document(release.model, [keyed], release.lock, entries)


def blocking(content: EvidenceFile, waived: Mapping[str, str], today: dt.date) -> list[Entry]:
    """Entries that did not pass and that no waiver covers today."""
    return [
        entry
        for entry in content.predicate.gates
        if entry.verdict != "pass" and waived.get(entry.name, "") < today.isoformat()
    ]


def _entry(gate: Gate, release: Told, text: str, clock: Clock) -> Entry:
    if text.strip() in {"", NOTHING}:
        return refused(gate, "the gate's container left no evidence", clock)
    try:
        return _report(gate, release, text, clock) if gate.kind == "custom" else _believed(gate, text)
    except NoVerdictError as error:
        return refused(gate, str(error), clock)


def _report(gate: Gate, release: Told, text: str, clock: Clock) -> Entry:
    """What the report of a custom container says, judged here."""
    report = custom.parse(text, release.lock.model.digest)
    sources = (text_source("report", gate.config["custom"], text),)
    measures = tuple(map(custom.judged, report.measures))
    return found(gate, Outcome(report.tool, report.version, "digest", sources, measures), clock)


def _believed(gate: Gate, text: str) -> Entry:
    """The entry of one of our containers, if it is whole and about this gate.

    Raises:
        NoVerdictError: it is not.
    """
    try:
        entry = Entry.model_validate(json.loads(text))
    except ValidationError as error:
        raise NoVerdictError(f"what the gate left is no evidence: {flaw_text(error)}") from error
    except (ValueError, RecursionError) as error:
        raise NoVerdictError(f"what the gate left is no evidence, or a part of it: {error}") from error
    if own_digest(plain(entry)) != entry.digest:
        raise NoVerdictError("what the gate left was changed after it was judged")
    if (entry.name, entry.kind, entry.configuration) != (gate.name, gate.kind, configuration(gate)):
        raise NoVerdictError(
            f"what the gate left is about another gate, or another configuration: `{entry.name}`"
        )
    for said in entry_contradictions(entry):
        raise NoVerdictError(said)
    return entry
