"""Whether a difference makes a release safer or less safe: bad news is red and good news is green by direction."""

from __future__ import annotations

import re
from typing import Final, Literal

from generator.plan.changes import Change

Direction = Literal["better", "worse", ""]

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

# Checks: one that is added makes a release safer, one that is removed less safe.
_CHECKS: Final = {"guard", "gate", "step", "shadow"}
# The sign of a change for the worse, by topic and field; a limit that is removed is always worse.
_LOOSER: Final = {
    ("release", "power"): -1,
    ("release", "max exposed"): 1,
    ("release", "watch"): -1,
    ("step", "hold"): -1,
    ("step", "weight"): 1,
    ("shadow", "hold"): -1,
    ("shadow", "percent"): -1,
    ("gate", "at least"): -1,
    ("gate", "at most"): 1,
    ("gate", "no worse by"): 1,
    ("gate", "min group"): -1,
    ("gate", "rows"): -1,
}
_APPROVALS: Final = {("release", "approve"), ("step", "approval")}
_NO_DATA: Final = ("pass", "pause", "fail")  # from loose to strict
_NUMBER: Final = re.compile(r"(-?[\d.,]+)\s*(%|pp|ms|[smhd]|[KMGT]i)?")
_UNITS: Final = {
    "%": 0.01, "pp": 0.01, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip


def of_change(change: Change) -> Direction:
    """Return the direction of a change; empty where it is neither safer nor less safe."""
    if change.field in {"", "waiver"} and (change.old is None or change.new is None):
        added = change.old is None
        if change.topic not in _CHECKS:
            return ""
        return "better" if added != (change.field == "waiver") else "worse"
    if (change.topic, change.field) in _APPROVALS:
        return "worse" if change.new is None else "better" if change.old is None else ""
    if change.field == "no data":
        return _ordered(change.old, change.new)
    if change.topic == "guard" and change.field == "threshold":
        return _of_threshold(change.old or "", change.new or "")
    sign = _LOOSER.get((change.topic, change.field))
    if sign is None:
        return ""
    if change.old is None or change.new is None:
        return "worse" if change.new is None else "better"
    return of_values(amount(change.old), amount(change.new), sign)


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


def _of_threshold(old: str, new: str) -> Direction:
    """A larger change that may pass is looser, and so is a larger upper or a smaller lower bound."""
    (was, before), (kind, now) = _threshold(old), _threshold(new)
    return of_values(before, now, -1 if kind == "at least" else 1) if was == kind else ""


def _threshold(text: str) -> tuple[str, float | None]:
    found = re.fullmatch(r"(drop of|rise of|at most|at least) (.*)", text)
    return (found[1], amount(found[2])) if found else ("", None)


def _ordered(old: str | None, new: str | None) -> Direction:
    if old not in _NO_DATA or new not in _NO_DATA:
        return ""
    return of_values(_NO_DATA.index(old), _NO_DATA.index(new), -1)
