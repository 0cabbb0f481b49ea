"""Expectations of a suite in data of any size, each from counts over all rows.

It reads the suites that Great Expectations reads, and knows the expectations in EXPECTATIONS. Any other one is a
problem: `tool: great-expectations` evaluates it on a sample.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ibis
from _engine import Opened, dates, open_source
from common import Problem, main


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Statistics of the suite, and each expectation that was not met."""
    wanted = expectations(Path(config["suite"]))
    names = sorted({item["kwargs"]["column"] for item in wanted if "column" in item["kwargs"]})
    opened = open_source(config["source"], names)
    total = int(opened.rows.count().execute())
    unmet = []
    for item in wanted:
        unexpected = evaluated(opened, total, item["type"], item["kwargs"])
        if unexpected:
            column = str(item["kwargs"].get("column", ""))
            unmet.append({"type": item["type"], "column": column, "unexpected": unexpected, "raised": False})
    return {
        "rows": total,
        "success": not unmet,
        "evaluated": len(wanted),
        "unsuccessful": len(unmet),
        "unmet": unmet,
        "dates": {"current": dates(opened)},
        "engine": opened.engine,
    }


def expectations(path: Path) -> list[dict[str, Any]]:
    """The expectations of the suite; one that is not known, or has an unknown argument, is a problem, not a pass."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))["expectations"]
        found = [{"type": str(item["type"]), "kwargs": dict(item["kwargs"])} for item in written]
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(f"{path.name} is no suite: {type(error).__name__}: {error}") from error
    for item in found:
        if item["type"] not in EXPECTATIONS:
            raise Problem(f"`{item['type']}` is not evaluated from counts: use `tool: great-expectations`")
        strange = item["kwargs"].keys() - EXPECTATIONS[item["type"]][1] - {"column"}
        if strange:
            raise Problem(f"`{item['type']}` has the argument {min(strange)}, which counts do not know")
    return found


def evaluated(opened: Opened, total: int, kind: str, arguments: dict[str, Any]) -> int:
    """Rows that do not meet an expectation; 1 for one about the whole table."""
    name = arguments.get("column")
    if kind == "expect_table_row_count_to_be_between":
        return int(not within(total, arguments))
    if name in opened.breaks or name not in opened.rows.columns:
        return total
    if kind == "expect_column_to_exist":
        return 0
    column = opened.number(name) if opened.kind(name) == "numbers" else opened.rows[name]
    make, _ = EXPECTATIONS[kind]
    found = make(column, arguments)
    if kind in OF_COLUMN:
        number = opened.rows.aggregate(found=found)["found"].execute()
        return int(number is None or not within(float(number), arguments))
    counts = opened.rows.aggregate(bad=found.sum(), present=column.count()).to_pyarrow().to_pylist()[0]
    bad, of = int(counts["bad"] or 0), total if kind == NOT_NULL else int(counts["present"])
    return bad if bad > (1 - float(arguments.get("mostly", 1.0))) * of + 1e-9 else 0


def within(number: float, arguments: dict[str, Any]) -> bool:
    """Whether a number is between the bounds of an expectation."""
    low, high = arguments.get("min_value"), arguments.get("max_value")
    low_met = low is None or (number > low if arguments.get("strict_min") else number >= low)
    return low_met and (high is None or (number < high if arguments.get("strict_max") else number <= high))


def outside(column: Any, arguments: dict[str, Any]) -> Any:
    """Whether a value is outside the bounds; a missing one is not."""
    low, high = arguments.get("min_value"), arguments.get("max_value")
    bad = ibis.literal(value=False)
    if low is not None:
        bad = bad | (column <= low if arguments.get("strict_min") else column < low)
    if high is not None:
        bad = bad | (column >= high if arguments.get("strict_max") else column > high)
    return bad & column.notnull()


BOUNDS = {"min_value", "max_value", "strict_min", "strict_max"}
NOT_NULL = "expect_column_values_to_not_be_null"
OF_COLUMN = {
    "expect_column_mean_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_max_to_be_between",
}
EXPECTATIONS: dict[str, tuple[Any, set[str]]] = {
    "expect_column_to_exist": (None, set()),
    "expect_table_row_count_to_be_between": (None, BOUNDS),
    NOT_NULL: (lambda column, _: column.isnull(), {"mostly"}),
    "expect_column_values_to_be_null": (lambda column, _: column.notnull(), {"mostly"}),
    "expect_column_values_to_be_between": (outside, BOUNDS | {"mostly"}),
    "expect_column_values_to_be_in_set": (
        lambda column, given: column.notin(given["value_set"]) & column.notnull(),
        {"value_set", "mostly"},
    ),
    "expect_column_mean_to_be_between": (lambda column, _: column.mean(), BOUNDS),
    "expect_column_min_to_be_between": (lambda column, _: column.min(), BOUNDS),
    "expect_column_max_to_be_between": (lambda column, _: column.max(), BOUNDS),
}
"""The expression of each expectation (rows that are not met, or a number of the column), and its arguments."""


if __name__ == "__main__":
    main("ibis-framework", measure)
