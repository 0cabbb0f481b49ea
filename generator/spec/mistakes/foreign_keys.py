"""Keys of other tools: reports their name in Sluice, or who decides the setting."""

from __future__ import annotations

import re
from typing import Any, Final

from generator.source.document import Path
from generator.source.flow import flow
from generator.spec.mistakes.amounts import Typed, number, plain
from generator.spec.mistakes.annotations import accepts, annotation_of, fields, models
from generator.spec.mistakes.draft import Draft
from generator.spec.mistakes.habits import ARGO_STEP, GENERAL, Habit, Inline, Put, Say, put
from generator.spec.mistakes.mappings import LONG, Mapping, bare, habits_at, listed, name_of, written
from generator.spec.mistakes.relocation import general_site, relocate
from generator.spec.mistakes.suggestions import repaired
from generator.spec.mistakes.times import time
from generator.spec.types import Hold, Weight
from generator.spec.units import duration


def explain_habits(draft: Draft, mapping: Mapping, unknown: list[str]) -> list[str]:
    """Report keys that another tool has at this place; all that are moved or renamed in one finding."""
    table = habits_at(draft, mapping.pattern)
    renamed: dict[str, str] = {}
    inlined: list[str] = []
    left: list[str] = []
    by_word = {bare(theirs): habit for theirs, habit in table.items()}
    for key in unknown:
        habit = _bound(mapping, table.get(key) or by_word.get(bare(key)))
        habit = _fitting(mapping, key, _change(draft, mapping, habit))
        if (
            isinstance(habit, Put)
            and habit.path[0] in mapping.known
            and _free(draft, mapping, habit.path[0], renamed)
        ):
            renamed[key] = habit.path[0]
        elif isinstance(habit, Inline) and isinstance(mapping.value[key], dict):
            inlined.append(key)
        elif isinstance(habit, Say):
            _say(draft, mapping, [key], habit)
        elif isinstance(habit, Put) and (kind := _kind_with(mapping, habit.path[0])):
            message = (
                f"`{key}` is called `{habit.path[0]}`, which belongs to {kind}, and this is {mapping.kind}"
            )
            draft.report("SPEC102", (*mapping.path, key), message, "remove it", key=True)
        else:
            left.append(key)
    if renamed or inlined:
        _report_renamed(draft, mapping, renamed, inlined)
    return left


def _bound(mapping: Mapping, habit: Habit | None) -> Habit | None:
    """Return the habit of a bound; an upper one for differences and distances, which have only that."""
    if habit != put("atLeast") or "metric" in mapping.value or "junit" in mapping.value:
        return habit
    ratio = str(mapping.value.get("fairness", "")).endswith("ratio")
    return put("atMost") if "atMost" in mapping.known and not ratio else habit


def _change(draft: Draft, mapping: Mapping, habit: Habit | None) -> Habit | None:
    """Return the habit of a change: a drop of an outcome, where more is better; a rise of everything else."""
    if habit != put("rise") or mapping.pattern[-1:] != ("detect",):
        return habit
    guard = draft.at(mapping.path[:-1]) or {}
    outcome = guard.get("outcome") if isinstance(guard, dict) else None
    declared = draft.at(("spec", "outcomes", str(outcome))) if outcome else None
    lower = isinstance(declared, dict) and declared.get("better") == "lower"
    return put("drop") if outcome and not lower else habit


def _fitting(mapping: Mapping, key: str, habit: Habit | None) -> Habit | None:
    """Return the habit of a key, or of a required key that is missing and that alone accepts the value.

    `threshold: 250ms` of a guard on slow requests is its bound of the latency, not its limit.
    """
    if not isinstance(habit, Put) or len(habit.path) != 1 or len(mapping.records) != 1:
        return habit
    info = mapping.known.get(habit.path[0])
    value = mapping.value[key]
    if info is None or accepts(annotation_of(info), repaired(annotation_of(info), value, info)):
        return habit
    others = [
        name
        for name, other in mapping.known.items()
        if other.is_required() and name not in mapping.value and accepts(annotation_of(other), value)
    ]
    return put(others[0]) if len(others) == 1 else habit


def _kind_with(mapping: Mapping, key: str) -> str:
    """Return the other kind of such a mapping that has a key; empty for none."""
    if key in mapping.known or len(mapping.records) != 1:
        return ""
    return next((name for name, record in mapping.others.items() if key in fields(record)), "")


_STRATEGIES = {"canary": "canary", "blueGreen": "blue-green"}


def _free(draft: Draft, mapping: Mapping, key: str, taken: dict[str, str]) -> bool:
    return key not in written(draft, mapping.path) and key not in taken.values()


