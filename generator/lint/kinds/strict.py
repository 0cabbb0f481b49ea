"""Sluice's requirements beyond the published definitions: the table `strict.txt`, whose head explains its notation."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from generator.lint.kinds import scalars
from generator.lint.kinds.notation import Schema, enum, whole


class Rows:
    """Demands on one record.

    Attributes:
        fields: by field: the type that replaces the published one, or demands on the records below it.
        required: fields that must be there.
        full: lists that must not be empty.
        conditions: what holds between the fields, in the form that a node of the definitions has.
        shared: the name of demands that these come on top of.
    """

    __slots__ = ("conditions", "fields", "full", "required", "shared")

    def __init__(self) -> None:
        self.fields: dict[str, Rows | Schema] = {}
        self.required: set[str] = set()
        self.full: set[str] = set()
        self.conditions: list[list[Any]] = []
        self.shared = ""

    def below(self, path: list[str]) -> Rows:
        """Return the demands on the records at a path.

        Raises:
            TypeError: a field on the path has a replaced type.
        """
        rows = self
        for step in path:
            found = rows.fields.setdefault(step, Rows())
            if not isinstance(found, Rows):
                raise TypeError(f"{step} has a type, and demands below it")
            rows = found
        return rows

    def layers(self) -> list[Rows]:
        """Return the demands that these come on top of, then these."""
        return [*layers(self.shared), self]


@cache
def rows_of(name: str) -> Rows | None:
    """Return the demands of the table under a name: a type's, a kind's, or shared ones with their `@`."""
    if name not in _LINES:
        return None
    rows = Rows()
    for paths, *demand in _LINES[name]:
        for path in paths.split(","):
            _add(rows, path, "".join(demand))
    return rows


def layers(name: str) -> list[Rows]:
    """Return the demands under a name with those that they come on top of; none where there are none."""
    rows = rows_of(name) if name else None
    return rows.layers() if rows else []


def _add(rows: Rows, path: str, demand: str) -> None:
    *steps, last = path.split(".") if path != "." else ("",)
    holder, field = rows.below(steps), last.rstrip("!+")
    if "!" in last:
        holder.required.add(field)
    if "+" in last:
        holder.full.add(field)
    kind, _, rest = demand.partition(": ")
    if kind == "type":
        fields = dict(pair.split("=") for pair in rest.split())
        holder.conditions.append([kind, field, None, fields])
    elif rest:
        (holder.below([field]) if field else holder).conditions.append([kind, *rest.split()])
    elif demand.startswith("@"):
        holder.below([field]).shared = demand
    elif demand:
        holder.fields[field] = _type(demand)


def _type(demand: str) -> Schema:
    """Return the type that a demand names or spells out."""
    if "|" in demand:
        return enum([word.strip('"') for word in demand.split("|")])
    if ".." in demand:
        least, most = map(int, demand.split(".."))
        return whole(f"a whole number ({least} to {most})", least, most)
    schema: Schema = getattr(scalars, demand)
    return schema


def _read(text: str) -> dict[str, list[list[str]]]:
    """Return the columns of each line, after the first one, by the first one."""
    lines: dict[str, list[list[str]]] = {}
    for line in text.splitlines():
        if line and line[0] != "#":
            name, *columns = [column.strip() for column in line.split("  ") if column]
            lines.setdefault(name, []).append(columns)
    return lines


_LINES: Final = _read(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))
PATTERNS: Final = dict(_LINES["pattern"])
"""Published patterns in words."""
TEMPLATED, MAY_BE_EMPTY, MAY_BE_NEGATIVE = (
    frozenset(name for (names,) in _LINES[key] for name in names.split(","))
    for key in ("templated", "may-be-empty", "may-be-negative")
)


@cache
def demands_on(kind: str) -> Rows:
    """Return the demands on the objects of a kind: those of the table, a name and a spec."""
    rows = rows_of(kind) or Rows()
    metadata = rows.below(["metadata"])
    if not metadata.shared:
        metadata.required.add("name")
    if kind != "Namespace":
        rows.required.add("spec")
    return rows
