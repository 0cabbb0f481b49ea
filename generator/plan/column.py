"""The columns of requests: what a value may be, how large it gets, and examples of it."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from typing import Any, Final, Literal

from generator.dataclass import dataclass

Scalar = str | int | float | bool
Json = Any
"""A value of JSON."""

ESCAPED: Final = 12
"""Bytes of the longest JSON form of a character: two escapes."""

PLAIN_VALUE: Final = 64
"""Bytes of a number, a date, a boolean or a null in JSON, with what separates it from the next value."""

MAX_FLOAT32: Final = 3.4028235e38
MAX_INT64: Final = 2**63 - 1

_DAYS: Final = ("2000-01-31", "2024-02-29")
_TEXTS: Final = ("example", "another example")
_WITH_NULL: Final = {"int64": "float64", "bool": "object"}
_DTYPES: Final = {
    "number": "float64",
    "integer": "int64",
    "boolean": "bool",
    "string": "str",
    "date": "datetime64[us]",
    "datetime": "datetime64[us]",
}
_ONES: Final = "/" * 86
_IMAGES: Final = {
    "png": "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAADElEQVR42mNgGB4AAADIAAGTvaWOAAAAAElFTkSuQmCC",
    "jpeg": f"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP{_ONES}2wBDAf{_ONES}wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAA"
    "AAAAAAAAP/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAAAP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AJgA/9k=",
    "gif": "R0lGODdhCAAIAIEAAAAAAAAAAAAAAAAAACwAAAAACAAIAAAIDwABCBxIsKDBgwgTKkwYEAA7",
    "webp": "UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoIAAgAD8D+JaQAA3AA/ua1AAA=",
}
"""Black images of 8 by 8 pixels, as base64."""

Kind = Literal[
    "string", "number", "integer", "boolean", "date", "datetime", "bytes", "image", "object", "json"
]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a request row, one field of an object, or one prediction.

    Args:
        name: JSON key of the value; any text, empty for a prediction.
        type: type of the value, or of the elements of an array or a list.
        values: the allowed values; None when all are.
        minimum: smallest number allowed; None for the smallest that every framework can hold.
        maximum: largest number allowed; None for the largest that every framework can hold.
        max_length: longest string allowed, in characters.
        shape: lengths of an array; empty for one value, or a list.
        items: fewest and most values of a list; None for one value, or an array.
        fields: values of an object.
        json_schema: JSON Schema of free JSON, as JSON text; empty for any JSON.
        zoned: a datetime has an offset; otherwise it has none.
        formats: formats of an image.
        max_bytes: largest image, bytes, or free JSON.
        nullable: the value may be null or left out.
        example: a real value for the warm-up; None for one that is made up.
        unit: unit of the value.
        description: what the value is.
    """

    name: str
    type: Kind
    values: tuple[Scalar, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int = 10_000
    shape: tuple[int, ...] = ()
    items: tuple[int, int] | None = None
    fields: tuple[Column, ...] = ()
    json_schema: str = ""
    zoned: bool = True
    formats: tuple[str, ...] = ()
    max_bytes: int = 2**20
    nullable: bool = False
    example: Json = None
    unit: str = ""
    description: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest number allowed.

        Undeclared bounds are those of a 32-bit float (number) and a 64-bit integer (integer): a JSON number
        beyond them would become an infinity or an overflow inside the model.
        """
        if self.type == "integer":
            low = -MAX_INT64 if self.minimum is None else max(-MAX_INT64, math.ceil(self.minimum))
            high = MAX_INT64 if self.maximum is None else min(MAX_INT64, math.floor(self.maximum))
            return low, high
        low_number = -MAX_FLOAT32 if self.minimum is None else float(self.minimum)
        high_number = MAX_FLOAT32 if self.maximum is None else float(self.maximum)
        return low_number, high_number

    @property
    def plain(self) -> bool:
        """Whether it is one number, boolean, text or date, which a table has in a column of that type."""
        return not self.shape and self.items is None and self.type in _DTYPES

    @property
    def size(self) -> int:
        """How many values an array, or a list at its longest, has."""
        return math.prod(self.shape) if self.items is None else self.items[1]

    @property
    def width(self) -> int:
        """How many columns of a matrix it fills."""
        return math.prod(self.shape)

    @property
    def max_bytes_of_one(self) -> int:
        """Bytes of the longest JSON form of the name and a value."""
        return ESCAPED * len(self.name) + self.size * (self._longest + PLAIN_VALUE)

    @property
    def _longest(self) -> int:
        """Bytes of the longest text of one value; numbers have none."""
        if self.type == "string":
            texts = [value for value in self.values or () if isinstance(value, str)]
            longest = max(map(len, texts), default=0) if self.values is not None else self.max_length
            return ESCAPED * longest
        if self.type in {"bytes", "image"}:
            return base64_length(self.max_bytes)
        if self.type == "json":
            return self.max_bytes
        return sum(field.max_bytes_of_one for field in self.fields)

    @property
    def dtype(self) -> str:
        """The dtype of the column in a table; pandas has null in floats, texts, dates and objects only."""
        found = _DTYPES[self.type] if self.plain else "object"
        return _WITH_NULL.get(found, found) if self.nullable else found

    def parts(self) -> Iterator[Column]:
        """Yield the value and all values in it."""
        yield self
        for field in self.fields:
            yield from field.parts()

    def examples(self) -> tuple[Json, Json]:
        """Return two allowed values for the warm-up, as far apart as the declaration allows."""
        if self.example is not None and not (self.type in {"integer", "number"} and self.plain):
            return self.example, self.example
        first, last = self._scalars()
        if self.items is not None:
            length = max(1, self.items[0])  # the same in all rows: a tensor has no gaps
            return [first] * length, [last] * length
        for length in reversed(self.shape):
            first, last = [first] * length, [last] * length
        return first, last

    def _scalars(self) -> tuple[Json, Json]:
        if self.values is not None:
            return self.values[0], self.values[-1]
        if self.type in {"integer", "number"}:
            return self._numbers()
        if self.type == "object":
            pairs = {field.name: field.examples() for field in self.fields}
            return {name: pair[0] for name, pair in pairs.items()}, {
                name: pair[1] for name, pair in pairs.items()
            }
        return self._texts()

    def _texts(self) -> tuple[Json, Json]:
        if self.type == "boolean":
            return False, True
        if self.type == "string":
            return _TEXTS[0][: self.max_length], _TEXTS[1][: self.max_length]
        if self.type == "date":
            return _DAYS
        if self.type == "datetime":
            zone = "Z" if self.zoned else ""
            return f"{_DAYS[0]}T00:00:00{zone}", f"{_DAYS[1]}T23:59:59.5{'+02:00' if self.zoned else ''}"
        if self.type == "bytes":
            return "", base64.b64encode(b"example"[: self.max_bytes]).decode()
        if self.type == "image":
            return _IMAGES[self.formats[0]], _IMAGES[self.formats[-1]]
        return {}, {}

    def _numbers(self) -> tuple[Scalar, Scalar]:
        low, high = self.bounds
        middle: Scalar = min(
            max(type(low)(0), low), high
        )  # of the type of the column: to some models 0 is not 0.0
        middle = middle if self.example is None else self.example
        return (middle if self.minimum is None else low), (middle if self.maximum is None else high)


def base64_length(count: int) -> int:
    """Return how many characters the base64 text of so many bytes has."""
    return 4 * -(-count // 3)
