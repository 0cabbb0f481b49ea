"""Repairs of amounts: numbers, shares, times, memory, CPU, money and dates, the likeliest first.

A repair function may be generous: a repair is shown only if the field accepts it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from generator.spec.units import duration


@dataclass(frozen=True, slots=True)
class Repair:
    """A possible intended value.

    Args:
        value: for the file.
        reading: how the typed value was interpreted, if there are several ways.
    """

    value: object
    reading: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """A value as it was typed.

    Args:
        text: without quotes and look-alike characters.
        usual: a typical value of this key.
    """

    text: str
    usual: str


Repairs = Iterator[Repair]


_NUMBER = r"[-+]?(?:\d+(?:[.,' _]\d+)*|[.,]\d+)(?:[eE][-+]?\d+)?"


_WORDS: Final[dict[str, int | Decimal]] = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100,
    "a": 1, "an": 1, "half": Decimal("0.5"),
}  # fmt: skip


_TIMES: Final = {
    "double": "100%",
    "doubled": "100%",
    "twice": "100%",
    "triple": "200%",
    "everything": "100%",
    "all": "100%",
}


_SECONDS: Final = {
    "ms": 0.001, "msec": 0.001, "msecs": 0.001, "milli": 0.001, "millis": 0.001, "millisecond": 0.001,
    "s": 1, "sec": 1, "secs": 1, "second": 1, "m": 60, "min": 60, "mins": 60, "minute": 60, "mn": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "d": 86400, "day": 86400,
    "w": 604800, "wk": 604800, "week": 604800, "mo": 2592000, "month": 2592000,
}  # fmt: skip


_MEGA: Final = {"k": 10, "m": 20, "g": 30, "t": 40}


_CURRENCIES: Final = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "¥": "JPY",
    "euro": "EUR",
    "euros": "EUR",
    "dollars": "USD",
    "dollar": "USD",
}


_DIGITS = 16
_PLAUSIBLE_SECONDS = 300


_PLAUSIBLE_CORES = 64


_PLAUSIBLE_GIB = 64


def number(text: str) -> Decimal | None:
    """Return the number in a text such as `0,5`, `1,000`, `1 000`, `10k`, `1/20`, `five`; None for no number."""
    text = text.strip().lower().lstrip("<>=~≈≤≥ ")
    if text in _WORDS:
        return Decimal(_WORDS[text])
    share = re.fullmatch(r"(\d+)\s*/\s*(\d+)", text)
    if share and int(share[2]):
        return (Decimal(share[1]) / Decimal(share[2])).quantize(Decimal("0.000001")).normalize()
    scale = {"k": 1000, "m": 1_000_000}.get(text[-1:], 1) if re.fullmatch(rf"{_NUMBER}[km]", text) else 1
    text = text[:-1] if scale > 1 else text
    if not re.fullmatch(_NUMBER, text):
        return None
    text = re.sub(r"[ _'](?=\d)", "", text)
    if re.fullmatch(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", text):
        text = text.replace(",", "")
    elif re.fullmatch(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+,\d+", text):
        text = text.replace(".", "").replace(",", ".")
    try:
        value = Decimal(text.replace(",", ".")) * scale
    except InvalidOperation:
        return None
    return value if abs(value.adjusted()) < _DIGITS else None


def plain(value: Decimal) -> str:
    """Return a number without an exponent and without zeros at its end."""
    text = format(value.normalize(), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(typed: Typed) -> Repairs:
    """Return repairs of a share or a relative change: `5%`, `0.5%`, `150%`."""
    if typed.text.lower() in _TIMES:
        yield Repair(_TIMES[typed.text.lower()])
        return
    found = re.match(rf"[<>=~≈≤≥\s]*(\d+\s*/\s*\d+|{_NUMBER}|[a-z]+)\s*(.*)$", typed.text.lower())
    value = number(found[1]) if found else None
    if found is None or value is None:
        return
    value, unit = abs(value), found[2]
    if unit in {"ms", "s", "sec", "min"}:
        return
    if unit.startswith(("‰", "per mill", "permill")):
        value, unit = value / 10, "%"
    if unit in {"x", "times", "fold"} and value > 1:
        yield Repair(f"{plain((value - 1) * 100)}%", f"{plain(value)} times as much")
        return
    if unit:
        yield from _whole_or_not(value)
        return
    if 0 < value < 1:
        yield from _whole_or_not(value * 100, f"{plain(value)} as a fraction")
        yield Repair(f"{plain(value)}%", "as percent")
    elif value == 1:
        yield Repair("1%", "as percent")
        yield Repair("100%", "1 as a fraction: everything")
    elif value < _SMALL_FACTOR and value != value.to_integral_value():
        yield Repair(f"{plain(value * 100)}%", f"{plain(value)} as a factor")
        yield Repair(f"{plain(value)}%", "as percent")
    else:
        yield from _whole_or_not(value)


_SMALL_FACTOR = 10


def _whole_or_not(value: Decimal, reading: str = "") -> Repairs:
    """Yield a percentage, then the nearest whole ones, then the limits of the range."""
    yield Repair(f"{plain(value)}%", reading)
    if value != value.to_integral_value():
        low = int(value)
        nearest = (low, low + 1) if value - low < Decimal("0.5") else (low + 1, low)
        yield from (Repair(f"{whole}%") for whole in nearest)
    elif value > 100:
        yield Repair("100%")
    elif value == 0:
        yield Repair("1%")


def loss(typed: Typed) -> Repairs:
    """Return repairs of a loss, relative or in points."""
    found = re.match(rf"({_NUMBER})\s*(.*)$", typed.text.lower())
    value = number(found[1]) if found else None
    if found is None or value is None:
        return
    value, unit = abs(value), found[2].strip()
    if unit.startswith(("pp", "p.p", "percentage point", "point", "pt", "%p")):
        yield Repair(f"{plain(value)}pp")
        return
    if unit:
        yield Repair(f"{plain(value)}%")
        return
    scaled = value * 100 if value < 1 else value
    yield Repair(f"{plain(scaled)}pp", "percentage points")
    yield Repair(f"{plain(scaled)}%", "relative to the champion")


def time(typed: Typed) -> Repairs:
    """Return repairs of a time: `1 hour`, `60min`, `PT1H`, `1,5h`, `90`."""
    text = typed.text.lower().replace("µ", "u").strip().lstrip("~<>=+- ")
    iso = re.fullmatch(r"p(?:(\d+)w)?(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)?", text)
    if iso and any(iso.groups()):
        amounts = [int(part or 0) for part in iso.groups()]
        yield from _seconds(
            sum(n * size for n, size in zip(amounts, (604800, 86400, 3600, 60, 1), strict=True))
        )
        return
    span = re.fullmatch(r"(\d+)\s*[a-z]*\s*(?:-|to)\s*\d+\s*([a-z]+)", text)
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
    parts = re.findall(rf"({_NUMBER}|\b(?:{'|'.join(_WORDS)})\b)\s*([a-z]*)", text)
    if not parts or re.sub(rf"({_NUMBER}|[a-z]+|[\s,&])", "", text):
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
    elif unit == "s" and value >= _PLAUSIBLE_SECONDS * 2 and value % 100 == 0:
        yield Repair(duration(float(value) / 1000), f"{plain(value)} milliseconds")
        yield Repair(duration(float(value)), "in seconds")
    elif unit == "ms" and value < 1:
        yield Repair(duration(float(value)), f"{plain(value)} seconds")
    elif unit == "ms" and value < _SMALL_FACTOR:
        yield Repair(f"{plain(value)}s", "in seconds")
        yield Repair(first.value, "in milliseconds")
    else:
        yield first
        if unit == "m":
            yield Repair(f"{plain(value)}s", "in seconds")
    yield from _seconds(float(value) * _SECONDS[unit])


def days(typed: Typed) -> Repairs:
    """Return repairs of an age in days."""
    for repair in time(typed):
        seconds = sum(int(n) * _SECONDS[u] for n, u in re.findall(r"(\d+)(ms|s|m|h|d)", str(repair.value)))
        if seconds >= _SECONDS["d"]:
            yield Repair(f"{round(seconds / _SECONDS['d'])}d")


def memory(typed: Typed) -> Repairs:
    """Return repairs of a quantity of memory."""
    found = re.fullmatch(rf"({_NUMBER})\s*([a-z]*)", typed.text.lower())
    value = number(found[1]) if found else None
    if found is None or value is None or value <= 0:
        return
    unit = found[2]
    if unit in {"", "b", "byte", "bytes"}:
        yield from _bare_memory(value, bare=not unit)
        return
    power = _MEGA.get(unit[0])
    if power is not None:
        yield from _binary(value, power)


def _binary(value: Decimal, power: int) -> Repairs:
    """Yield an amount of Ki, Mi, Gi or Ti as a whole number, in a smaller unit if necessary."""
    names = {10: "Ki", 20: "Mi", 30: "Gi", 40: "Ti"}
    while value != value.to_integral_value() and power > 10:
        value, power = value * 1024, power - 10
    yield Repair(f"{plain(value.to_integral_value())}{names[power]}")


def _bare_memory(value: Decimal, *, bare: bool) -> Repairs:
    if value >= 2**20:
        power = 30 if value % 2**30 == 0 else 20
        yield from _binary((value / 2**power).quantize(Decimal("0.01")).to_integral_value(), power)
    elif bare and value < _PLAUSIBLE_GIB:
        yield from _binary(value, 30)
        yield from (Repair(one.value, "MiB") for one in _binary(value, 20))
    elif bare:
        yield from _binary(value, 20)


def cpu(typed: Typed) -> Repairs:
    """Return repairs of a quantity of CPU."""
    found = re.fullmatch(rf"({_NUMBER})\s*([a-z ]*)", typed.text.lower())
    value = number(found[1]) if found else None
    if found is None or value is None or value <= 0:
        return
    if found[2].startswith("m") or (not found[2] and value >= _PLAUSIBLE_CORES):
        yield Repair(f"{plain(value.to_integral_value())}m")
    elif value == value.to_integral_value():
        yield Repair(plain(value))
    else:
        yield Repair(f"{plain((value * 1000).to_integral_value())}m")


def money(typed: Typed) -> Repairs:
    """Return repairs of an amount of money."""
    text = typed.text.lower()
    amount = re.search(_NUMBER, text)
    value = number(amount[0]) if amount else None
    if amount is None or value is None:
        return
    rest = (text[: amount.start()] + text[amount.end() :]).strip(" /.")
    word = rest.split(" ")[0].split("/")[0]
    code = _CURRENCIES.get(word) or (word.upper() if re.fullmatch(r"[a-z]{3}", word) else "")
    thousands = 1000 if word == "k" else 1
    yield Repair(f"{plain(abs(value) * thousands)} {code or typed.usual.split(' ')[-1]}")


def date(typed: Typed) -> Repairs:
    """Return repairs of a date; if it is ambiguous, the European reading first."""
    text = re.sub(r"[tT ]\d{1,2}:.*$", "", typed.text).strip()
    compact = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text)
    first = re.fullmatch(r"(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})", text) or compact
    last = re.fullmatch(r"(\d{1,2})[-/. ]+(\d{1,2})[-/. ]+(\d{4})", text)
    if first:
        year, month, day = map(int, first.groups())
        yield from _day(year, month, day)
        yield from (Repair(f"{year:04}-{month:02}-{last_day:02}") for last_day in range(min(day, 31), 27, -1))
    elif last:
        one, two, year = map(int, last.groups())
        both = one <= 12 and two <= 12 and one != two
        yield from _day(year, two, one, "day first" if both else "")
        yield from _day(year, one, two, "month first" if both else "")
    else:
        yield from _named_month(text)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _named_month(text: str) -> Repairs:
    words = re.findall(r"[a-z]+|\d+", text.lower())
    month = next((_MONTHS.index(word[:3]) + 1 for word in words if word[:3] in _MONTHS), 0)
    numbers = [int(word) for word in words if word.isdigit()]
    if month and len(numbers) == 2:
        yield from _day(max(numbers), month, min(numbers))


def _day(year: int, month: int, day: int, reading: str = "") -> Repairs:
    try:
        yield Repair(dt.date(year, month, day).isoformat(), reading)
    except ValueError:
        return


def integer(typed: Typed) -> Repairs:
    """Return repairs of a whole number."""
    value = _first_number(typed.text)
    if value is not None and value == value.to_integral_value():
        yield Repair(int(value))
    elif value is not None:
        yield from (Repair(whole) for whole in (round(value), int(value) + 1))


def decimal(typed: Typed) -> Repairs:
    """Return repairs of a number; of a percentage, the fraction too."""
    value = _first_number(typed.text)
    if value is None:
        return
    if "%" in typed.text:
        yield Repair(_as_number(value / 100), f"{plain(value)}% as a fraction")
    yield Repair(_as_number(value))


def _first_number(text: str) -> Decimal | None:
    """Return the number at the beginning of a text; None for no number."""
    whole = number(text)
    if whole is not None:
        return whole
    found = re.match(rf"[<>=~≈≤≥\s]*({_NUMBER}[km]?|[a-z]+)(?![A-Za-z])", text.strip().lower())
    return number(found[1]) if found else None


def _as_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
