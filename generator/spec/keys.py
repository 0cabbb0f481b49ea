"""Keys that do not belong where they are written: where they do, what they are called here, or what fits instead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from generator.source.characters import LOOKALIKES, oddities, straighten
from generator.source.document import Path
from generator.source.flow import flow
from generator.source.suggest import misspelt
from generator.spec.annotations import (
    Pattern,
    Site,
    accepts,
    annotation_of,
    fields,
    models,
    sites,
    words,
)  # fmt: skip
from generator.spec.draft import Draft
from generator.spec.habits import ARGO_STEP, GENERAL, Habit, Inline, Put, Say
from generator.spec.habits_by_place import AT, PLATFORM
from generator.spec.scalars import repaired
from generator.spec.shapes import named_item
from generator.spec.types import Weight

_LONG = 110
_LISTED = 6
_HALF = 48
_SPEC: Pattern = ("spec",)
# Too common to say where else they are known.
_COMMON = frozenset(
    {"kind", "type", "value", "key", "path", "by", "at", "name", "description", "reason", "version"}
)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping with unknown keys.

    Args:
        path: where it is.
        pattern: the same without what people choose.
        records: what it may be.
        value: its content.
        others: other kinds that it might have been, by what they are called.
    """

    path: Path
    pattern: Pattern
    records: tuple[type[BaseModel], ...]
    value: dict[str, Any]
    others: dict[str, type[BaseModel]] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, FieldInfo]:
        """The keys that it may have."""
        return {key: info for record in self.records for key, info in fields(record).items()}

    @property
    def kind(self) -> str:
        """What its own kind is called."""
        record = self.records[0] if self.records else None
        telling = next((key for key in ("strategy", "kind") if record and key in fields(record)), "")
        word = next(iter(words_of(record, telling)), "") if record and telling else ""
        return word or f"another kind of {self.name.removeprefix('an item of ')}"

    @property
    def name(self) -> str:
        """What a message calls it."""
        return name_of(self.pattern)


def name_of(pattern: Pattern) -> str:
    """Return what a message calls a mapping: `rollout`, an item of `steps`."""
    names = [part for part in pattern if part not in {"[]", "{}"}]
    if not names:
        return "the file"
    if pattern[-1] == "[]":
        return f"an item of `{names[-1]}`"
    return f"an entry of `{names[-1]}`" if pattern[-1] == "{}" else f"`{names[-1]}`"


def explain_keys(draft: Draft, mapping: Mapping, unknown: list[str]) -> None:
    """Report every unknown key of a mapping, one finding for those that are one mistake, and put right what can be."""
    unknown = _unindented(draft, mapping, unknown)
    unknown = _habits(draft, mapping, unknown)
    unknown = _together(draft, mapping, unknown)
    for key in unknown:
        if draft.is_told((*mapping.path, key)):
            continue
        if _misspelt(draft, mapping, key, exact=True) or _other_kind(draft, mapping, key):
            continue
        if not _elsewhere(draft, mapping, key):
            _other(draft, mapping, key)


def _other_kind(draft: Draft, mapping: Mapping, key: str) -> bool:
    """A key of another kind of such a mapping: `steps` in a blue-green rollout, `approve` in a weight step."""
    kind = next((name for name, record in mapping.others.items() if key in fields(record)), "")
    if not kind:
        return False
    line = _line(key, mapping.value[key])
    if mapping.pattern[-1:] == ("[]",):
        hint = f"write it as an item of its own: `- {{{line}}}`"
    else:
        telling = next((name for name in ("strategy", "kind") if name in mapping.known), "")
        known = words_of(mapping.others[kind], telling) if telling else []
        hint = f"remove it, or write `{telling}: {known[0]}`" if known else "remove it"
    message = f"`{key}` belongs to {kind}, and this is {mapping.kind}"
    draft.report("SPEC102", (*mapping.path, key), message, hint, key=True)
    return True


