"""Mappings that were written as one text: `weight:5%`, `LOG_LEVEL=debug`, `5% for 1h`, `accuracy >= 0.9`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

from generator.spec.mistakes.annotations import Target, annotation_of, fields

_BETWEEN: Final = re.compile(r"(?:(?<!\s)\s+)?(?:,|@|/|\bfor\b|\bat\b|\bthen\b)\s*|(?<!\s)\s+")


def mappings_in(record: type[BaseModel], value: Any) -> Iterator[dict[str, Any]]:
    """Yield the mappings of a record that a text may mean, the likeliest first."""
    for read in (_glued, _assigned, compared, values_in_turn):
        yield from read(record, value)


def _assigned(record: type[BaseModel], value: Any) -> Iterator[dict[str, Any]]:
    """Yield `LOG_LEVEL=debug` as a name and its value."""
    from generator.spec.mistakes.suggestions import repaired

    found = re.fullmatch(r"([\w.-]+)\s*=\s*(.+)", value) if isinstance(value, str) else None
    for name, inner in (("name", "value"), ("header", "exact")):
        if found and {name, inner} <= fields(record).keys():
            yield repaired(record, {name: found[1], inner: found[2]})


def compared(record: type[BaseModel], value: Any) -> Iterator[dict[str, Any]]:
    """Yield a comparison as a metric and its bound: `accuracy >= 0.9`, `error-rate < 1%`."""
    from generator.spec.mistakes.suggestions import repaired

    found = re.fullmatch(r"([\w.-]+)\s*([<>]=?|≤|≥)\s*(\S+)", value) if isinstance(value, str) else None
    known = fields(record)
    if found is None or "metric" not in known:
        return
    metric, sign, number = found.groups()
    bound = "atLeast" if sign[0] in ">≥" else "atMost"
    amount: Any = (
        float(number) if re.fullmatch(r"\d+\.\d+", number) else int(number) if number.isdecimal() else number
    )
    if bound in known and "name" in known:
        named = re.sub(r"[^a-z0-9]+", "-", metric.lower()).strip("-")
        yield repaired(record, {"name": named, "metric": metric, bound: amount})
    elif "limit" in known and bound == "atMost":
        yield repaired(record, {"metric": metric, "limit": amount})


def values_in_turn(record: type[BaseModel], value: Any) -> Iterator[dict[str, Any]]:
    """Yield a text of several values, each under the required key that it fits: `5% for 1h`."""
    from generator.spec.mistakes.suggestions import candidates, is_text

    required = {name: info for name, info in fields(record).items() if info.is_required()}
    words_of = _BETWEEN.split(value) if isinstance(value, str) else []
    if len(required) < 2 or len(words_of) != len(required):
        return
    out: dict[str, Any] = {}
    for word, (key, info) in zip(words_of, required.items(), strict=True):
        target = Target((key,), (), record, info, annotation_of(info))
        found = [] if is_text(target.annotation) else candidates(target, word)
        if not found:
            return
        out[key] = found[0].value
    yield out


def _glued(record: type[BaseModel], value: Any) -> Iterator[dict[str, Any]]:
    """Yield the intended mapping of a text such as `weight:5%`."""
    if not isinstance(value, str):
        return
    from generator.spec.mistakes.suggestions import repaired

    found: dict[str, Any] = {}
    spaced = re.fullmatch(r"([A-Za-z]\w*)\s+([^\s:]+)", value)
    text = f"{spaced[1]}:{spaced[2]}" if spaced else value
    for part in text.replace(",", " ").split():
        key, colon, rest = part.partition(":")
        if not colon or key not in fields(record) or not rest:
            return
        found[key] = int(rest) if rest.isdecimal() else rest
    yield repaired(record, found)


def unglued(record: type[BaseModel], value: Any) -> dict[str, Any] | None:
    """Return the intended mapping of a text such as `weight:5%`; None for other values."""
    return next(_glued(record, value), None)
