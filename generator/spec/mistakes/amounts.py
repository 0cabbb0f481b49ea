"""Repairs of amounts: numbers, shares, times, memory, CPU, money and dates, the likeliest first.

A repair function may be generous: a repair is shown only if the field accepts it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal, DecimalException
from typing import Final

from generator.dataclass import dataclass


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


NUMBER = r"[-+]?(?:\d+(?:[.,' _]\d+)*|[.,]\d+)(?:[eE][-+]?\d+)?"


NUMBER_WORDS: Final[dict[str, int | Decimal]] = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000, "dozen": 12,
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

_COMPARISON: Final = re.compile(
    r"^(?:at (?:least|most)|min(?:imum)?|max(?:imum)?|up to|about|approx(?:imately|\.)?|ca\.?|circa|around|roughly|"
    r"only|exactly|under|over|above|below|(?:no |not )?(?:less|more|fewer) than|every|each|for|within|after|[<>=~≈≤≥]+)"
    r"[\s:]*(?=[\d.<>=~])|"
    r"(?:(?<!\s)\s+)?(?:or (?:less|more|so)|at (?:most|least)|max(?:imum)?|min(?:imum)?|each|\+)\.?$",
    re.IGNORECASE,
)
_DIGITS = 16
_PLAUSIBLE_CORES = 64
_PLAUSIBLE_GIB = 64
LONGEST_TYPED: Final = 500
"""The longest value that gets a repair: typing mistakes are shorter, and some repairs take quadratic time."""


def without_comparison(text: str) -> str:
    """Return an amount without words around it: `at least 5000`, `max. 20m`, `5000 or more`."""
    before = ""
    while before != text:
        before, text = text, _COMPARISON.sub("", text.strip()).strip()
    return text


def number(text: str) -> Decimal | None:
    """Return the number in a text such as `0,5`, `1,000`, `1 000`, `10k`, `1/20`, `five`; None for no number."""
    text = text.strip().lower().lstrip("<>=~≈≤≥ ")
    if text in NUMBER_WORDS:
        return Decimal(NUMBER_WORDS[text])
    share = re.fullmatch(r"(\d{1,19})\s*/\s*(\d{1,19})", text)
    if share and int(share[2]):
        return (Decimal(share[1]) / Decimal(share[2])).quantize(Decimal("0.000001")).normalize()
    scale = {"k": 1000, "m": 1_000_000}.get(text[-1:], 1) if re.fullmatch(rf"{NUMBER}[km]", text) else 1
    text = text[:-1] if scale > 1 else text
    if not re.fullmatch(NUMBER, text):
        return None
    text = re.sub(r"[ _'](?=\d)", "", text)
    if re.fullmatch(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", text):
        text = text.replace(",", "")
    elif re.fullmatch(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+,\d+", text):
        text = text.replace(".", "").replace(",", ".")
    try:
        value = Decimal(text.replace(",", ".")) * scale
    except DecimalException:
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
    found = re.match(rf"[<>=~≈≤≥\s]*(\d+\s*/\s*\d+|{NUMBER}|[a-z]+)\s*(.*)$", typed.text.lower())
    value = number(found[1]) if found else None
    if found is None or value is None:
        return
    value, unit = abs(value), found[2]
    if unit in {"m", "ms", "s", "sec", "min"}:
        yield from _of_a_core(value, unit)
        return
    if unit.startswith(("‰", "per mill", "permill")):
        yield from _whole_or_not(value / 10, f"{plain(value)}‰ are {plain(value / 10)}%")
        return
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
    elif value < SMALL_FACTOR and value != value.to_integral_value():
        yield Repair(f"{plain(value * 100)}%", f"{plain(value)} as a factor")
        yield Repair(f"{plain(value)}%", "as percent")
    else:
        yield from _whole_or_not(value)


def _of_a_core(value: Decimal, unit: str) -> Repairs:
    """Yield the share of one core for an amount of CPU, which Kubernetes' autoscaler also accepts: 650m are 65%."""
    if unit == "m" and value >= _MILLICORES:
        yield from _whole_or_not(value / 10, f"{plain(value)}m of one core")


SMALL_FACTOR = 10
_MILLICORES = 50


def _whole_or_not(value: Decimal, reading: str = "") -> Repairs:
    """Yield a percentage, then the nearest whole ones, then the limits of the range."""
    yield Repair(f"{plain(value)}%", reading)
    if value != value.to_integral_value():
        low = int(value)
        nearest = (low, low + 1) if value - low < Decimal("0.5") else (low + 1, low)
        yield from (Repair(f"{whole}%", _nearest(reading)) for whole in nearest)
    elif value > 100:
        yield Repair("100%")
    elif value == 0:
        yield Repair("1%")


def _nearest(reading: str) -> str:
    """Return how a value was read of which only the nearest whole percentage is allowed."""
    return f"{reading}; the nearest allowed percentage" if "‰" in reading else ""


def loss(typed: Typed) -> Repairs:
    """Return repairs of a loss, relative or in points."""
    found = re.match(rf"({NUMBER})\s*(.*)$", typed.text.lower())
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


def memory(typed: Typed) -> Repairs:
    """Return repairs of a quantity of memory."""
    found = re.fullmatch(rf"({NUMBER})\s*([a-z]*)", typed.text.lower())
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
    found = re.fullmatch(rf"({NUMBER})\s*([a-z ]*)", typed.text.lower())
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
    amount = re.search(NUMBER, text)
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
    numbers = [int(word) for word in words if word.isdecimal()]
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
    found = re.match(rf"[<>=~≈≤≥\s]*({NUMBER}(?:[km](?![a-z]))?|[a-z]+)", text.strip().lower())
    return number(found[1]) if found else None


def _as_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
