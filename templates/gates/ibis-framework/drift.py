"""Two windows of any size, one column at a time: counts of a grid of cells, or of categories.

Nothing is decided here, and no distance is computed: `generator.stats.binned` does that from the counts.

Values of a column that has few are counted one by one, which is exact and cheaper. The grid has cells of equal width on
u = z / (1 + |z|), with z the distance from a median of the reference in quartile ranges: fine where rows are, coarse
in the tails, and open at both ends. A cell in which all rows have one value is exact. If the cells of the reference are
too full, the grid is laid again, around the quartiles that it showed.
"""

from __future__ import annotations

from typing import Any

import ibis
from _days import by_day, check_days, dates
from _engine import Opened, connect, open_source
from common import main

HALF = 2048
"""Cells on each side of the median."""
FIRST = 50_000
"""Rows of the reference that lay the first grid: any grid is right, this one is fine enough nearly always."""
FEW = 1_000
"""Values in these rows up to which values are counted one by one, unless there are more than cells of a grid."""
FULL = 0.005
"""Share of the reference in one cell from which the grid is laid again."""
TRIES = 3
FAR = 1e12
"""Distance from the median, in quartile ranges, where the last cells begin at the latest; infinity is in them."""
CATEGORIES = 10_000


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """All columns, and the days of the windows."""
    names = config["features"]
    connection = connect(config["reference"].get("engine"))
    reference = open_source(config["reference"], names, connection)
    same = config["current"].get("engine") == config["reference"].get("engine")
    current = open_source(config["current"], names, connection if same else None)
    for opened in (reference, current):
        if opened.time:
            check_days(opened, by_day(opened, names))
    return {
        "features": {name: column(reference, current, name, config["tool"]) for name in names},
        "dates": {"reference": dates(reference), "current": dates(current)},
        "engine": current.engine,
    }


def column(reference: Opened, current: Opened, name: str, tool: str) -> dict[str, Any]:
    """One column: a break of the schema, or its counts."""
    for where, opened in (("reference", reference), ("current", current)):
        if name in opened.breaks:
            return {"break": f"{opened.breaks[name]} ({where} window)"}
        if opened.kind(name) == "missing":
            return {"break": f"the column `{name}` is missing in the {where} window"}
    kinds = reference.kind(name), current.kind(name)
    if kinds[0] != kinds[1]:
        return {"break": f"the column `{name}` was {kinds[0]} and is {kinds[1]}"}
    if tool == "chi2":
        return {"kind": kinds[0], **categories(reference, current, name)}
    if kinds[0] != "numbers":
        return {"kind": kinds[0]}
    return {"kind": kinds[0], **cells(reference, current, name)}


def categories(reference: Opened, current: Opened, name: str) -> dict[str, Any]:
    """Rows of each category in both windows, and missing ones."""
    out = []
    for opened in (reference, current):
        value = opened.rows[name].cast("string").name("value")
        counts = opened.rows.group_by(value).aggregate(rows=opened.rows.count()).limit(CATEGORIES + 1)
        out.append({row["value"]: row["rows"] for row in opened.fetch(counts).to_pylist()})
    if max(map(len, out)) > CATEGORIES:
        return {"kind": f"more than {CATEGORIES:,} categories"}
    missing = [found.pop(None, 0) for found in out]
    return {
        "missingRows": missing,
        "categories": {key: [f.get(key, 0) for f in out] for key in sorted({**out[0], **out[1]})},
    }


def cells(reference: Opened, current: Opened, name: str) -> dict[str, Any]:
    """Cells in order: rows of the reference, rows of the current window, whether all have one value."""
    first = sorted(first_values(reference, name))
    counted = each_value(reference, current, name) if len(set(first)) <= FEW else None
    found: dict[Any, list[Any]] = {}
    missing = [0, 0]
    for window, rows in enumerate(counted or in_grid(reference, current, name, first)):
        for row in rows:
            if row["cell"] is None:
                missing[window] += row["rows"]
                continue
            cell = found.setdefault(row["cell"], [0, 0, row["low"], row["high"]])
            cell[window] += row["rows"]
            cell[2:] = [min(cell[2], row["low"]), max(cell[3], row["high"])]
    ordered = [found[key] for key in sorted(found)]
    return {
        "missingRows": missing,
        "cells": [[one, two, int(low == high)] for one, two, low, high in ordered],
    }


def first_values(opened: Opened, name: str) -> list[float]:
    """The numbers of a few rows."""
    found = opened.fetch(opened.rows.limit(FIRST).select(value=opened.number(name)))["value"].to_pylist()
    return [value for value in found if value is not None]


def each_value(reference: Opened, current: Opened, name: str) -> list[list[dict[str, Any]]] | None:
    """Rows of each value in both windows, as cells; None if there are more values than cells of a grid."""
    out = []
    for opened in (reference, current):
        counts = opened.rows.group_by(opened.number(name).name("cell")).aggregate(rows=opened.rows.count())
        found = opened.fetch(counts.limit(2 * HALF + 1)).to_pylist()
        if len(found) > 2 * HALF:
            return None
        out.append([{**row, "low": row["cell"], "high": row["cell"]} for row in found])
    return out


def in_grid(reference: Opened, current: Opened, name: str, first: list[float]) -> list[list[dict[str, Any]]]:
    """Cells of a grid in both windows."""
    grid = quartiles([(value, 1) for value in first])
    before: list[dict[str, Any]] = []
    for _ in range(TRIES):
        before = counts(reference, name, grid)
        known = sorted((row for row in before if row["cell"] is not None), key=lambda row: row["cell"])
        total = sum(row["rows"] for row in known)
        again = quartiles([(row["low"], row["rows"]) for row in known])
        full = max((row["rows"] for row in known if row["low"] < row["high"]), default=0)
        if full <= FULL * total or again == grid:
            break
        grid = again
    return [before, counts(current, name, grid)]


def quartiles(weighted: list[tuple[float, int]]) -> tuple[float, float]:
    """Median and quartile range of sorted values with counts; the range is never 0."""
    total, at, found = sum(count for _, count in weighted), 0, []
    for value, count in weighted:
        at += count
        while len(found) < 3 and at >= total * (len(found) + 1) / 4:
            found.append(value)
    if not found:
        return 0.0, 1.0
    spread = found[2] - found[0] or weighted[-1][0] - weighted[0][0] or abs(found[1]) or 1.0
    return found[1], spread


def counts(opened: Opened, name: str, grid: tuple[float, float]) -> list[dict[str, Any]]:
    """Rows, smallest and largest value of each cell; the cell of missing values is None."""
    middle, spread = grid
    value = opened.number(name)
    table = opened.rows.select(value=value)
    table = table.mutate(z=((ibis._.value - middle) / spread).clip(-FAR, FAR))
    share = table.z / (table.z.abs() + 1.0)
    cell = ((share + 1.0) * float(HALF)).floor().cast("int32").name("cell")
    grouped = table.group_by(cell)
    found = grouped.aggregate(rows=table.count(), low=table.value.min(), high=table.value.max())
    return opened.fetch(found).to_pylist()


if __name__ == "__main__":
    main("ibis-framework", measure)
