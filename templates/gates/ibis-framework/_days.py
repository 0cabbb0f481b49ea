"""The days of a source: one that is missing, or is there twice, makes aggregates wrong without a trace."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from _engine import Opened
from common import Problem

VARIED = 10
"""Values that a column needs for equal sums to mean equal rows."""
TWICE = 1.8
"""How many times the rows of the median day a day has that was loaded twice."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NAMED = 15
"""Ranges of days that a message lists."""


def check_days(opened: Opened, days: list[dict[str, Any]]) -> None:
    """Check rows of each day, which `by_day` or a caller counted.

    Raises:
        Problem: a day has no rows, or is there twice.
    """
    if not opened.time:
        return
    known = sorted((row for row in days if row["day"] is not None), key=lambda row: str(row["day"]))
    opened.days = tuple(str(row["day"])[:10] for row in known)
    wanted = expected_days(opened.window) if opened.window else []
    missing = [day for day in wanted if day.isoformat() not in opened.days]
    if missing:
        said = f"{opened.name} has no rows on {len(missing):,} of {len(wanted):,} days: {ranges(missing)}"
        raise Problem(f"{said}; load them, or declare them in `gaps` of the window")
    twice = repeated(known)
    if twice:
        raise Problem(f"{opened.name}: {twice}")


def expected_days(window: dict[str, Any]) -> list[dt.date]:
    """The days of a window that must have rows: all except its gaps."""
    first, end = (dt.date.fromisoformat(window[key]) for key in ("from", "to"))
    days = (first + dt.timedelta(days=number) for number in range((end - first).days))
    gaps = set(window.get("gaps", ()))
    return [day for day in days if not gaps & {day.isoformat(), WEEKDAYS[day.weekday()]}]


def ranges(days: list[dt.date]) -> str:
    """Sorted days as text, those in a row as one range; at most `NAMED` ranges."""
    found: list[list[dt.date]] = []
    for day in days:
        if found and day - found[-1][-1] == dt.timedelta(days=1):
            found[-1].append(day)
        else:
            found.append([day])
    named = [f"{one[0]} to {one[-1]}" if len(one) > 1 else f"{one[0]}" for one in found[:NAMED]]
    others = sum(map(len, found[NAMED:]))
    return ", ".join(named) + (f" and {others:,} more" if others else "")


def by_day(opened: Opened, columns: list[str], more: Mapping[str, Any] = {}) -> list[dict[str, Any]]:
    """Rows of each day, sums of its numbers, how many values its first column of numbers has, and more aggregates."""
    rows = opened.rows
    numbers = [name for name in columns if opened.kind(name) == "numbers" and name not in opened.breaks]
    sums = {f"sum {name}": opened.number(name).sum() for name in numbers}
    values = {"values": rows[numbers[0]].approx_nunique()} if numbers else {}
    found = rows.group_by(opened.day).aggregate(rows=rows.count(), **sums, **values, **more)
    return opened.fetch(found).to_pylist()


def repeated(days: list[dict[str, Any]]) -> str:
    """Why a day seems to be there twice; empty if none does.

    A copy under another day has the same rows and sums. A day that was loaded twice has twice as many rows as the
    median day, but not more values.
    """
    seen: dict[tuple[Any, ...], Any] = {}
    for row in days:
        sums = tuple(value for key, value in row.items() if key.startswith("sum "))
        key = (row["rows"], *(f"{value:.9e}" for value in sums if value is not None))
        if row.get("values", 0) >= VARIED and key in seen:
            return f"{seen[key]} and {row['day']} have the same rows: a day is there twice"
        seen[key] = row["day"]
    usual = sorted(row["rows"] for row in days)[len(days) // 2] if days else 0
    for row in days:
        if len(days) > 2 and row["rows"] >= TWICE * usual and new_values(row, days) < 1 / TWICE:
            return f"{row['day']} has {row['rows']:,} rows, the median day {usual:,}: it may have been loaded twice"
    return ""


def new_values(row: dict[str, Any], days: list[dict[str, Any]]) -> float:
    """Values per row, as a multiple of those of the median day; 0 where most values repeat, which shows nothing."""
    shares = sorted(day.get("values", 0) / day["rows"] for day in days)
    usual = shares[len(shares) // 2]
    return row.get("values", 0) / row["rows"] / usual if usual > 0.1 else 0.0


def dates(opened: Opened) -> list[str]:
    """First and last day; nothing without a time."""
    return [min(opened.days), max(opened.days)] if opened.days else []
