"""Formats validated values as text for specs: the inverse of `generator.spec.types`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from generator.spec.parsing import Unit

_STEPS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def unit_of(metadata: Iterable[object]) -> str:
    """Return the name of the unit of an annotation, such as `Duration`; empty when it has none."""
    return next((item.name for item in metadata if isinstance(item, Unit)), "")


def item_unit(annotation: Any) -> str:
    """Return the name of the unit of a list's items."""
    inner = get_args(annotation)
    return unit_of(getattr(inner[0], "__metadata__", ())) if inner else ""


def format_value(value: Any, unit: str) -> Any:
    """Return a validated value as text for a spec; a value without a unit stays as it is."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if unit in {"Duration", "Hold", "Timeout", "Interval", "Refresh"}:
            return duration(value)
        if unit in {"Percent", "Effect", "Use"}:
            return percent(value)
        if unit == "Weight":
            return f"{value}%"
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def duration(seconds: float) -> str:
    """Return a duration such as `1h30m`, exact to the millisecond."""
    rest, out = round(seconds * 1000), ""
    for unit, size in _STEPS:
        count, rest = divmod(rest, size)
        out += f"{count}{unit}" if count else ""
    return out or "0s"


def percent(share: float) -> str:
    """Return a share such as `0.5%`, with at most six decimals."""
    return f"{100 * share:.6f}".rstrip("0").rstrip(".") + "%"


def byte_size(count: float) -> str:
    """Return bytes as a Kubernetes quantity such as `512Mi`, with the largest unit that divides them."""
    for power, suffix in ((40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")):
        if count and count % 2**power == 0:
            return f"{count / 2**power:g}{suffix}"
    return f"{count:g}"
