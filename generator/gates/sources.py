"""The data of gates as their scripts get it: files, or sources that an engine reads, counts or draws samples from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from generator.dataclass import dataclass
from generator.gates.adapters import Task
from generator.gates.environments import work_folder
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import Inputs, text_source
from generator.spec.evidence import Measure, Source
from generator.spec.gate_data import DataSource, named, proof_of
from generator.spec.gates import Windows

Notes = dict[str, float | str]
_NOTES: Final = frozenset(
    {"engine", "sample"}
    | {f"{key} {what}" for key in ("reference", "current", "source") for what in ("read", "window")}
)
_UNBOUND: Final = "unbound: nothing proves which rows were read"
_SNAPSHOT: Final = "by the version of the table, which names its files; their content is not hashed"


@dataclass(frozen=True, slots=True)
class Read:
    """What a gate reads.

    Args:
        config: of the script: paths of files, or sources.
        sources: for the evidence.
        notes: what the evidence says about the sources.
        counted: the script reports counts of an engine.
    """

    config: dict[str, Any]
    sources: tuple[Source, ...]
    notes: Notes
    counted: bool = False


@contextmanager
def read_windows(task: Task, windows: Windows, columns: Sequence[str]) -> Iterator[Read]:
    """Yield both windows of a gate; samples exist until the block ends.

    Raises:
        NoVerdictError: data is missing, is not the locked one, or both windows are the same.
    """
    if not task.gate.spec.needs.engine:
        (reference, first), (current, second) = task.inputs.windows(windows)
        yield Read({"reference": str(reference), "current": str(current)}, (first, second), {})
        return
    with read_sources(task, {"reference": windows.reference, "current": windows.current}, columns) as found:
        one, other = found.config["reference"], found.config["current"]
        if {**one, "name": ""} == {**other, "name": ""}:
            raise NoVerdictError("both windows are the same rows: nothing was compared")
        yield found


@contextmanager
def read_sources(
    task: Task,
    data: Mapping[str, str | DataSource],
    columns: Sequence[str],
    strata: Sequence[str] = (),
) -> Iterator[Read]:
    """Yield data sets of a gate that an engine reads, by the key that its script has for them.

    Args:
        task: the gate.
        data: by key.
        columns: the columns that the gate reads; none: all that a sample may contain.
        strata: columns whose groups a sample keeps in their shares.

    Raises:
        NoVerdictError: data is missing, or is not the locked one.
    """
    config: dict[str, Any] = {}
    notes: Notes = {}
    sources = []
    for key, item in data.items():
        source = item if isinstance(item, DataSource) else DataSource(data=item)
        config[key], of, how = _located(task.inputs, source)
        sources.append(of)
        notes[f"{key} read"] = how
        if "window" in config[key]:
            notes[f"{key} window"] = _window_note(config[key]["window"])
    first = task.gate.spec.needs.programs[0]
    if first == task.gate.spec.needs.programs[-1]:
        yield Read(config, tuple(sources), notes, counted=True)
        return
    with work_folder() as folder:
        drawn = {key: {**item, "to": str(Path(folder, f"{key}.parquet"))} for key, item in config.items()}
        asked = {"sources": drawn, "columns": list(columns), "strata": list(strata)}
        report = task.report(first, asked).content
        notes |= notes_of(report)
        yield Read({key: item["to"] for key, item in drawn.items()}, tuple(sources), notes)


def notes_of(report: Mapping[str, Any]) -> Notes:
    """Return what an engine reported about itself."""
    return {key: str(report[key]) for key in ("engine", "sample") if key in report}


def stated_notes(measure: Measure) -> Notes:
    """Return what a measure in evidence says about its sources."""
    return {key: value for key, value in measure.details.items() if key in _NOTES}


def _window_note(window: Mapping[str, Any]) -> str:
    """Return what the evidence says about a window: its days, and those that may have no rows."""
    days = "{from} to {to}".format(**window)
    return f"{days}; gaps: {', '.join(window['gaps'])}" if "gaps" in window else days


def _located(inputs: Inputs, source: DataSource) -> tuple[dict[str, Any], Source, str]:
    """Return the configuration of a source, its entry in the evidence, and how its content is known."""
    today = dt.datetime.now(dt.UTC).date()
    config: dict[str, Any] = {
        "name": source.name,
        "engine": source.engine,
        "filter": source.filter,
        "columns": source.columns,
        "rows": source.rows,
        "seed": source.seed,
        "latest": (today + dt.timedelta(days=1)).isoformat(),
    }
    if source.entity:
        config["entity"] = source.entity
    if source.window:
        end = (
            dt.date.fromisoformat(source.window.to) if source.window.to else _fixed_day(inputs, source, today)
        )
        start = end - dt.timedelta(days=source.window.days)
        config["window"] = {
            "column": source.window.column,
            "from": start.isoformat(),
            "to": end.isoformat(),
        } | ({"gaps": source.window.gaps} if source.window.gaps else {})
    proof = proof_of(source)
    if proof == "unbound":
        config |= {"query": source.query, "table": source.table}
        return config, text_source(proof, source.name, source.name), _UNBOUND
    if proof == "snapshot":
        kind, place = ("delta", source.delta) if source.delta else ("iceberg", source.iceberg)
        config[kind] = inputs.snapshot(place or "")
        return config, text_source(proof, source.name, source.name), _SNAPSHOT
    files, of = inputs.partitions(named(source))
    config["files"] = [str(file) for file in files]
    return config, of, f"{len(files):,} file{'s' if len(files) > 1 else ''}, by SHA-256"


def _fixed_day(inputs: Inputs, source: DataSource, today: dt.date) -> dt.date:
    """Return the day after the window: that of the lock, so that a second run reads the same; today without one."""
    locked = inputs.lock.data.get(source.name)
    return dt.date.fromisoformat(locked.at[:10]) if locked is not None and locked.at else today
