"""Every value of a plan, and who decided it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from generator.dataclass import dataclass
from generator.plan.layers import Layers, Origin
from generator.plan.resolve import Planned
from generator.report import records
from generator.report.sections.section import Section
from generator.report.tables import Table
from generator.source.document import Path, dotted
from generator.spec.record import Record
from generator.spec.units import format_value, item_unit, unit_of


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the merged spec.

    Args:
        path: key path in the spec file.
        value: for programs: shares are fractions, times seconds.
        text: as in a spec.
    """

    path: Path
    value: Any
    text: Any


def values(planned: Planned) -> Section:
    """Return all values with their origins, without optional ones that are not set."""
    layers = planned.source.layers
    found = [_decided(layers, value) for value in _walk(planned.source.file.spec, ("spec",), "")]
    data = [_row(value, origin) for value, origin in found]
    rows = [(dotted(value.path[1:]), _shown(value.text), _decision(origin)) for value, origin in found]
    files: dict[str, list[str]] = {}
    for row in data:
        if row["file"] and row["source"] not in files.setdefault(row["file"], []):
            files[row["file"]].append(row["source"])
    legend = "; ".join(f"{' and '.join(sources)}: {file}" for file, sources in files.items())
    return Section("values", "Every value and who decided it", data, (legend, Table.of(rows)))


def _decision(origin: Origin) -> str:
    """Return who decided, and on which line and column of the file."""
    return f"{origin.source} {origin.place.line}:{origin.place.column}" if origin.place else origin.source


def _walk(value: Any, path: Path, unit: str) -> Iterator[Value]:
    """Yield the leaves of a validated spec; a list of scalars is one leaf."""
    if isinstance(value, Record):
        yield from _fields(value, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, (*path, key), unit)
    elif isinstance(value, list) and any(isinstance(inner, (Record, dict)) for inner in value):
        for index, inner in enumerate(value):
            yield from _walk(inner, (*path, index), unit)
    elif isinstance(value, list):
        yield Value(path, value, [format_value(inner, unit) for inner in value])
    elif value is not None:
        plain = value if isinstance(value, (bool, int, float, str)) else str(value)
        yield Value(path, plain, format_value(value, unit))


def _fields(record: Record, path: Path) -> Iterator[Value]:
    for name, info in type(record).model_fields.items():
        if path == ("spec",) and name == "environments":
            continue
        unit = unit_of(info.metadata) or item_unit(info.annotation)
        yield from _walk(getattr(record, name), (*path, info.alias or name), unit)


def _decided(layers: Layers, value: Value) -> tuple[Value, Origin]:
    """Return a value with its origin; a value from a file keeps its text there."""
    origin = _origin(layers, value.path)
    if origin.place is None:
        return value, origin
    document, path = layers.where(value.path)
    raw = document.data
    for part in path:
        raw = raw[part]
    return replace(value, text=raw), origin


def _origin(layers: Layers, path: Path) -> Origin:
    """Return the origin of a value; inside a list only the layer of the list counts, as lists replace each other."""
    origin = layers.origin(path)
    if layers.joined(path):
        return origin
    inside = next((end for end, part in enumerate(path) if isinstance(part, int)), None)
    if inside is not None and origin.source != layers.origin(path[:inside]).source:
        return Origin("default", None)
    return origin


def _row(value: Value, origin: Origin) -> records.ValueRecord:
    place = origin.place
    return {
        "path": dotted(value.path),
        "value": value.value,
        "written": value.text,
        "source": origin.source,
        "file": place.file if place else None,
        "line": place.line if place else None,
    }


def _shown(text: Any) -> str:
    if isinstance(text, list):
        return f"[{', '.join(map(_shown, text))}]"
    if isinstance(text, bool):
        return "true" if text else "false"
    return f"{text:.12g}" if isinstance(text, float) else str(text)