def _report_renamed(draft: Draft, mapping: Mapping, renamed: dict[str, str], inlined: list[str]) -> None:
    """Report the foreign keys of one mapping, with the corrected mapping."""
    fixed: dict[str, Any] = {}
    # A key of a tier's defaults is in another file than its mapping.
    by_author = written(draft, mapping.path).keys() | renamed.keys() | set(inlined)
    for key, value in mapping.value.items():
        if key not in by_author:
            continue
        if key in inlined:
            fixed |= {inner: item for inner, item in value.items() if inner not in fixed}
        else:
            fixed[renamed.get(key, key)] = _with_unit(key, value) if key in renamed else value
    whole = {key: _repaired(mapping, key, value) for key, value in fixed.items()}
    first = next(key for key in mapping.value if key in renamed or key in inlined)
    parts = [f"`{key}` is called `{ours}`" for key, ours in renamed.items()]
    if inlined:
        parts.append(
            f"the keys of {' and '.join(f'`{key}`' for key in inlined)} belong directly in {mapping.name}"
        )
        if mapping.pattern[-1:] == ("resources",):
            parts.append("they are the requests of a pod; `limits` has its limits")
    document, local = draft.document((*mapping.path, first))
    shown = _as_written(mapping, whole, renamed, inlined)
    message = "; ".join(parts)
    draft.findings.append(document.finding("SPEC102", local, message, f"write {shown}", key=True))
    for key, ours in renamed.items():
        draft.move((*mapping.path, key), (*mapping.path, ours))
        draft.reported.add((*mapping.path, ours))
    for key in inlined:
        for inner in list(mapping.value[key]):
            if inner in mapping.known and inner not in written(draft, mapping.path):
                draft.move((*mapping.path, key, inner), (*mapping.path, inner))
                draft.reported.add((*mapping.path, inner))
        draft.at(mapping.path).pop(key)


_SECONDS: Final = (
    ("milliseconds", 0.001), ("millis", 0.001), ("ms", 0.001), ("seconds", 1), ("secs", 1), ("minutes", 60),
    ("mins", 60), ("hours", 3600), ("days", 86400),
)  # fmt: skip
"""Endings of keys that name the unit of a time, and its seconds."""


def _with_unit(key: str, value: Any) -> Any:
    """Return a number with the unit that another tool's key has: `minutes: 720`, `timeoutSeconds: 5`."""
    word = re.sub(r"_", "", key).casefold()
    size = next((size for name, size in _SECONDS if word.endswith(name)), None)
    bare = not isinstance(value, bool) and re.fullmatch(r"\d+(?:\.\d+)?", str(value))
    return duration(float(value) * size) if size and bare else value


def _as_written(mapping: Mapping, whole: dict[str, Any], renamed: dict[str, str], inlined: list[str]) -> str:
    """Return the corrected mapping, or only the changed part if it is long."""
    kinds = [_STRATEGIES[key] for key in inlined if key in _STRATEGIES]
    if kinds:
        return f"`strategy: {kinds[0]}` and, next to it, the keys below `{inlined[0]}`"
    text = flow(whole)
    if len(text) > LONG and renamed:
        return ", ".join(f"`{ours}: {flow(whole[ours])}`" for ours in dict.fromkeys(renamed.values()))
    holder = mapping.path[-1] if mapping.path and isinstance(mapping.path[-1], str) else ""
    return f"`{holder}: {text}`" if holder else f"`{text}`"


def _repaired(mapping: Mapping, key: str, value: Any) -> Any:
    info = mapping.known.get(key)
    if info is None:
        return value
    inner = {name for record in models(annotation_of(info)) for name in fields(record)}
    while isinstance(value, dict) and len(value) == 1 and not value.keys() & inner:
        # A wrapper of another tool: `valueFrom: {secretKeyRef: {…}}`, `pause: {duration: 1h}`.
        value = next(iter(value.values()))
    return repaired(annotation_of(info), value, info)


def explain_general(draft: Draft, mapping: Mapping, key: str, habit: Habit) -> bool:
    """Report a key that another tool uses in any place."""
    if isinstance(habit, Say):
        unknown = [
            name
            for name in mapping.value
            if name not in mapping.known and not draft.is_reported((*mapping.path, name))
        ]
        _say(
            draft,
            mapping,
            [key, *(name for name in unknown if name != key and GENERAL.get(name) is habit)],
            habit,
        )
        return True
    site = general_site(draft, habit)
    if site is None:
        return False
    relocate(
        draft,
        mapping,
        key,
        site,
        f"`{key}` is called `{site.key}` here and belongs in {name_of(site.pattern)}",
    )
    return True


def _say(draft: Draft, mapping: Mapping, keys: list[str], habit: Say) -> None:
    """Report keys with the same answer once."""
    value = mapping.value[keys[0]]
    hint = _filled(habit.hint, value)
    said = habit.message if len(keys) == 1 else _plural(habit.message)
    draft.report("SPEC102", (*mapping.path, keys[0]), f"{listed(keys)} {said}", hint, key=True)
    draft.reported.update((*mapping.path, key) for key in (*keys, habit.replaces) if key)


def _filled(hint: str, value: Any) -> str:
    """Return a hint with the parts of a value in place of their names."""
    items = value if isinstance(value, list) and value else ["LOW", "HIGH"]
    name, inner = next(iter(value.items())) if isinstance(value, dict) and value else ("NAME", "VALUE")
    parts = {
        "weight": _as(Weight, value, "5%"),
        "hold": _as(Hold, value, "1h"),
        "first": flow(items[0]),
        "last": flow(items[-1]),
        "name": flow(name),
        "value": flow(inner),
        "twelfth": _twelfth(value),
        "steps": flow(_steps_in(value)),
    }
    for part, text in parts.items():
        hint = hint.replace(f"{{{part}}}", text)
    return hint


