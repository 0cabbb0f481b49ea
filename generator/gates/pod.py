"""Gates as containers of the gate Workflow: their inputs, their output, and the verdict on all of them.

Environment variables configure a container: SLUICE_GATE is the gate's configuration as JSON, SLUICE_RELEASE
everything else. Its inputs are in a folder named by the model's digest, in the layout of `--from`; the model itself is
the folder `model`, or the one file in `model-file`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from generator.gates.adapters import Release, Task, custom
from generator.gates.document import configuration, entry_contradictions, own_digest, plain, sealed
from generator.gates.environments import Environments
from generator.gates.errors import ContainerError, NoVerdictError, describe
from generator.gates.inputs import text_source
from generator.gates.run import Clock, document, entry_of, inconclusive_entry, run_gate
from generator.gates.staging import mounted_inputs
from generator.gates.strict_json import parse_json
from generator.plan.gates import gate_from
from generator.plan.values import Gate
from generator.source.canonical import canonical_json
from generator.spec.evidence import EvidenceEntry, EvidenceFile, Hex
from generator.spec.frameworks import FrameworkName
from generator.spec.gates import CustomGate
from generator.spec.lock import LockFile
from generator.spec.record import Record
from generator.spec.types import Date, Line, Name

LARGEST: Final = 64 << 10
"""The largest entry in bytes: it is passed as a parameter, and an argument of a Linux process has at most 128 KiB."""
NO_OUTPUT: Final = "none"
"""The value of a parameter that a container did not write."""


class ReleaseInfo(Record):
    """The release, as every container of the gate Workflow receives it."""

    model: Line = Field(description="team/model", examples=["risk/fraud"])
    framework: FrameworkName = Field(description="framework of the model")
    gate_key: Hex = Field(description="digest of the model, the data and the gates")
    guaranteed: bool = Field(description="intervals have guaranteed coverage")
    waived: dict[Name, Date] = Field({}, description="last day of each waiver, by gate")
    lock: LockFile = Field(description="digests of model and data")


def read_release(variables: Mapping[str, str]) -> ReleaseInfo:
    """Return the release that SLUICE_RELEASE describes.

    Raises:
        ContainerError: it is missing or invalid.
    """
    try:
        return ReleaseInfo.model_validate(parse_json(variables.get("SLUICE_RELEASE", "")))
    except ValidationError as error:
        raise ContainerError(f"SLUICE_RELEASE does not describe a release: {describe(error)}") from error
    except ValueError as error:
        raise ContainerError(f"SLUICE_RELEASE does not describe a release: {error}") from error


def read_gates(text: str) -> list[Gate]:
    """Parse the gates from a JSON list of their configurations, as a plan writes it.

    Raises:
        ContainerError: it is not such a list.
    """
    try:
        configs = parse_json(text)
    except ValueError as error:
        raise ContainerError(f"not a list of gates: {error}") from error
    if not isinstance(configs, list) or not all(isinstance(config, dict) for config in configs):
        raise ContainerError("not a list of gates")
    try:
        return [gate_from(config) for config in configs]
    except ValidationError as error:
        raise ContainerError(f"not a gate: {describe(error)}") from error


def run_in_container(
    gate: Gate, release: ReleaseInfo, inputs: Path, image: Path, reference: str, clock: Clock
) -> EvidenceEntry:
    """Run one gate, and return its entry.

    Args:
        gate: the gate.
        release: the release that it checks.
        inputs: the mounted folder.
        image: folder in the image with `gates/`, the tools' scripts, and `env/`, their environments.
        reference: the image as the Workflow names it; empty outside a Workflow.
        clock: returns the time (UTC).
    """
    task = Task(
        gate=gate,
        release=Release(release.framework, release.gate_key),
        guaranteed=release.guaranteed,
        inputs=mounted_inputs(inputs, release.lock),
        environments=Environments(print, ready=image / "env"),
        scripts=image / "gates",
    )
    entry = _with_image(run_gate(task, clock), reference)
    size = len(parameter(entry))
    if size > LARGEST:
        reason = (
            f"its evidence has {size} bytes, but a Workflow carries {LARGEST}: run it with `sluice gates run`"
        )
        return _with_image(inconclusive_entry(gate, reason, clock), reference)
    return entry


def parameter(entry: EvidenceEntry) -> bytes:
    """Return an entry on one line without anything that Argo would read as a placeholder."""
    return canonical_json(plain(entry)).replace("{{", "{\\u007b").encode()


def conclude(
    release: ReleaseInfo, gates: Iterable[Gate], outputs: Mapping[str, str], clock: Clock
) -> EvidenceFile:
    """Return the evidence of all gates; one without a usable output is inconclusive, with the reason.

    Args:
        release: the release that they check.
        gates: all gates that should have run.
        outputs: text by name of the gate: an entry, or the report of a custom gate.
        clock: returns the time (UTC).
    """
    entries = [_entry(gate, release, outputs.get(gate.name, ""), clock) for gate in gates]
    return document(release.model, [release.gate_key], release.lock, entries)


def blocking(content: EvidenceFile, waived: Mapping[str, str], today: dt.date) -> list[EvidenceEntry]:
    """Return the entries that did not pass and that no waiver covers today."""
    return [
        entry
        for entry in content.predicate.gates
        if entry.verdict != "pass" and waived.get(entry.name, "") < today.isoformat()
    ]


def _entry(gate: Gate, release: ReleaseInfo, text: str, clock: Clock) -> EvidenceEntry:
    if text.strip() in {"", NO_OUTPUT}:
        return inconclusive_entry(gate, "the gate's container left no evidence", clock)
    try:
        if isinstance(gate.spec, CustomGate):
            source = text_source("report", gate.spec.custom, text)
            return entry_of(gate, custom.outcome_of(text, release.lock.model.digest, source), clock)
        return _checked(gate, text)
    except NoVerdictError as error:
        return inconclusive_entry(gate, str(error), clock)


def _checked(gate: Gate, text: str) -> EvidenceEntry:
    """Return the entry of one of our containers.

    Raises:
        NoVerdictError: it is damaged, or about another gate.
    """
    try:
        entry = EvidenceEntry.model_validate(parse_json(text))
    except ValidationError as error:
        raise NoVerdictError(f"the gate's output is not evidence: {describe(error)}") from error
    except ValueError as error:
        raise NoVerdictError(f"the gate's output is not evidence (truncated?): {error}") from error
    if own_digest(plain(entry)) != entry.digest:
        raise NoVerdictError("the gate's output was changed after it was written")
    if (entry.name, entry.kind, entry.configuration) != (gate.name, gate.kind, configuration(gate)):
        raise NoVerdictError(
            f"the gate's output is about another gate, or another configuration: `{entry.name}`"
        )
    for sentence in entry_contradictions(entry):
        raise NoVerdictError(sentence)
    return entry


def _with_image(entry: EvidenceEntry, reference: str) -> EvidenceEntry:
    return sealed(entry.model_copy(update={"image": reference})) if reference else entry
