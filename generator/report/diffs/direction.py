"""Whether a change makes a release looser or stricter, and its numbers better or worse; colors show this."""

from __future__ import annotations

import re
from typing import Final, Literal

from generator.plan.changes import Change

Direction = Literal["better", "worse", ""]
Strictness = Literal["looser", "stricter", ""]

METRICS: Final = {
    "power": ("power", -1),
    "power_first_step": ("caught in the first step", -1),
    "false_rollback": ("false rollback, at most", 1),
    "exposed": ("requests exposed if bad", 1),
    "planned_s": ("planned time", 1),
    "pods_peak": ("pods at most", 1),
    "monthly": ("cost a month", 1),
}
"""Key metrics with their names for people, and the sign of a change for the worse."""

# Checks: one that is added makes a release stricter, one that is removed looser.
_CHECKS: Final = {"guard", "gate", "step", "shadow"}
# The sign of a looser value, by topic and field; a limit that is removed is always looser.
_LOOSER: Final = {
    ("release", "power"): -1,
    ("release", "max exposed"): 1,
    ("release", "watch"): -1,
    ("step", "hold"): -1,
    ("step", "weight"): 1,
    ("step", "requests"): -1,
    ("shadow", "hold"): -1,
    ("shadow", "percent"): -1,
    ("guard", "bound"): 1,
    ("gate", "at least"): -1,
    ("gate", "at most"): 1,
    ("gate", "no worse by"): 1,
    ("gate", "min group"): 1,
    ("gate", "alpha"): -1,
    ("gate", "rows"): -1,
}
# Lists of what is required or measured: a shorter one is looser.
_LISTS: Final = {
    ("guard", "attributes"), ("gate", "groups"), ("gate", "sensitive"), ("gate", "drift"), ("gate", "explain"),
    ("gate", "data"), ("gate", "evidence asked in"), ("gate", "against"), ("delivery", "requires"),
    ("delivery", "watch"), ("delivery", "guaranteed"), ("metrics", "alerts"),
}  # fmt: skip
_APPROVALS: Final = {("release", "approve"), ("step", "approval")}
# Values of a choice, from loose to strict.
_CHOICES: Final = {
    "no data": ("pass", "pause", "fail"),
    "strategy": ("blue-green", "canary"),
    "callers": ("public", "internal"),
}
_ASSUMPTIONS: Final = {
    ("guard", "baseline"), ("guard", "delay"), ("release", "min rps"), ("release", "design effect"),
}  # fmt: skip
_NUMBER: Final = re.compile(r"(-?[\d.,]+)\s*(%|pp|ms|[smhd]|[KMGT]i)?")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_UNITS: Final = {
    "%": 0.01, "pp": 0.01, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip


def of_change(change: Change) -> Strictness:
    """Return whether a change is looser or stricter; empty where it is neither."""
    key = (change.topic, change.field)
    if change.field == "waiver":
        return _of_waiver(change.old, change.new)
    if not change.field and (change.old is None or change.new is None):
        if change.topic not in _CHECKS:
            return ""
        return "stricter" if change.old is None else "looser"
    if key in _APPROVALS:
        return "looser" if change.new is None else "stricter" if change.old is None else ""
    if change.field in _CHOICES:
        return _ordered(_CHOICES[change.field], change.old, change.new)
    if key == ("guard", "threshold"):
        return _of_threshold(change.old or "", change.new or "")
    if key in _LISTS:
        return _of_list(change.old, change.new)
    sign = _LOOSER.get(key)
    if sign is None:
        return ""
    if change.old is None or change.new is None:
        return "looser" if change.new is None else "stricter"
    return strictness(amount(change.old), amount(change.new), sign)


def is_assumption(change: Change) -> bool:
    """Return whether a value is an assumption of the odds, not a rule of the release."""
    return (change.topic, change.field) in _ASSUMPTIONS


def _of_waiver(old: str | None, new: str | None) -> Strictness:
    """Return looser for a new or a longer waiver, and stricter for a removed or a shorter one."""
    if old is None or new is None:
        return "stricter" if new is None else "looser"
    was, now = _DATE.search(old), _DATE.search(new)
    if not was or not now or was[0] == now[0]:
        return ""
    return "looser" if now[0] > was[0] else "stricter"


def _of_list(old: str | None, new: str | None) -> Strictness:
    was, now = (set(re.split(r", | and ", text)) if text else set[str]() for text in (old, new))
    if was < now or now < was:
        return "stricter" if was < now else "looser"
    return ""


def of_values(old: float | None, new: float | None, worse: int) -> Direction:
    """Return the direction of a number.

    Args:
        old: the number before; None where it is not known.
        new: the number now.
        worse: sign of a change for the worse.
    """
    if old is None or new is None or old == new:
        return ""
    return "worse" if (new - old) * worse > 0 else "better"


def strictness(old: float | None, new: float | None, looser: int) -> Strictness:
    """Return whether a number is looser or stricter than before; `looser` is the sign of a looser one."""
    if old is None or new is None or old == new:
        return ""
    return "looser" if (new - old) * looser > 0 else "stricter"


def amount(text: str) -> float | None:
    """Return the number that a text starts with, in basic units: shares, seconds, bytes; None without one."""
    parts = _NUMBER.findall(text)
    if not parts or not _NUMBER.match(text):
        return None
    times = [(number, unit) for number, unit in parts if unit in {"ms", "s", "m", "h", "d"}]
    chosen = times if len(times) == len(parts) else parts[:1]
    try:
        return sum(float(number.replace(",", "")) * _UNITS.get(unit, 1.0) for number, unit in chosen)
    except ValueError:
        return None


def _of_threshold(old: str, new: str) -> Strictness:
    """A larger change that may pass is looser, and so is a larger upper or a smaller lower bound."""
    (was, before), (kind, now) = _threshold(old), _threshold(new)
    return strictness(before, now, -1 if kind == "at least" else 1) if was == kind else ""


def _threshold(text: str) -> tuple[str, float | None]:
    found = re.fullmatch(r"(drop of|rise of|at most|at least) (.*)", text)
    return (found[1], amount(found[2])) if found else ("", None)


def _ordered(values: tuple[str, ...], old: str | None, new: str | None) -> Strictness:
    """Return the direction of a choice whose values are ordered from loose to strict."""
    if old not in values or new not in values:
        return ""
    return strictness(values.index(old), values.index(new), -1)
