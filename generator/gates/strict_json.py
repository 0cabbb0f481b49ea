"""Reads JSON from others so that it has one meaning: no repeated keys, and no numbers that are not finite."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON document in UTF-8.

    Raises:
        ValueError: it is not valid JSON, a key occurs twice, a number is not finite, or its nesting is too deep.
    """
    decoded = text if isinstance(text, str) else text.decode("utf-8")
    try:
        return json.loads(
            decoded,
            object_pairs_hook=_distinct,
            parse_constant=_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError as error:
        raise ValueError("its nesting is too deep") from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {json.dumps(twice[:50])} occurs twice")
    return out


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _whole(text: str) -> int:
    value = int(text)
    try:
        float(value)
    except OverflowError as error:
        raise ValueError("a number is too large") from error
    return value
