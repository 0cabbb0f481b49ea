"""Whether a change makes a release looser or stricter, and its numbers better or worse; colors show this."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

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
# Of the platform's rules: keys whose smaller values are looser; of all other ceilings the larger ones are.
_FLOORS: Final = {"power", "shortestHold", "atLeast", "alpha", "features", "soak", "minPower"}
# What a record must show, from strict to loose.
_VERDICTS: Final = ("passed", "weak", "any")
# Lists whose longer forms are looser: they allow, while the others require.
_ALLOWANCES: Final = {"noData", "tiers", "waivers", "hotFixes"}
_LISTED: Final = {"approvals", "evidence", "gates", "guards", "models", "noData", "sensitive"}
# Fields of objects in a cluster, and the sign of a looser number.
_LIVE_STEP: Final = re.compile(r"(weight|hold) at steps\[\d+\]")
_LIVE: Final = {
    "weight": 1,
    "hold": -1,
    "failureLimit": 1,
    "inconclusiveLimit": 1,
    "consecutiveErrorLimit": 1,
    "interval": 1,
    "initialDelay": 1,
    "count": -1,
    "consecutiveSuccessLimit": -1,
}
# What stops or slows a release: a step, or a metric of an AnalysisTemplate.
_LIVE_CHECK: Final = re.compile(r"steps\[\d+\]( \(live\))?|guard [^. ]+")
_LIVE_BOUND: Final = re.compile(r"threshold of .* \((success|failure)\)")
_COMPARED: Final = re.compile(r"result\[0\] (<=?|>=?) (-?[\d.]+(?:e[-+]?\d+)?)")
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
    if change.topic == "live":
        return _of_live(change)
    if change.topic == "tier":
        return of_rule(change.field, *(_value(change.field, text) for text in (change.old, change.new)))
    if change.field == "waiver":
        return _of_waiver(change.old, change.new)
    if not change.field and (change.old is None or change.new is None):
        if change.topic not in _CHECKS:
            return ""
        return "stricter" if change.old is None else "looser"
    return _of_value(change)


def _of_value(change: Change) -> Strictness:
    """Return the direction of one value of a plan."""
    key = (change.topic, change.field)
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


def of_rule(key: str, old: Any, new: Any) -> Strictness:
    """Return whether a rule of the platform is looser or stricter than before.

    Args:
        key: its key, such as `ceilings.firstWeight`.
        old: the plain value before; None for none.
        new: the plain value now.
    """
    parts = key.split(".")
    if isinstance(old, list) or isinstance(new, list):
        was, now = set(map(str, old or [])), set(map(str, new or []))
        if not (was < now or now < was):
            return ""
        return "looser" if (was < now) == (parts[-1] in _ALLOWANCES) else "stricter"
    if parts[-1] == "verdict":
        ranks = [_VERDICTS.index(each) if each in _VERDICTS else 0 for each in (old, new)]
        return strictness(ranks[0], ranks[1], 1)
    if old is None or new is None or isinstance(old, bool) or isinstance(new, bool):
        return "stricter" if new and not old else "looser"
    return strictness(amount(str(old)), amount(str(new)), -1 if _FLOORS & set(parts) else 1)


def _value(key: str, text: str | None) -> Any:
    """Return the plain value of a rule from its text."""
    if key.rpartition(".")[2] in _LISTED:
        return text.split(", ") if text else []
    return text == "yes" if text in {"yes", "no"} else text


def _of_live(change: Change) -> Strictness:
    """Return the direction of a field that a sync would change in the cluster."""
    old, new = change.old, change.new
    if _LIVE_CHECK.fullmatch(change.field) and (old is None or new is None):
        return "stricter" if old is None else "looser"
    bound = _LIVE_BOUND.fullmatch(change.field)
    if bound:
        return _of_condition(old or "", new or "", succeeds=bound[1] == "success")
    step = _LIVE_STEP.fullmatch(change.field)
    of_guard = change.field.rpartition(".")[2] if change.field.startswith("guard ") else ""
    sign = _LIVE.get(step[1] if step else of_guard)
    return "" if sign is None else strictness(amount(old or ""), amount(new or ""), sign)


def _of_condition(old: str, new: str, *, succeeds: bool) -> Strictness:
    """Return the direction of a condition of a metric; one that is gone fails nothing, and one without data passes."""
    passes = [succeeds and text.startswith("len(result) == 0 ||") for text in (old, new)]
    if passes[0] != passes[1]:
        return "looser" if passes[1] else "stricter"
    if not succeeds and bool(old) != bool(new):
        return "stricter" if new else "looser"
    (was, before), (now, after) = (_compared(text) for text in (old, new))
    below = now.startswith("<") == succeeds
    return strictness(before, after, 1 if below else -1) if was == now else ""


def _compared(condition: str) -> tuple[str, float | None]:
    """Return how a condition compares the result, and with which number; the last comparison if there are several."""
    found = _COMPARED.findall(condition)
    return (found[-1][0], float(found[-1][1])) if found else ("", None)


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