def _steps_in(value: Any) -> list[dict[str, Any]]:
    """Return the steps of a canary in Sluice's format: those of the value, else one."""
    steps = value.get("steps") if isinstance(value, dict) else None
    found = sluice_steps(steps) if isinstance(steps, list) else []
    return found or [{"weight": "5%", "hold": "1h"}]


def _twelfth(value: Any) -> str:
    """Return an amount per month for one per year, in the same currency."""
    amount, _, currency = str(value).partition(" ")
    total = number(amount)
    return flow(f"{plain(round(total / 12, 2))} {currency}".strip()) if total is not None else "AMOUNT"


_VERBS = {"is": "are", "has": "have", "follows": "follow"}


def _plural(text: str) -> str:
    verb, _, rest = text.partition(" ")
    return f"{_VERBS.get(verb, verb)} {rest}"


def _as(annotation: Any, value: Any, otherwise: str) -> str:
    """Return a value as a weight or a hold; the default text if it can't be one."""
    if isinstance(value, (list, bool)) or value is None:
        return otherwise
    fixed = repaired(annotation, value)
    return str(fixed) if accepts(annotation, fixed) else otherwise


def explain_argo_steps(draft: Draft, path: Path, items: list[Any]) -> bool:
    """Report a list of steps in the format of Argo Rollouts, once, with the whole list in Sluice's format.

    Returns:
        Whether the list is one.
    """
    foreign = [
        index for index, item in enumerate(items) if isinstance(item, dict) and item.keys() & ARGO_STEP
    ]
    if not foreign:
        return False
    steps = sluice_steps(items)
    keys = sorted({key for index in foreign for key in items[index].keys() & ARGO_STEP})
    verb = "is" if len(keys) == 1 else "are"
    message = f"{listed(keys)} {verb} of Argo Rollouts: here each step has a weight and a hold"
    text = f"steps: {flow(steps)}"
    hint = (
        f"write `{text}`"
        if len(text) <= 3 * LONG or not steps
        else f"write `{flow(steps[0])}` for the first, and so on"
    )
    if not steps:
        hint = "write steps such as `{weight: 5%, hold: 1h}`"
    if "analysis" in keys:
        hint += "; `guards` measure during every step"
    if {"approve": "ROLE"} in steps:
        hint += "; a pause without an end is `{approve: ROLE}`"
    document, local = draft.document((*path, foreign[0]))
    draft.findings.append(document.finding("SPEC102", local, message, hint))
    draft.reported.add(path)
    return True


def sluice_steps(items: list[Any]) -> list[dict[str, Any]]:
    """Return steps of Argo Rollouts in Sluice's format: each weight with the pause after it."""
    steps: list[dict[str, Any]] = []
    for item in items:
        if not isinstance(item, dict):
            continue
        if "setWeight" in item:
            steps.append({"weight": f"{str(item['setWeight']).rstrip('%')}%", "hold": item.get("hold", "1h")})
            if "pause" in item:
                _pause(steps, item["pause"])
        elif isinstance(item.get("setHeaderRoute"), dict):
            steps.append({"cohort": _cohort(item["setHeaderRoute"]), "hold": item.get("hold", "1h")})
        elif "weight" in item:
            steps.append({key: value for key, value in item.items() if key not in ARGO_STEP})
            if "pause" in item:
                _pause(steps, item["pause"])
        elif "pause" in item:
            _pause(steps, item["pause"])
        elif rest := {key: value for key, value in item.items() if key not in ARGO_STEP}:
            steps.append(rest)
    return steps


def _cohort(route: dict[str, Any]) -> dict[str, Any]:
    """Return the cohort of a header route; the first header, if it has several."""
    matches = route.get("match")
    match = matches[0] if isinstance(matches, list) and matches and isinstance(matches[0], dict) else {}
    wanted = match.get("headerValue")
    kind, value = next(iter(wanted.items())) if isinstance(wanted, dict) and wanted else ("exact", "VALUE")
    return {"header": match.get("headerName", "HEADER"), str(kind): value}


def _pause(steps: list[dict[str, Any]], pause: Any) -> None:
    """Turn a pause into the hold of the step before it; a pause without an end becomes an approval."""
    text = _duration(pause)
    if not text.strip("0sm"):
        steps.append({"approve": "ROLE"})
        return
    # Argo Rollouts reads a bare number as seconds.
    hold = (
        duration(float(text))
        if text.isdecimal()
        else next((str(r.value) for r in time(Typed(text, "60m"))), text)
    )
    if steps and "weight" in steps[-1]:
        steps[-1]["hold"] = hold


def _duration(pause: Any) -> str:
    value = pause.get("duration") if isinstance(pause, dict) else pause
    return "" if value is None else str(value)
