"""The scalar types of the spec language: each value means one thing and says its unit.

Text such as `5%`, `60m` or `512Mi` is parsed once, here; the same pattern stands in the JSON Schema, so an
editor and the loader agree on what is well formed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

KEBAB = r"^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$"
SNAKE = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
# Free text that ends up in annotations and files: one line, printable.
LINE = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]{1,500}$"

_PERCENT = r"^(?:100(?:\.0+)?|[0-9]{1,2}(?:\.[0-9]{1,6})?)%$"
_ANY_PERCENT = r"^[0-9]{1,6}(?:\.[0-9]{1,6})?%$"
_WEIGHT = r"^(?:[1-9][0-9]?|100)%$"
_CHANGE = r"^[0-9]{1,3}(?:\.[0-9]{1,6})?(?:%|pp)$"
_DURATION = r"^(?:[0-9]{1,9}(?:\.[0-9]{1,3})?(?:ms|s|m|h|d))+$"
_CPU = r"^(?:[1-9][0-9]{0,5}|[0-9]{1,3}\.[0-9]{1,3}|[1-9][0-9]{0,7}m)$"
_MEMORY = r"^[1-9][0-9]{0,11}(?:Ki|Mi|Gi|Ti|k|M|G|T)?$"
_MONEY = r"^[0-9]{1,12}(?:\.[0-9]{1,6})? [A-Z]{3}$"
_DATE = r"^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"
_DIGEST = r"^sha256:[0-9a-f]{64}$"

_LONGEST = 30 * 86400.0
_PART = re.compile(r"([0-9.]+)(ms|s|m|h|d)")
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
    """Seconds of a duration such as `1h30m` or `250ms`."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def _fraction(text: str) -> float:
    return float(text[:-1]) / 100


def _change(text: str) -> Change:
    if text.endswith("pp"):
        return Change("points", float(text[:-2]) / 100)
    return Change("relative", _fraction(text))


def _money(text: str) -> Money:
    amount, currency = text.split(" ")
    return Money(float(amount), currency)


def _unit(name: str, pattern: str, parse: Any, says: str, example: str, longest: int = 0) -> Any:
    """Text with a unit: the validator and the schema share one pattern and one length."""
    matches = re.compile(pattern[:-1] + r"\Z").match

    def validate(value: object) -> object:
        if isinstance(value, str) and matches(value) and not 0 < longest < len(value):
            try:
                return parse(value)
            except _OutOfRangeError:
                pass
        raise PydanticCustomError("unit", "{says}", {"says": says, "example": example})

    schema = {"type": "string", "pattern": pattern, "examples": [example], "title": name, "description": says}
    # Values with a unit of their own are written back as text; shares and seconds stay numbers.
    written = PlainSerializer(lambda value: value if isinstance(value, (int, float)) else str(value))
    return (
        PlainValidator(validate),
        written,
        WithJsonSchema({**schema, "maxLength": longest} if longest else schema),
    )


class _OutOfRangeError(Exception):
    """Well formed, but no value that makes sense here."""


def _between(low: float, high: float, *, zero: bool = False) -> Any:
    def parse(text: str) -> float:
        value = seconds(text)
        if not (low <= value <= high or (zero and value == 0)):
            raise _OutOfRangeError(text)
        return value

    return parse