def words_of(record: type[BaseModel], key: str) -> list[str]:
    """Return the words that a record takes for a key."""
    info = fields(record).get(key)
    return [str(word) for word in words(annotation_of(info))] if info is not None else []


def _other(draft: Draft, mapping: Mapping, key: str) -> None:
    """A key that is known nowhere, or only in the language of another tool."""
    habit = None if _is_platform(draft) else GENERAL.get(key)
    if habit is not None and _general(draft, mapping, key, habit):
        return
    explainers = (_misspelt, _named_entry, _replaces_missing, _of_platform)
    if any(explainer(draft, mapping, key) for explainer in explainers):
        return
    if _misspelt_elsewhere(draft, mapping, key):
        return
    draft.report(
        "SPEC102", (*mapping.path, key), f"unknown key `{key}` in {mapping.name}", fitting(mapping), key=True
    )


def fitting(mapping: Mapping) -> str:
    """Return a hint: the keys that fit in a mapping and are not there, each with half a sentence."""
    free = {key: info for key, info in mapping.known.items() if key not in mapping.value}
    first = sorted(free, key=lambda key: not free[key].is_required())
    if not first:
        return "remove it; everything that fits here is there already"
    listed = ", ".join(f"`{key}` ({_half(free[key])})" for key in first[:_LISTED])
    more = f"; `sluice schema` has {len(first) - _LISTED} more" if len(first) > _LISTED else ""
    return f"what fits here: {listed}{more}"


def _half(info: FieldInfo) -> str:
    text = re.split(r"[;:(]", info.description or "")[0].strip()
    if len(text) <= _HALF:
        return text
    return text[:_HALF].rsplit(" ", 1)[0].rstrip(",") + "…"


# Keys of an empty sibling ------------------------------------------------------------------------------------------


def _unindented(draft: Draft, mapping: Mapping, unknown: list[str]) -> list[str]:
    """Keys next to an empty key that they belong in: they were not indented."""
    for holder, value in list(mapping.value.items()):
        if value is not None or holder not in mapping.known:
            continue
        inner = models(annotation_of(mapping.known[holder]))
        keys = {key for record in inner for key in fields(record)}
        lost = [key for key in unknown if key in keys]
        if lost:
            _report_unindented(draft, mapping, holder, lost)
            return [key for key in unknown if key not in lost]
    return unknown


def _report_unindented(draft: Draft, mapping: Mapping, holder: str, lost: list[str]) -> None:
    path = (*mapping.path, lost[0])
    column = max(draft.indent((*mapping.path, holder)), 0) + 2
    others = (
        f" and the {'line' if len(lost) == 2 else 'keys'} below it ({_and(lost[1:])})" if lost[1:] else ""
    )
    message = f"`{holder}` is empty, and `{lost[0]}` belongs in it"
    hint = f"indent `{lost[0]}`{others} by {column} spaces, below `{holder}:`"
    document, local = draft.document(path)
    draft.findings.append(document.finding("SPEC102", local, message, hint, key=True))
    for key in lost:
        draft.move((*mapping.path, key), (*mapping.path, holder, key))
        draft.lenient.discard((*mapping.path, holder))


def _and(keys: list[str]) -> str:
    names = [f"`{key}`" for key in keys]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


# Habits ------------------------------------------------------------------------------------------------------------


def _is_platform(draft: Draft) -> bool:
    return (
        "environments" in {site.key for site in sites(draft.record)}
        and draft.record.__name__ == "PlatformFile"
    )


def _table(draft: Draft, pattern: Pattern) -> dict[str, Habit]:
    """The habits at one place; shadows have the guards of a rollout, a tier's defaults the keys of a spec."""
    if _is_platform(draft):
        return PLATFORM.get(pattern, {})
    full = pattern if draft.record.__name__ != "ModelSpec" else ("spec", *pattern)
    if full[:4] == ("spec", "rollout", "shadow", "guards"):
        full = ("spec", "rollout", *full[3:])
    return AT.get(full, {})


