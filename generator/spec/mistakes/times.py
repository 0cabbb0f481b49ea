"""Repairs of times: `1 hour`, `PT1H`, `1:30`, `half an hour`, numbers without a unit."""

from __future__ import annotations

import re
from typing import Final

from generator.spec.mistakes.amounts import (
    NUMBER,
    NUMBER_WORDS,
    SMALL_FACTOR,
    Repair,
    Repairs,
    Typed,
    number,
    plain,
)
from generator.spec.units import duration

_SECONDS: Final = {
    "ms": 0.001, "msec": 0.001, "msecs": 0.001, "milli": 0.001, "millis": 0.001, "millisecond": 0.001,
    "s": 1, "sec": 1, "secs": 1, "second": 1, "m": 60, "min": 60, "mins": 60, "minute": 60, "mn": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "d": 86400, "day": 86400,
    "w": 604800, "wk": 604800, "week": 604800, "mo": 2592000, "month": 2592000,
}  # fmt: skip
_PHRASES: Final = {
    "overnight": ("12h", "overnight as 12 hours"), "a night": ("12h", "a night as 12 hours"),
    "nightly": ("1d", ""), "daily": ("1d", ""), "all day": ("1d", ""), "hourly": ("1h", ""), "weekly": ("7d", ""),
    "instant": ("0s", ""), "instantly": ("0s", ""), "immediately": ("0s", ""), "immediate": ("0s", ""),
    "fortnight": ("14d", ""), "weekend": ("2d", ""), "monthly": ("30d", ""), "business day": ("8h", "a working day"),
    "working day": ("8h", "a working day"), "workday": ("8h", "a working day"),
}  # fmt: skip
"""Times in words."""
_PLAUSIBLE_SECONDS = 300
_MILLISECONDS = 100
"""From here on a bare number of a time in seconds was probably meant as milliseconds."""


def time(typed: Typed) -> Repairs:
    """Return repairs of a time: `1 hour`, `60min`, `PT1H`, `1,5h`, `90`."""
    text = typed.text.lower().replace("µ", "u").strip().lstrip("~<>=+- ").rstrip(". ")
    words = re.sub(r"^(?:an?|one|the|during) ", "", text)
    phrase = _PHRASES.get(words) or _PHRASES.get(text) or _PHRASES.get(re.sub(r"[ -]", "", text))
    if phrase:
        yield Repair(*phrase)
        return
    text = _with_fractions(text)
    iso = re.fullmatch(r"p(?:(\d+)w)?(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)?", text)
    if iso and any(iso.groups()):
        amounts = [int(part or 0) for part in iso.groups()]
        yield from _seconds(
            sum(n * size for n, size in zip(amounts, (604800, 86400, 3600, 60, 1), strict=True))
        )
        return
    span = re.fullmatch(r"(\d+)\s*(?:[a-z]+\s*)?(?:-|to)\s*\d+\s*([a-z]+)", text)
    if span and _unit(span[2]):
        yield from _seconds(int(span[1]) * _SECONDS[_unit(span[2])])
        return
    clock = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text)
    if clock:
        first, second, third = int(clock[1]), int(clock[2]), int(clock[3] or 0)
        yield from _seconds(first * 3600 + second * 60 + third, "" if clock[3] else "as hours and minutes")
        if not clock[3]:
            yield from _seconds(first * 60 + second, "as minutes and seconds")
        return
    parts = re.findall(rf"({NUMBER}|\b(?:{'|'.join(NUMBER_WORDS)})\b)\s*([a-z]*)", text)
    if not parts or re.sub(rf"({NUMBER}|[a-z]+|[\s,&])", "", text):
        return
    bare = [amount for amount, unit in parts if not unit]
    if len(parts) == 1 and bare:
        yield from _without_unit(bare[0], typed.usual)
        return
    total, smaller = 0.0, {"h": "m", "m": "s", "d": "h"}
    before = ""
    for amount, word in parts:
        unit = _unit(word) or smaller.get(before, "")
        value = number(amount)
        if value is None or not unit:
            return
        total += float(value) * _SECONDS[unit]
        before = unit
    yield from _seconds(total)


def _with_fractions(text: str) -> str:
    """Return a time in words with its fractions as numbers: `half an hour`, `an hour and a half`."""
    text = re.sub(r"\b(?:an?|one) (\w+) and a half\b", r"1.5 \1", text)
    text = re.sub(
        r"\b(\d+|an?|one) and a half\b", lambda found: f"{found[1] if found[1].isdigit() else 1}.5", text
    )
    text = re.sub(r"\b(?:a )?half(?: of)?(?: an?)?\b", "0.5", text)
    text = re.sub(r"\bthree quarters of an?\b", "0.75", text)
    text = re.sub(r"\b(?:a )?quarter(?: of)?(?: an?)?\b", "0.25", text)
    return re.sub(r"\ba couple of\b", "2", text)


def _unit(word: str) -> str:
    """Return the short form of a unit of time; empty for other words."""
    word = word if word in _SECONDS else word.removesuffix("s")
    size = _SECONDS.get(word)
    return next((short for short in ("ms", "s", "m", "h", "d", "w", "mo") if _SECONDS[short] == size), "")


def _seconds(total: float, reading: str = "") -> Repairs:
    yield Repair(duration(total), reading)
    if total > 0:
        yield from (Repair(bound) for bound in ("30d", "7d", "1h", "5m") if _in_seconds(bound) < total)
        yield from (Repair(bound) for bound in ("1m", "1s", "10ms", "1ms") if _in_seconds(bound) > total)


def _in_seconds(text: str) -> float:
    unit = text.lstrip("0123456789")
    return int(text.removesuffix(unit)) * _SECONDS[unit]


def _without_unit(amount: str, usual: str) -> Repairs:
    """Yield a number with the usual unit of this key, then with seconds or milliseconds."""
    value = number(amount)
    if value is None:
        return
    value = abs(value)
    unit = re.sub(r"[\d.]", "", usual) or "s"
    first = Repair(f"{plain(value)}{unit}")
    if unit == "m" and value >= _PLAUSIBLE_SECONDS and value % 60 == 0:
        yield Repair(duration(float(value)), f"{plain(value)} seconds")
        yield Repair(first.value, "in minutes")
    elif unit == "s" and value >= _MILLISECONDS and (value % 1000 == 0 or value % 60):
        yield Repair(duration(float(value) / 1000), f"{plain(value)} milliseconds")
        yield Repair(duration(float(value)), "in seconds")
    elif unit == "ms" and value < 1:
        yield Repair(duration(float(value)), f"{plain(value)} seconds")
    elif unit == "ms" and value < SMALL_FACTOR:
        yield Repair(f"{plain(value)}s", "in seconds")
        yield Repair(first.value, "in milliseconds")
    else:
        yield first
        if unit == "m":
            yield Repair(f"{plain(value)}s", "in seconds")
        elif unit == "s" and value >= _MILLISECONDS:
            yield Repair(duration(float(value) / 1000), "in milliseconds")
    yield from _seconds(float(value) * _SECONDS[unit])


def days(typed: Typed) -> Repairs:
    """Return repairs of an age in days."""
    for repair in time(typed):
        seconds = sum(
            int(n) * _SECONDS[u] for n, u in re.findall(r"(?<!\d)(\d+)(ms|s|m|h|d)", str(repair.value))
        )
        if seconds >= _SECONDS["d"]:
            yield Repair(f"{round(seconds / _SECONDS['d'])}d")
