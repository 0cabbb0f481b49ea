"""Gates as containers of the gate Workflow: what they are told, how one of them is judged.

A container is told by its environment: SLUICE_GATE, the gate's configuration as JSON, and SLUICE_RELEASE, the rest of
it. Its inputs lie in a folder named by the model's digest, in the layout of `--from`; the model itself is the folder
`model`, or the one file in `model-file`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import Field, TypeAdapter, ValidationError

from generator.gates.canonical import plain, sealed
from generator.gates.environments import Environments
from generator.gates.form import flaw_text
from generator.gates.inputs import Inputs
from generator.gates.run import Clock, refused, run_gate
from generator.gates.task import Release, Task
from generator.plan.values import Gate
from generator.spec.evidence import Entry, Hex
from generator.spec.gates import Gate as GateSpec
from generator.spec.lock import LockFile
from generator.spec.record import Record
from generator.spec.types import Date, Line, Name

MODEL, MODEL_FILE, PREDICTIONS = "model", "model-file", "predictions"
LARGEST: Final = 64 << 10
"""Bytes of an entry: it travels as a parameter, and one argument of a Linux process holds 128 KiB."""


class ContainerError(Exception):
    """A container was not told what it needs; nothing about the model follows from it."""


class Told(Record):
    """What every container of the gate Workflow is told of the release."""

    model: Line = Field(description="team/model", examples=["risk/fraud"])
    framework: Line = Field(description="framework of the model")
    gate_key: Hex = Field(description="what is judged, and by what")
    guaranteed: bool = Field(description="intervals keep their level whatever the truth")
    waived: dict[Name, Date] = Field({}, description="last day of each waiver, by gate")
    lock: LockFile = Field(description="which bytes model and data are")


def told(variables: Mapping[str, str]) -> Told:
    """What SLUICE_RELEASE says.

    Raises:
        ContainerError: it is not there, or of another form.
    """
    try:
        return Told.model_validate(json.loads(variables.get("SLUICE_RELEASE", "")))
    except ValidationError as error:
        raise ContainerError(f"SLUICE_RELEASE does not describe a release: {flaw_text(error)}") from error
    except (ValueError, RecursionError) as error:
        raise ContainerError(f"SLUICE_RELEASE does not describe a release: {error}") from error


def gate_of(config: Any) -> Gate:
    """A gate from its configuration, as a plan writes it out.

    Raises:
        ContainerError: it is none.
    """
    try:
        gate = TypeAdapter[Any](GateSpec).validate_python(config)
    except ValidationError as error:
        raise ContainerError(f"this is no gate: {flaw_text(error)}") from error
    return Gate(gate.name, gate.kind, str(getattr(gate, "tool", gate.kind)), config, None)


def gates_of(text: str) -> list[Gate]:
    """Gates from a JSON list of their configurations.

    Raises:
        ContainerError: it is none.
    """
    try:
        configs = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContainerError(f"this is no list of gates: {error}") from error
    if not isinstance(configs, list):
        raise ContainerError("this is no list of gates")
    return [gate_of(config) for config in configs]


def judge(gate: Gate, release: Told, inputs: Path, image: Path, named: str, clock: Clock) -> Entry:
    """What one gate finds, as an entry of evidence.

    Args:
        gate: the gate.
        release: what it is about.
        inputs: the mounted folder.
        image: folder in the image with `gates/`, the tools' programs, and `env/`, their environments.
        named: the image as the Workflow names it; empty where there is none.
        clock: tells the time (UTC).
    """
    task = Task(
        gate=gate,
        release=Release(release.framework, release.gate_key),
        guaranteed=release.guaranteed,
        inputs=mounted(inputs, release.lock),
        environments=Environments(print, ready=image / "env"),
        scripts=image / "gates",
    )
    entry = _named(run_gate(task, clock), named)
    size = len(parameter(entry))
    if size > LARGEST:
        reason = f"its evidence has {size} bytes and a Workflow carries {LARGEST}: judge it with `sluice gates run`"
        return _named(refused(gate, reason, clock), named)
    return entry


def mounted(inputs: Path, lock: LockFile) -> Inputs:
    """The files of one model below the mounted folder."""
    folder = inputs / lock.model.digest.removeprefix("sha256:")
    files = sorted((folder / MODEL_FILE).glob("*"))
    model = folder / MODEL if (folder / MODEL).is_dir() else files[0] if len(files) == 1 else None
    tables: dict[str, tuple[Path, ...]] = {}
    for path in sorted((folder / PREDICTIONS).glob("*")):
        tables[path.stem] = (*tables.get(path.stem, ()), path)
    advice = "put it into the gates' inputs: `sluice gates stage`"
    return Inputs(folder, folder / "spec.yaml", lock, folder, {}, tables, model, advice)


def parameter(entry: Entry) -> bytes:
    """An entry on one line, in which nothing looks like a placeholder of Argo."""
    text = json.dumps(plain(entry), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.replace("{{", "{\\u007b").encode()


def _named(entry: Entry, image: str) -> Entry:
    return sealed(entry.model_copy(update={"image": image})) if image else entry
