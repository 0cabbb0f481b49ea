"""Numbers as people read them: counts, shares, times, money and plurals print one way everywhere.

Rounding is conservative: power is rounded down; chances of harm, counts, times and money are rounded up. What people
write into a spec has the shorter forms of `generator.spec.units`.
"""

from __future__ import annotations

import math
import re

from generator.spec.units import duration

_NOISE = 1e-9  # what arithmetic in binary fractions may add


def count_up(count: float) -> str:
    """Format a count, rounded up: `31,383`."""
    return f"{math.ceil(count - _NOISE):,}"


def plural(count: int, noun: str) -> str:
    """Format a count with its noun: `1 model`, `3 models`."""
    return f"{count_up(count)} {noun}{'' if count == 1 else 's'}"


def share_down(share: float) -> str:
    """Format a share, rounded down, as for power: `82.7%`, `100%`."""
    return f"{math.floor(share * 1000 + _NOISE) / 10:g}%"


def share_up(share: float) -> str:
    """Format a share, rounded up, as for false rollbacks: `1.1%`, `5%`."""
    return f"{math.ceil(share * 1000 - _NOISE) / 10:g}%"


def change(ratio: float) -> str:
    """Format a relative change with its sign: `-10%`, `+100%`."""
    return f"{ratio * 100:+g}%"


def time_span(seconds: float) -> str:
    """Format a time, exact to the millisecond: `1h 40m`."""
    return re.sub(r"(?<=[a-z])(?=\d)", " ", duration(seconds))


def minutes_up(seconds: float) -> str:
    """Format a time, rounded up to minutes: `42m`, `1h 11m`."""
    return time_span(60 * math.ceil(seconds / 60 - _NOISE))


def money_up(amount: float | None, currency: str) -> str:
    """Format an amount of money, rounded up: `1,280 EUR`, `0.74 EUR`; `not priced` without prices."""
    if amount is None or not currency:
        return "not priced"
    digits = 0 if amount >= 10 else 2
    return f"{math.ceil(amount * 10**digits - _NOISE) / 10**digits:,.{digits}f} {currency}"
