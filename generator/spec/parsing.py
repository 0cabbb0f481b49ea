"""Parses the text of scalar values such as `5%`, `60m` or `10 EUR`, and gives each type its pattern and its words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_plain_validator_function, plain_serializer_function_ser_schema

from generator.dataclass import dataclass

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
    return _text_of(dt.date.fromisoformat, text)


def local_time(text: str) -> str:
    """Return the text of a date with its time, unchanged.

    Raises:
        OutOfRangeError: there is no such day or time.
    """
    return _text_of(dt.datetime.fromisoformat, text)


def _text_of(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
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


@dataclass(frozen=True, slots=True)
class Unit:
    """Text of one pattern, and the value that it means. Validator and JSON Schema share the pattern and the length.

    Args:
        name: the unit; `generator.spec.mistakes.repairs.UNITS` has its repairs.
        pattern: of well-formed text. It is compiled when the first value is read: a spec has few of all units.
        says: the rule for values, in words that follow "invalid value `x`: ".
        example: a value to copy.
        parse: converts well-formed text to a value; raises `OutOfRangeError` for an invalid one.
        longest: the largest number of characters; 0 for no limit except the pattern.
    """

    name: str
    pattern: str
    says: str
    example: str
    parse: Callable[[str], Any] = str
    longest: int = 0

    def validate(self, value: object) -> object:
        """Return what a text means.

        Raises:
            PydanticCustomError: it is malformed, out of range, or no text.
        """
        if isinstance(value, str) and re.fullmatch(self.pattern, value) and not 0 < self.longest < len(value):
            try:
                return self.parse(value)
            except OutOfRangeError:
                pass
        context = {"says": self.says, "example": self.example, "unit": self.name}
        raise PydanticCustomError("unit", "{says}", context)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_plain_validator_function(
            self.validate, serialization=plain_serializer_function_ser_schema(_written)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        found = {
            "type": "string",
            "pattern": self.pattern,
            "examples": [self.example],
            "title": self.name,
            "description": self.says,
        }
        return {**found, "maxLength": self.longest} if self.longest else found


def _written(value: object) -> object:
    """Return a value as files have it: text with its unit, but shares and seconds as numbers."""
    return value if isinstance(value, (int, float)) else str(value)


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