Percent = Annotated[
    float, *_unit("Percent", _PERCENT, _fraction, "a share says its unit: 0% to 100%, such as 5%", "5%")
]
Effect = Annotated[
    float,
    *_unit("Effect", _ANY_PERCENT, _fraction, "a relative change says its unit, such as 10% or 150%", "10%"),
]
Weight = Annotated[
    int,
    *_unit(
        "Weight",
        _WEIGHT,
        lambda t: int(t[:-1]),
        "a weight is a whole percentage of traffic: 1% to 100%",
        "5%",
    ),
]
Loss = Annotated[
    Change, *_unit("Loss", _CHANGE, _change, "a loss is relative (1%) or in percentage points (1pp)", "1pp")
]
Duration = Annotated[
    float,
    *_unit(
        "Duration",
        _DURATION,
        _between(0.001, _LONGEST, zero=True),
        "a time says its unit: ms, s, m, h or d, such as 60m; at most 30d",
        "60m",
    ),
]
Hold = Annotated[
    float,
    *_unit(
        "Hold",
        _DURATION,
        _between(1, _LONGEST, zero=True),
        "a time says its unit: ms, s, m, h or d, such as 60m; here 1s to 30d",
        "60m",
    ),
]
Timeout = Annotated[
    float,
    *_unit(
        "Timeout",
        _DURATION,
        _between(0.01, 3600),
        "a time says its unit: ms, s, m, h or d, such as 10s; here 10ms to 1h",
        "10s",
    ),
]
Interval = Annotated[
    float,
    *_unit(
        "Interval",
        _DURATION,
        _between(1, 300),
        "a time says its unit: ms, s, m, h or d, such as 15s; here 1s to 5m",
        "15s",
    ),
]
Refresh = Annotated[
    float,
    *_unit(
        "Refresh",
        _DURATION,
        _between(60, 7 * 86400),
        "a time says its unit: m, h or d, such as 1h; here 1m to 7d",
        "1h",
    ),
]
Age = Annotated[
    int,
    *_unit(
        "Age",
        r"^[1-9][0-9]{0,3}d$",
        lambda text: int(text[:-1]),
        "an age is a number of days, such as 30d",
        "30d",
    ),
]
Use = Annotated[
    float,
    *_unit(
        "Use", _WEIGHT, lambda text: int(text[:-1]) / 100, "a use is a whole percentage: 1% to 100%", "70%"
    ),
]
Price = Annotated[
    Money, *_unit("Money", _MONEY, _money, "an amount says its currency, such as 2500 EUR", "2500 EUR")
]
Memory = Annotated[
    str, *_unit("Memory", _MEMORY, str, "memory is a Kubernetes quantity, such as 512Mi", "512Mi")
]
Cpu = Annotated[
    str, *_unit("CPU", _CPU, str, 'CPU is a quoted Kubernetes quantity, such as "2" or 500m', "500m")
]
Digest = Annotated[
    str, *_unit("Digest", _DIGEST, str, "a digest is sha256: and 64 hexadecimal digits", "sha256:" + "0" * 64)
]
Date = Annotated[
    str, *_unit("Date", _DATE, str, "a date is written year-month-day, such as 2027-01-31", "2027-01-31")
]

Name = Annotated[
    str,
    *_unit(
        "Name",
        KEBAB,
        str,
        "a name is kebab-case, at most 40 characters, such as ticket-classifier",
        "recommender",
    ),
]
Key = Annotated[
    str,
    *_unit("Key", SNAKE, str, "a column, metric or event is named with letters, digits and _", "ndcg_at_10"),
]
Line = Annotated[
    str, *_unit("Line", LINE, str, "this is one line of printable text, 1 to 500 characters", "shop team")
]
RelativePath = Annotated[
    str,
    *_unit(
        "Path",
        r"^[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,99}(?:/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,99}){0,15}$",
        str,
        "a path stays below the repository's root and needs no quoting, such as reports/junit.xml",
        "reports/junit.xml",
    ),
]
Host = Annotated[
    str,
    *_unit(
        "Host",
        r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,10}$",
        str,
        "a host is a DNS name in lower case, at most 150 characters, such as models.example.com",
        "models.example.com",
        150,
    ),
]
Url = Annotated[
    str,
    *_unit(
        "URL",
        r"^https?://[A-Za-z0-9._~:/@%+=&?#-]{1,300}$",
        str,
        "an address starts with http:// or https://",
        "http://prometheus.monitoring:9090",
    ),
]
