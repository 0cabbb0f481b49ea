"""What Sluice demands beyond the published definitions: the table `strict.txt`, whose head explains its notation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from generator.lint.kinds import scalars
from generator.lint.kinds.notation import Schema, enum, whole


class Rows:
    """Demands on one record.

    Attributes:
        fields: by field: the type that it has instead of its own, or demands on the records below it.
        required: fields that must be there.
        full: lists that must not be empty.
        conditions: what holds between the fields, in the form that a node of the definitions has.
        shared: demands that these come on top of.
    """

    __slots__ = ("conditions", "fields", "full", "required", "shared")

    def __init__(self) -> None:
        self.fields: dict[str, Rows | Schema] = {}
        self.required: set[str] = set()
        self.full: set[str] = set()
        self.conditions: list[list[Any]] = []
        self.shared: Rows | None = None

    def below(self, path: list[str]) -> Rows:
        """Return the demands on the records at a path.

        Raises:
            TypeError: a field on the path has a type of its own.
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
        return [*(self.shared.layers() if self.shared else ()), self]


def _read(lines: list[list[str]]) -> dict[str, Rows]:
    """Return the demands of the table by name: of a type, of a kind, or of shared rows with their `@`."""
    table: dict[str, Rows] = {}
    for name, paths, *demand in lines:
        for path in paths.split(","):
            _add(table, table.setdefault(name, Rows()), path, "".join(demand))
    return table


def _add(table: dict[str, Rows], rows: Rows, path: str, demand: str) -> None:
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
        holder.below([field]).shared = table.setdefault(demand, Rows())
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


def _names(key: str) -> frozenset[str]:
    return frozenset(name for line in _LINES if line[0] == key for name in line[1].split(","))


_LINES: Final = [
    re.split(" {2,}", line)
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
TABLE: Final = _read([line for line in _LINES if line[0][0].isupper() or line[0][0] == "@"])
"""Demands by the short name of a Kubernetes type, wherever it occurs, and by kind."""
PATTERNS: Final = {line[1]: line[2] for line in _LINES if line[0] == "pattern"}
"""Published patterns in words."""
TEMPLATED, MAY_BE_EMPTY, MAY_BE_NEGATIVE = map(_names, ("templated", "may-be-empty", "may-be-negative"))


def demands_on(kind: str) -> Rows:
    """Return the demands on the objects of a kind: those of the table, a name and a spec."""
    rows = TABLE.setdefault(kind, Rows())
    metadata = rows.below(["metadata"])
    if metadata.shared is None:
        metadata.required.add("name")
    if kind != "Namespace":
        rows.required.add("spec")
    return rows