def _habits(draft: Draft, mapping: Mapping, unknown: list[str]) -> list[str]:
    """Keys that another tool has at this place: one finding for all of them that are moved or renamed."""
    table = _table(draft, mapping.pattern)
    renamed: dict[str, str] = {}
    inlined: list[str] = []
    left: list[str] = []
    for key in unknown:
        habit = table.get(key)
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
        else:
            left.append(key)
    if renamed or inlined:
        _report_renamed(draft, mapping, renamed, inlined)
    return left


def _free(draft: Draft, mapping: Mapping, key: str, taken: dict[str, str]) -> bool:
    return key not in written(draft, mapping.path) and key not in taken.values()


def _say(draft: Draft, mapping: Mapping, keys: list[str], habit: Say) -> None:
    """One finding for keys that have the same answer."""
    weights = [text for key in keys if (text := _as_weight(mapping.value[key]))]
    hint = habit.hint.replace("{weight}", weights[0] if weights else "5%")
    said = habit.message if len(keys) == 1 else _plural(habit.message)
    draft.report("SPEC102", (*mapping.path, keys[0]), f"{_and(keys)} {said}", hint, key=True)
    draft.told.update((*mapping.path, key) for key in keys)


_VERBS = {"is": "are", "has": "have", "follows": "follow"}


def _plural(text: str) -> str:
    verb, _, rest = text.partition(" ")
    return f"{_VERBS.get(verb, verb)} {rest}"


def _as_weight(value: Any) -> str:
    if isinstance(value, (dict, list, bool)) or value is None:
        return ""
    return str(repaired(Weight, value)) if accepts(Weight, repaired(Weight, value)) else ""


def _report_renamed(draft: Draft, mapping: Mapping, renamed: dict[str, str], inlined: list[str]) -> None:
    """One finding for the foreign keys of one mapping, with the mapping as it should be."""
    fixed: dict[str, Any] = {}
    for key, value in written(draft, mapping.path).items():
        if key in inlined:
            fixed |= {inner: item for inner, item in value.items() if inner not in fixed}
        else:
            fixed[renamed.get(key, key)] = value
    whole = {key: _repaired(mapping, key, value) for key, value in fixed.items()}
    first = next(key for key in mapping.value if key in renamed or key in inlined)
    parts = [f"`{key}` is called `{ours}`" for key, ours in renamed.items()]
    if inlined:
        parts.append(
            f"the keys of {' and '.join(f'`{key}`' for key in inlined)} belong directly in {mapping.name}"
        )
        if mapping.pattern[-1:] == ("resources",):
            parts.append("they are what a pod requests, and memory is its limit too")
    document, local = draft.document((*mapping.path, first))
    holder = mapping.path[-1] if mapping.path and isinstance(mapping.path[-1], str) else ""
    text = flow(whole)
    shown = f"`{holder}: {text}`" if holder else f"`{text}`"
    if len(text) > _LONG:
        shown = ", ".join(f"`{ours}: {flow(whole[ours])}`" for ours in dict.fromkeys(renamed.values()))
    message = "; ".join(parts)
    draft.findings.append(document.finding("SPEC102", local, message, f"write {shown}", key=True))
    for key, ours in renamed.items():
        draft.move((*mapping.path, key), (*mapping.path, ours))
        draft.told.add((*mapping.path, ours))
    for key in inlined:
        for inner in list(mapping.value[key]):
            if inner in mapping.known and inner not in written(draft, mapping.path):
                draft.move((*mapping.path, key, inner), (*mapping.path, inner))
                draft.told.add((*mapping.path, inner))
        draft.at(mapping.path).pop(key)


def _repaired(mapping: Mapping, key: str, value: Any) -> Any:
    info = mapping.known.get(key)
    if info is None:
        return value
    inner = {name for record in models(annotation_of(info)) for name in fields(record)}
    while isinstance(value, dict) and len(value) == 1 and not value.keys() & inner:
        # A wrapper of another tool: `valueFrom: {secretKeyRef: {…}}`, `pause: {duration: 1h}`.
        value = next(iter(value.values()))
    return repaired(annotation_of(info), value, info)


