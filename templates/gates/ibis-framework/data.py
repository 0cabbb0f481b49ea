"""Expectations of a suite in data of any size, each from counts over all rows.

It reads the suites that Great Expectations reads, and knows the expectations in EXPECTATIONS. Any other one is a
problem: `tool: great-expectations` evaluates it on a sample.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ibis
from _days import by_day, check_days, dates
from _engine import Opened, open_source
from common import Problem, main
from ibis.common.exceptions import IbisError


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Statistics of the suite, and each expectation that was not met."""
    wanted = expectations(Path(config["suite"]))
    names = sorted({item["kwargs"]["column"] for item in wanted if "column" in item["kwargs"]})
    opened = open_source(config["source"], names)
    more, raised = {}, set()
    for position, item in enumerate(wanted):
        try:
            more |= {f"{key} {position}": one for key, one in aggregates(opened, item).items()}
        except (IbisError, AttributeError):
            raised.add(position)
    days = by_day(opened, names if opened.time else [], more)
    check_days(opened, days)
    total = sum(row["rows"] for row in days)
    unmet = []
    for position, item in enumerate(wanted):
        found = {key: over_days(key, [row.get(f"{key} {position}") for row in days]) for key in OVER_DAYS}
        unexpected = total if position in raised else evaluated(opened, total, item, found)
        if unexpected:
            column = str(item["kwargs"].get("column", ""))
            unmet.append(
                {
                    "type": item["type"],
                    "column": column,
                    "unexpected": unexpected,
                    "raised": position in raised,
                }
            )
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


def aggregates(opened: Opened, item: dict[str, Any]) -> dict[str, Any]:
    """What an expectation needs of each day, so that one query serves all.

    Raises:
        IbisError, AttributeError: it is about values of another type.
    """
    name = item["kwargs"].get("column")
    make, _ = EXPECTATIONS[item["type"]]
    if make is None or name in opened.breaks or name not in opened.rows.columns:
        return {}
    column = opened.number(name) if opened.kind(name) == "numbers" else opened.rows[name]
    if item["type"] in OF_COLUMN:
        return {"present": column.count(), OF_COLUMN[item["type"]]: make(column)}
    return {"present": column.count(), "bad": make(column, item["kwargs"]).sum()}


def over_days(key: str, found: list[Any]) -> Any:
    """One aggregate of all days from those of each day; None if no day has it."""
    known = [value for value in found if value is not None]
    return OVER_DAYS[key](known) if known else None


def evaluated(opened: Opened, total: int, item: dict[str, Any], found: dict[str, Any]) -> int:
    """Rows that do not meet an expectation; 1 for one about the whole table."""
    kind, arguments = item["type"], item["kwargs"]
    if kind == "expect_table_row_count_to_be_between":
        return int(not within(total, arguments))
    if arguments.get("column") in opened.breaks or arguments.get("column") not in opened.rows.columns:
        return total
    if kind == "expect_column_to_exist":
        return 0
    if kind in OF_COLUMN:
        number = found[OF_COLUMN[kind]]
        if number is not None and kind == MEAN:
            number /= found["present"]
        return int(number is None or not within(float(number), arguments))
    bad, of = int(found["bad"] or 0), total if kind == NOT_NULL else int(found["present"])
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
MEAN = "expect_column_mean_to_be_between"
OF_COLUMN = {
    MEAN: "sum",
    "expect_column_min_to_be_between": "min",
    "expect_column_max_to_be_between": "max",
}
"""The aggregate of each expectation about a number of the column."""
OVER_DAYS = {"bad": sum, "present": sum, "sum": sum, "min": min, "max": max}
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
    MEAN: (lambda column: column.sum(), BOUNDS),
    "expect_column_min_to_be_between": (lambda column: column.min(), BOUNDS),
    "expect_column_max_to_be_between": (lambda column: column.max(), BOUNDS),
}
"""The expression of each expectation (rows that are not met, or a number of the column), and its arguments."""


if __name__ == "__main__":
    main("ibis-framework", measure)
