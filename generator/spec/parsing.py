"""Parses the text of scalar values such as `5%`, `60m` or `10 EUR`, and gives each type its pattern and its words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_PART = re.compile(r"(?<![0-9.])([0-9.]+)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Change:
    """An allowed loss: relative (`1%` of the champion's value) or absolute (`1pp`, percentage points)."""

    kind: Literal["relative", "points"]
    value: float

    def __str__(self) -> str:
        return f"{100 * self.value:.12g}{'%' if self.kind == 'relative' else 'pp'}"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency (ISO 4217 code)."""

    amount: float
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:.12g} {self.currency}"


def seconds(text: str) -> float:
    """Return the seconds of a duration such as `1h30m` or `250ms`."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def share(text: str) -> float:
    """Return the share of a percentage such as `5%`: 0.05."""
    return float(text[:-1]) / 100


def change(text: str) -> Change:
    """Return the allowed loss of a text such as `1%` or `1pp`."""
    if text.endswith("pp"):
        return Change("points", float(text[:-2]) / 100)
    return Change("relative", share(text))


def money(text: str) -> Money:
    """Return the amount of a text such as `10 EUR`."""
    amount, currency = text.split(" ")
    return Money(float(amount), currency)


def calendar_day(text: str) -> str:
    """Return the text of a date, unchanged.

    Raises:
        OutOfRangeError: the calendar has no such day.
    """
    try:
        dt.date.fromisoformat(text)
    except ValueError as error:
        raise OutOfRangeError(text) from error
    return text


def local_time(text: str) -> str:
    """Return the text of a date with its time, unchanged.

    Raises:
        OutOfRangeError: there is no such day or time.
    """
    try:
        dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise OutOfRangeError(text) from error
    return text


def time_zone(text: str) -> str:
    """Return the name of a time zone, unchanged.

    Raises:
        OutOfRangeError: the time-zone database has no such name.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise OutOfRangeError(text) from error
    return text


def cron(text: str) -> str:
    """Return a schedule of five fields, unchanged.

    Raises:
        OutOfRangeError: it never comes, or programs read it in different ways.
    """
    from cronsim import CronSim, CronSimError

    if re.search(r"(?<![0-9])([0-9]{1,2})-\1/", text):
        raise OutOfRangeError(text)  # `5-5/2`: the two programs read it in different ways
    try:
        next(CronSim(text, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    except (CronSimError, StopIteration) as error:
        raise OutOfRangeError(text) from error
    return text


def unit(
    name: str, pattern: str, says: str, example: str, parse: Callable[[str], Any] = str, longest: int = 0
) -> Any:
    """Return the metadata of a scalar type: its validator and its JSON Schema share one pattern and one length.

    Args:
        name: the unit; `generator.spec.mistakes.repairs.UNITS` has its repairs.
        pattern: of well-formed text.
        says: the rule for values, in words that follow "invalid value `x`: ".
        example: a value to copy.
        parse: converts well-formed text to a value; raises `OutOfRangeError` for an invalid one.
        longest: the largest number of characters; 0 for no limit except the pattern.
    """
    matches = re.compile(f"(?:{pattern.removesuffix('$')})\\Z").match

    def validate(value: object) -> object:
        if isinstance(value, str) and matches(value) and not 0 < longest < len(value):
            try:
                return parse(value)
            except OutOfRangeError:
                pass
        raise PydanticCustomError("unit", "{says}", {"says": says, "example": example, "unit": name})

    schema = {"type": "string", "pattern": pattern, "examples": [example], "title": name, "description": says}
    # Values that have a unit are written back as text; shares and seconds stay numbers.
    written = PlainSerializer(lambda value: value if isinstance(value, (int, float)) else str(value))
    return (
        PlainValidator(validate),
        written,
        WithJsonSchema({**schema, "maxLength": longest} if longest else schema),
    )


class OutOfRangeError(Exception):
    """A well-formed value that is out of range here."""


def seconds_between(low: float, high: float, *, zero: bool = False) -> Any:
    """Return a parser of durations that refuses those outside `low` to `high` seconds; `zero` allows 0 as well."""

    def parse(text: str) -> float:
        value = seconds(text)
        if not (low <= value <= high or (zero and value == 0)):
            raise OutOfRangeError(text)
        return value

    return parse