def written(draft: Draft, path: Path) -> dict[str, Any]:
    """Return what the author wrote of a mapping, without what lower layers add to it."""
    value = draft.at(path)
    document, local = draft.document(path)
    moved = {new[-1] for new, _ in draft.moved if new[:-1] == path}
    return {key: item for key, item in value.items() if document.has((*local, key)) or key in moved}


def _together(draft: Draft, mapping: Mapping, unknown: list[str]) -> list[str]:
    """Several keys that belong in one mapping below, called so or as other tools call them: one finding."""
    groups: dict[Pattern, dict[str, Site]] = {}
    for key in unknown:
        site = (
            None
            if _is_platform(draft)
            else _general_site(draft, GENERAL.get(key)) or _nearest_site(draft, mapping, key)
        )
        if (
            site is not None
            and len(site.pattern) == len(mapping.pattern) + 1
            and site.pattern[:-1] == mapping.pattern
        ):
            groups.setdefault(site.pattern, {})[key] = site
    for pattern, found in groups.items():
        if len(found) > 1 and not mapping.value.get(pattern[-1]):
            holder = pattern[-1]
            inner = {
                site.key: repaired(annotation_of(site.field), mapping.value[key], site.field)
                for key, site in found.items()
            }
            message = f"{_and(list(found))} belong in `{holder}`"
            document, local = draft.document((*mapping.path, next(iter(found))))
            hint = f"write `{holder}: {flow(inner)}`"
            draft.findings.append(document.finding("SPEC102", local, message, hint, key=True))
            for key, site in found.items():
                draft.move((*mapping.path, key), (*mapping.path, holder, site.key))
                draft.told.add((*mapping.path, holder, site.key))
            unknown = [key for key in unknown if key not in found]
    return unknown


def _general_site(draft: Draft, habit: Habit | None) -> Site | None:
    """The key of ours that a habit of all places stands for; None where it is none of the file's."""
    if not isinstance(habit, Put):
        return None
    path = habit.path[1:]
    return next((site for site in sites(draft.record) if (*site.pattern, site.key) == path), None)


def _general(draft: Draft, mapping: Mapping, key: str, habit: Habit) -> bool:
    """A key that another tool has, wherever it is written."""
    if isinstance(habit, Say):
        unknown = [
            name
            for name in mapping.value
            if name not in mapping.known and not draft.is_told((*mapping.path, name))
        ]
        _say(
            draft,
            mapping,
            [key, *(name for name in unknown if name != key and GENERAL.get(name) is habit)],
            habit,
        )
        return True
    site = _general_site(draft, habit)
    if site is None:
        return False
    _relocate(
        draft,
        mapping,
        key,
        site,
        f"`{key}` is called `{site.key}` here and belongs in {name_of(site.pattern)}",
    )
    return True


# Keys that belong elsewhere ----------------------------------------------------------------------------------------


def _elsewhere(draft: Draft, mapping: Mapping, key: str) -> bool:
    """A key of the language that is written at the wrong level."""
    site = _nearest_site(draft, mapping, key)
    if site is None or (
        key in GENERAL and len(site.pattern) > len(mapping.pattern) + 2 and not _is_platform(draft)
    ):
        return False
    _relocate(draft, mapping, key, site, f"`{key}` belongs in {name_of(site.pattern)}, not in {mapping.name}")
    return True


def _nearest_site(draft: Draft, mapping: Mapping, key: str) -> Site | None:
    """The place of a key that is fewest levels away; none for common keys that are not right above or below."""
    ranked = []
    for site in sites(draft.record):
        if site.key != key or site.pattern == mapping.pattern:
            continue
        shared = _shared(site.pattern, mapping.pattern)
        up, down = len(mapping.pattern) - shared, len(site.pattern) - shared
        below = site.pattern[shared:]
        sideways = up > 0 and down > 0
        if (
            down > _DEEPEST
            or (sideways and ("[]" in below or "{}" in below))
            or (sideways and key in _COMMON)
        ):
            continue
        if key in _COMMON and not _fits(mapping, key, site):
            continue
        ranked.append((up + down, up, site.pattern, site))
    return min(ranked, key=lambda entry: entry[:3])[3] if ranked else None


