"""Write strings, numbers and durations in PromQL."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPECIAL: Final = re.compile(r'["\\]|\{\{')
_UNITS: Final = ((3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms"))


@lru_cache(maxsize=4096)
def quote(value: str) -> str:
    r"""Write a string literal of any value.

    PromQL strings have Go's escapes (Prometheus, querying basics, "String literals"). Everything except printable ASCII
    is escaped too, so that the query survives YAML and a reader sees the exact value. `{{` becomes `{\x7b`: otherwise
    Argo Rollouts would read an argument in a user's text.

    Raises:
        ValueError: the value has a lone surrogate, which no label value can have.
    """
    if value.isascii() and value.isprintable() and not _SPECIAL.search(value):
        return f'"{value}"'
    return '"' + "".join(map(_escape, value)).replace("{{", "{\\x7b") + '"'


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character.isascii() and character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"a label value is UTF-8 and can't hold the lone surrogate U+{code:04X}")
    # A \x escape is one byte, so it is for ASCII only.
    return f"\\x{code:02x}" if code < 0x80 else f"\\U{code:08x}"


def quote_regex(value: str) -> str:
    """Write a pattern for `=~` that matches exactly this text (RE2, anchored by Prometheus)."""
    return "".join(f"\\{c}" if c in "\\.+*?()|[]{}^$" else c for c in value)


@lru_cache(maxsize=4096)
def number(value: float) -> str:
    """Write a number: the shortest decimal that reads back as the same float, without `.0` for whole numbers.

    Raises:
        ValueError: the value is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"a number in a query must be finite, not {value}")
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = format(Decimal(repr(float(value))), "f")
    return text if "." in text else f"{text}.0"  # an integer of the condition language has at most 63 bits


def operand(value: float) -> str:
    """Write a number as an operand: a negative one in parentheses, since its sign would read as an operator."""
    text = number(value)
    return f"({text})" if text.startswith("-") else text


@lru_cache(maxsize=4096)
def duration(seconds: float) -> str:
    """Write a duration in PromQL: a whole number of the largest unit that divides it, down to milliseconds.

    Raises:
        ValueError: it is not a positive whole number of milliseconds.
    """
    milliseconds = round(seconds * 1000)
    if milliseconds <= 0 or not math.isclose(milliseconds, seconds * 1000, rel_tol=1e-9):
        raise ValueError(f"{seconds} s is not a positive whole number of milliseconds")
    size, unit = next((size, unit) for size, unit in _UNITS if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"
