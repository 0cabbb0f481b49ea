"""The controller's versions, and how its Go code reads values: durations, int-or-string, percentages, names."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

ControllerVersion: TypeAlias = Literal["1.8", "1.9", "1.10"]

Controller: TypeAlias = ControllerVersion | Literal["any"]
"""The version that must accept a tree, or `any` for every known one."""

VERSIONS: Final[tuple[ControllerVersion, ...]] = ("1.8", "1.9", "1.10")
NEWEST: Final[ControllerVersion] = VERSIONS[-1]
OLD_CONDITIONS: Final[frozenset[ControllerVersion]] = frozenset({"1.8", "1.9"})
"""Versions whose conditions are read by antonmedv/expr 1.15; later ones use expr-lang/expr 1.17."""

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART = re.compile(r"(?<!\d)(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:[.+-]|$)")
_LONGEST_S = 2**63 / 1e9
"""What a Go duration can hold, in seconds."""
_INT32 = re.compile(r"[+-]?[0-9]{1,18}")
_PERCENT = re.compile(r"[0-9]{1,18}%")
_LABEL_PART = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS_PART = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBSTITUTION = re.compile(r"\{\{(?:(?!\{\{|\}\}).)*\}\}")


def supported(version: str) -> ControllerVersion | None:
    """Return the known version nearest to a published one such as `v1.8.3`; None for text that is not a version."""
    found = _VERSION.match(version)
    if found is None:
        return None
    minor = (int(found[1]), int(found[2]))
    numbers = [(tuple(map(int, known.split("."))), known) for known in VERSIONS]
    return next((known for number, known in reversed(numbers) if number <= minor), VERSIONS[0])


def go_duration(text: str) -> float | None:
    """Return the seconds of a Go duration such as `90s` or `1h30m` (time.ParseDuration), None when it is invalid.

    Go has no unit for days, and accepts no number without a unit except 0.
    """
    sign = -1.0 if text.startswith("-") else 1.0
    body = text[1:] if text[:1] in {"-", "+"} else text
    if body == "0":
        return 0.0
    parts = _DURATION_PART.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        return None
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return sign * total if total < _LONGEST_S else None


def pause_seconds(duration: object) -> int:
    """Return the seconds of a pause (an integer, digits or a Go duration), -1 for anything else (DurationSeconds)."""
    if isinstance(duration, int):
        return duration
    if not isinstance(duration, str):
        return 0
    if _INT32.fullmatch(duration) and -(2**31) <= int(duration) < 2**31:
        return int(duration)
    seconds = go_duration(duration)
    return -1 if seconds is None else int(seconds)


def int_value(value: object) -> int:
    """Return the number of an int-or-string field; a string that is not a number is 0 (intstr.IntValue)."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and _INT32.fullmatch(value) else 0


def int_or_percent(value: object) -> int:
    """Return the number of an int-or-percent field; an invalid value is 0 (validation.go getIntOrPercentValue)."""
    if isinstance(value, str) and _PERCENT.fullmatch(value):
        return int(value[:-1])
    return int_value(value)


def is_templated(value: object) -> bool:
    """Return whether a value still has a `{{placeholder}}` that only an AnalysisRun can fill."""
    return isinstance(value, str) and bool(_SUBSTITUTION.search(value))


def is_label_value(text: str) -> bool:
    """Return whether a text is a valid label value."""
    return text == "" or bool(_LABEL_PART.fullmatch(text))


def is_qualified_name(text: str) -> bool:
    """Return whether a text is a valid label key: `name` or `dns.sub.domain/name`."""
    prefix, slash, name = text.rpartition("/")
    if slash and not is_dns_subdomain(prefix):
        return False
    return bool(_LABEL_PART.fullmatch(name))


def is_dns_label(text: str) -> bool:
    """Return whether a text is a valid name of a container or a volume (RFC 1123, at most 63 characters)."""
    return bool(_DNS_LABEL.fullmatch(text))


def is_dns_subdomain(text: str) -> bool:
    """Return whether a text is a valid object name (RFC 1123 subdomain, at most 253 characters)."""
    return 0 < len(text) <= 253 and all(_DNS_PART.fullmatch(part) for part in text.split("."))