_DEEPEST = 3


def _fits(mapping: Mapping, key: str, site: Site) -> bool:
    return accepts(annotation_of(site.field), mapping.value[key]) and len(site.pattern) < len(mapping.pattern)


def _shared(one: Pattern, other: Pattern) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _relocate(draft: Draft, mapping: Mapping, key: str, site: Site, message: str) -> None:
    """Report a key at the wrong place with its line at the right one, and move it there if that place is free."""
    old = (*mapping.path, key)
    translated = _translated(draft, (*site.pattern, site.key), mapping.value[key])
    value = repaired(annotation_of(site.field), translated, site.field)
    shared = _shared(site.pattern, mapping.pattern)
    outward = shared == len(site.pattern)
    new = (*mapping.path[:shared], *site.pattern[shared:], site.key)
    renamed = site.key != key
    hint = (
        _outward(draft, old, new, value, renamed=renamed)
        if outward
        else _inward(draft, mapping.path[:shared], new, value, site, indentable=mapping.path == ())
    )
    document, local = draft.document(old)
    draft.findings.append(document.finding("SPEC102", local, message, hint, key=True))
    holder = draft.at(new[:-1])
    blocked = "[]" in new or "{}" in new or (isinstance(holder, dict) and holder.get(site.key) is not None and not (
        isinstance(holder[site.key], dict) and isinstance(mapping.value[key], dict)
    ))  # fmt: skip
    if blocked or isinstance(holder, list):
        draft.told.add(old)
        return
    foreign = translated != mapping.value[key]
    draft.move(old, new)
    if foreign or value != draft.at(new):
        draft.told.add(new)


def _translated(draft: Draft, pattern: Pattern, value: Any) -> Any:
    """A mapping with the keys of other tools in it called as they are here."""
    table = _table(draft, pattern)
    if not isinstance(value, dict) or not table:
        return value
    ours = {
        key: habit.path[0] for key, habit in table.items() if isinstance(habit, Put) and len(habit.path) == 1
    }
    return {ours.get(key, key): item for key, item in value.items()}


def _outward(draft: Draft, old: Path, new: Path, value: Any, *, renamed: bool) -> str:
    """The hint for a key that is one or more levels too deep."""
    holder = draft.at(new[:-1]) or {}
    sibling = next((name for name in holder if draft.begins_line((*new[:-1], name))), "")
    column = draft.indent((*new[:-1], sibling)) if sibling else -1
    if column >= 0 and not renamed and draft.begins_line(old):
        return f"indent it by {column} spaces, like `{sibling}`: `{' ' * column}{_line(old[-1], value)}`"
    after = f", next to `{sibling}`" if sibling else ""
    return f"write `{_line(new[-1], value)}` there{after}"


def _inward(draft: Draft, base: Path, new: Path, value: Any, site: Site, *, indentable: bool) -> str:
    """The hint for a key that is not deep enough, or in the wrong branch: the smallest form with the value in it."""
    names = site.pattern[len(base) :]
    if indentable and new[:-1] == _SPEC and not isinstance(value, (dict, list)):
        return f"move it under `spec:`, next to `tier`: `  {_line(new[-1], value)}`"
    if indentable and new[:-1] == _SPEC:
        return "indent it, and the lines below it, by 2 spaces: it goes under `spec:`, next to `tier`"
    present = draft.at((*base, names[0])) if names else None
    inner: Any = {site.key: value}
    for part in reversed(names[1:]):
        inner = [inner] if part == "[]" else {"NAME": inner} if part == "{}" else {part: inner}
    if len(names) == 1 and isinstance(present, dict):
        inner = {**written(draft, (*base, names[0])), **inner}
    text = f"{names[0]}: {flow(inner)}" if names else f"{site.key}: {flow(value)}"
    if len(text) <= _LONG:
        return f"write `{text}`"
    short = flow(value)
    return (
        f"add `{site.key}: {short}` to {name_of(site.pattern)}"
        if len(short) <= _LONG
        else f"indent it under `{names[-1]}:`"
    )


