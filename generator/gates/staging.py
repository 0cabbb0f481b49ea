"""The files that the gates of one model read, put where their containers look for them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from generator.gates.adapters.metric import DEFAULT
from generator.gates.inputs import Inputs, place
from generator.gates.outcome import NoVerdictError
from generator.gates.pod import MODEL, MODEL_FILE, PREDICTIONS
from generator.plan.gate_tools import RUN
from generator.plan.values import Gate


@dataclass
class Staged:
    """What there is to copy.

    Args:
        files: file or folder by its path below the folder of the model.
        problems: sentence about each gate whose files are not here.
    """

    files: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def staged(gates: Iterable[Gate], inputs: Inputs) -> Staged:
    """Find everything that containers of these gates will read; data and model are those of the lock."""
    out = Staged()
    for gate in gates:
        try:
            out.files |= dict(_of(gate, inputs))
        except NoVerdictError as error:
            out.problems.append(f"{gate.name}: {error}")
    return out


def copy(found: Staged, target: Path) -> None:
    """Copy it, times included: a report that does not name its model is bound by its time.

    Args:
        found: what to copy.
        target: folder of the model; made if missing, what it held before is replaced in one step.
    """
    scratch = target.with_name(f".{target.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    for name, source in found.files.items():
        made = scratch / name
        made.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, made)
        else:
            shutil.copy2(source, made)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    scratch.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _of(gate: Gate, inputs: Inputs) -> Iterator[tuple[str, Path]]:
    config = gate.config
    for name in _names(gate):
        yield _inside(place(name)), inputs.file(name)
    for ref in _data(config):
        yield _inside(place(ref)), inputs.data(ref)[0]
    if gate.kind == "explain":
        model, _ = inputs.artifact()
        yield (MODEL if model.is_dir() else f"{MODEL_FILE}/{model.name}"), model
    if (gate.kind == "fairness" and "data" not in config) or config.get("against"):
        own = gate.name in inputs.predictions
        for path in inputs.tables(gate.name):
            yield (f"{PREDICTIONS}/{gate.name}{path.suffix}" if own else f"predictions{path.suffix}"), path


def _names(gate: Gate) -> Iterator[str]:
    """Reports and suites: what the lock does not know."""
    config = gate.config
    if gate.kind == "tests":
        yield config["junit"]
    if gate.kind == "metric" and not str(config.get("source", "")).startswith(RUN):
        yield config.get("source", DEFAULT)
    if gate.kind == "data":
        yield config["data"]["suite"]


def _data(config: dict[str, object]) -> Iterator[str]:
    for part in ("drift", "data", "explain"):
        value = config.get(part)
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from (str(value[key]) for key in ("reference", "current") if key in value)


def _inside(path: str) -> str:
    """A path that stays below its folder."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise NoVerdictError(f"{path} lies outside of the folder that containers see")
    return path