def _line(key: str | int, value: Any) -> str:
    text = flow(value)
    return f"{key}:" if isinstance(value, (dict, list)) and len(text) > _HALF else f"{key}: {text}"


def _of_platform(draft: Draft, mapping: Mapping, key: str) -> bool:
    """A key that the platform team sets, or that belongs in a model's spec."""
    from generator.spec.model import ModelFile
    from generator.spec.platform import PlatformFile

    if key in _COMMON:
        return False
    other = ModelFile if _is_platform(draft) else PlatformFile
    site = next((site for site in sites(other) if site.key == key and site.pattern[:1] == _SPEC), None)
    if site is None or draft.record.__name__ not in {"ModelFile", "ModelSpec", "PlatformFile"}:
        return False
    where = ".".join((*site.pattern, key)).replace(".{}", ".NAME").replace(".[]", "[]")
    path = (*mapping.path, key)
    if other is PlatformFile:
        message = f"`{key}` is not part of a spec: the platform team sets `{where}` in specs/platform.yaml"
        draft.report("SPEC102", path, message, "remove it, or ask the platform team", key=True)
    else:
        message = f"`{key}` belongs in a model's spec (`{where}`), not in the platform"
        hint = "move it to the model's file, or to the `defaults` of a tier"
        draft.report("SPEC102", path, message, hint, key=True)
    return True


# Typing errors -----------------------------------------------------------------------------------------------------


def _misspelt(draft: Draft, mapping: Mapping, key: str, *, exact: bool = False) -> bool:
    """A key with a typing error in it; with `exact`, one that only differs in case, separators, or odd characters."""
    document, local = draft.document((*mapping.path, key))
    # A lower layer, such as the tier's defaults, may have the key as well.
    free = [known for known in mapping.known if not document.has((*local[:-1], known))]
    straight = straighten(key).strip()
    if any(character in LOOKALIKES for character in key) and straight in free:
        message = f"the key `{key}` has {oddities(key)} in it"
        _rename(draft, mapping, key, straight, message, f"write `{straight}`")
        return True
    if key.startswith("-") and key.lstrip("- ") in mapping.known:
        fixed = key.lstrip("- ")
        line = _line(fixed, mapping.value[key])
        _rename(
            draft, mapping, key, fixed, f"a space is missing after the dash of `{key}`", f"write `- {line}`"
        )
        return True
    likely = misspelt(key, free)
    if not likely or (exact and _plain(likely) != _plain(key)):
        return False
    _rename(
        draft, mapping, key, likely, f"unknown key `{key}` in {mapping.name}", f"did you mean `{likely}`?"
    )
    return True


def _plain(word: str) -> str:
    return re.sub(r"[-_ .]", "", word.casefold()).removesuffix("s")


def _rename(draft: Draft, mapping: Mapping, key: str, right: str, message: str, hint: str) -> None:
    document, local = draft.document((*mapping.path, key))
    draft.findings.append(document.finding("SPEC102", local, message, hint, key=True))
    draft.move((*mapping.path, key), (*mapping.path, right))


def _named_entry(draft: Draft, mapping: Mapping, key: str) -> bool:
    """An item of a list that is one name with its value: `- LOG_LEVEL: debug`."""
    if len(mapping.value) != 1 or mapping.pattern[-1:] != ("[]",):
        return False
    for record in mapping.records:
        item = named_item(record, key, mapping.value[key])
        if item is not None:
            fixed = repaired(record, item)
            first = next(iter(fixed))
            message = f"`{key}` is a name, which is the value of `{first}`"
            draft.report("SPEC102", (*mapping.path, key), message, f"write `{flow(fixed)}`", key=True)
            draft.told.add(mapping.path)
            return True
    return False


def _replaces_missing(draft: Draft, mapping: Mapping, key: str) -> bool:
    """The one unknown key of a mapping that lacks one key, with a value that fits there."""
    unknown = [name for name in mapping.value if name not in mapping.known]
    missing = [
        name for name, info in mapping.known.items() if info.is_required() and name not in mapping.value
    ]
    if len(unknown) != 1 or len(missing) != 1 or len(mapping.records) != 1:
        return False
    info = mapping.known[missing[0]]
    value = repaired(annotation_of(info), mapping.value[key], info)
    if not accepts(annotation_of(info), value):
        return False
    message = f"unknown key `{key}` in {mapping.name}, which lacks `{missing[0]}`"
    _rename(draft, mapping, key, missing[0], message, f"did you mean `{missing[0]}: {flow(value)}`?")
    draft.told.add((*mapping.path, missing[0]))
    return True


def _misspelt_elsewhere(draft: Draft, mapping: Mapping, key: str) -> bool:
    """A key with a typing error in it that belongs right below, in a mapping that this one may have."""
    depth = len(mapping.pattern)
    below = [
        site for site in sites(draft.record)
        if site.pattern[:-1] == mapping.pattern and site.pattern[depth:] not in {("[]",), ("{}",)}
    ]  # fmt: skip
    likely = misspelt(key, {site.key for site in below})
    if not likely:
        return False
    site = next(site for site in below if site.key == likely)
    message = f"unknown key `{key}` in {mapping.name}: `{likely}` belongs in {name_of(site.pattern)}"
    _relocate(draft, mapping, key, site, message)
    return True


# Steps of Argo Rollouts --------------------------------------------------------------------------------------------


def explain_argo_steps(draft: Draft, path: Path, items: list[Any]) -> bool:
    """Report a list of steps in the language of Argo Rollouts, once, with the whole list as Sluice has it.

    Returns:
        Whether the list is one.
    """
    foreign = [
        index for index, item in enumerate(items) if isinstance(item, dict) and item.keys() & ARGO_STEP
    ]
    if not foreign:
        return False
    steps = _sluice_steps(items)
    keys = sorted({key for index in foreign for key in items[index].keys() & ARGO_STEP})
    verb = "is" if len(keys) == 1 else "are"
    message = f"{_and(keys)} {verb} of Argo Rollouts: here each step has its weight and how long it lasts"
    text = f"steps: {flow(steps)}"
    hint = (
        f"write `{text}`" if len(text) <= 3 * _LONG else f"write `{flow(steps[0])}` for the first, and so on"
    )
    if any(isinstance(item, dict) and "pause" in item and not _duration(item["pause"]) for item in items):
        hint += "; a pause without an end is `{approve: ROLE}`"
    document, local = draft.document((*path, foreign[0]))
    draft.findings.append(document.finding("SPEC102", local, message, hint))
    draft.told.add(path)
    return True


def _sluice_steps(items: list[Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    for item in items:
        if not isinstance(item, dict):
            continue
        if "setWeight" in item:
            steps.append({"weight": f"{str(item['setWeight']).rstrip('%')}%", "hold": "1h"})
            if "pause" in item:
                _pause(steps, item["pause"])
        elif "pause" in item:
            _pause(steps, item["pause"])
        elif not item.keys() & ARGO_STEP:
            steps.append(item)
    return steps


def _pause(steps: list[dict[str, Any]], pause: Any) -> None:
    """A pause is how long the step before it lasts; one without an end waits for a person."""
    from generator.spec.repairs import Typed, time

    duration = _duration(pause)
    if not duration:
        steps.append({"approve": "ROLE"})
        return
    usual = "s" if duration.isdigit() else "m"
    hold = next((str(repair.value) for repair in time(Typed(duration, f"60{usual}"))), duration)
    if duration.isdigit():
        from generator.spec.units import duration as written

        hold = written(float(duration))
    if steps and "weight" in steps[-1]:
        steps[-1]["hold"] = hold


def _duration(pause: Any) -> str:
    value = pause.get("duration") if isinstance(pause, dict) else pause
    return "" if value is None else str(value)
