"""Keys at the wrong level: not indented, indented too far, or in the wrong mapping."""

from __future__ import annotations

from typing import Any, Final

from pydantic.fields import FieldInfo

from generator.source.document import Path
from generator.source.flow import flow
from generator.source.suggest import misspelt
from generator.spec.mistakes.annotations import (
    Pattern,
    Site,
    accepts,
    annotation_of,
    collection,
    fields,
    models,
    sites,
)
from generator.spec.mistakes.draft import Draft
from generator.spec.mistakes.habits import GENERAL, Habit, Put
from generator.spec.mistakes.mappings import (
    LONG,
    Mapping,
    habits_at,
    is_platform,
    line_of,
    listed,
    name_of,
    written,
)
from generator.spec.mistakes.suggestions import repaired

_SPEC: Final[Pattern] = ("spec",)
COMMON: Final = frozenset(
    {"kind", "type", "value", "key", "path", "by", "at", "name", "description", "reason", "version"}
)
"""Keys that exist in too many places to suggest one."""


def explain_unindented(draft: Draft, mapping: Mapping, unknown: list[str]) -> list[str]:
    """Report keys that are not indented below the empty key that they belong to."""
    for holder, value in list(mapping.value.items()):
        if value is not None or holder not in mapping.known:
            continue
        lost = [key for key in unknown if _fits_in(mapping.known[holder], key, mapping.value[key])]
        if lost:
            _report_unindented(draft, mapping, holder, lost)
            return [key for key in unknown if key not in lost]
    return unknown


def _fits_in(info: FieldInfo, key: str, value: Any) -> bool:
    """Return whether a key fits in the mapping of a field: as one of its keys, or as the name of an entry."""
    annotation = annotation_of(info)
    if any(key in fields(record) for record in models(annotation)):
        return True
    held = collection(annotation)
    entries = models(held[1]) if held is not None and held[0] is dict else []
    return isinstance(value, dict) and any(value.keys() & fields(record).keys() for record in entries)


def _report_unindented(draft: Draft, mapping: Mapping, holder: str, lost: list[str]) -> None:
    path = (*mapping.path, lost[0])
    column = max(draft.indent((*mapping.path, holder)), 0) + 2
    others = (
        f" and the {'line' if len(lost) == 2 else 'keys'} below it ({listed(lost[1:])})" if lost[1:] else ""
    )
    message = f"`{holder}` is empty, and `{lost[0]}` belongs in it"
    hint = f"indent `{lost[0]}`{others} by {column} spaces, below `{holder}:`"
    document, local = draft.document(path)
    draft.findings.append(document.finding("SPEC102", local, message, hint, key=True))
    for key in lost:
        draft.move((*mapping.path, key), (*mapping.path, holder, key))
        draft.lenient.discard((*mapping.path, holder))


def explain_group(draft: Draft, mapping: Mapping, unknown: list[str]) -> list[str]:
    """Report several keys that belong in one mapping below, under their name or another tool's, once."""
    groups: dict[Pattern, dict[str, Site]] = {}
    for key in unknown:
        site = (
            None
            if is_platform(draft)
            else general_site(draft, GENERAL.get(key)) or _nearest_site(draft, mapping, key)
        )
        if (
            site is not None
            and len(site.pattern) == len(mapping.pattern) + 1
            and site.pattern[:-1] == mapping.pattern
        ):
            groups.setdefault(site.pattern, {})[key] = site
    for pattern, found in groups.items():
        present = mapping.value.get(pattern[-1])
        if len(found) > 1 and (not present or isinstance(present, dict)):
            holder = pattern[-1]
            inner = {
                site.key: repaired(annotation_of(site.field), mapping.value[key], site.field)
                for key, site in found.items()
            }
            if present:
                inner = {**written(draft, (*mapping.path, holder)), **inner}
            message = f"{listed(list(found))} belong in `{holder}`"
            document, local = draft.document((*mapping.path, next(iter(found))))
            hint = f"write `{holder}: {flow(inner)}`"
            draft.findings.append(document.finding("SPEC102", local, message, hint, key=True))
            for key, site in found.items():
                if present and site.key in present:
                    present.pop(site.key)
                draft.move((*mapping.path, key), (*mapping.path, holder, site.key))
                draft.reported.add((*mapping.path, holder, site.key))
            unknown = [key for key in unknown if key not in found]
    return unknown


def explain_elsewhere(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a key of the language that is written at the wrong level."""
    site = _nearest_site(draft, mapping, key)
    if site is None or (
        key in GENERAL and len(site.pattern) > len(mapping.pattern) + 2 and not is_platform(draft)
    ):
        return False
    relocate(draft, mapping, key, site, f"`{key}` belongs in {name_of(site.pattern)}, not in {mapping.name}")
    return True


def _nearest_site(draft: Draft, mapping: Mapping, key: str) -> Site | None:
    """Return the nearest place of a key; None for common keys that do not belong right above."""
    ranked = []
    for site in sites(draft.record):
        if site.key != key or site.pattern == mapping.pattern:
            continue
        shared = _shared(site.pattern, mapping.pattern)
        up, down = len(mapping.pattern) - shared, len(site.pattern) - shared
        below = site.pattern[shared:]
        sideways = up > 0 and down > 0
        if sideways and "[]" in mapping.pattern[shared:]:
            # A part of a list item: a key of the same name elsewhere is another thing.
            continue
        if down > _DEEPEST or (sideways and ("[]" in below or "{}" in below)) or (sideways and key in COMMON):
            continue
        if key in COMMON and not _fits(mapping, key, site):
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


def explain_misspelt_below(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a misspelt key that belongs one level below."""
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
    relocate(draft, mapping, key, site, message)
    return True


def general_site(draft: Draft, habit: Habit | None) -> Site | None:
    """Return our key for a habit; None if the file can't have it."""
    if not isinstance(habit, Put):
        return None
    path = habit.path[1:]
    return next((site for site in sites(draft.record) if (*site.pattern, site.key) == path), None)


def relocate(draft: Draft, mapping: Mapping, key: str, site: Site, message: str) -> None:
    """Report a misplaced key with its line at the right place, and move it there if that place is free."""
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
        draft.reported.add(old)
        return
    foreign = translated != mapping.value[key]
    draft.move(old, new)
    if foreign or value != draft.at(new):
        draft.reported.add(new)


def _translated(draft: Draft, pattern: Pattern, value: Any) -> Any:
    """Return a mapping with the keys of other tools renamed to ours."""
    table = habits_at(draft, pattern)
    if not isinstance(value, dict) or not table:
        return value
    ours = {
        key: habit.path[0] for key, habit in table.items() if isinstance(habit, Put) and len(habit.path) == 1
    }
    return {ours.get(key, key): item for key, item in value.items()}


def _outward(draft: Draft, old: Path, new: Path, value: Any, *, renamed: bool) -> str:
    """Return the hint for a key that is one or more levels too deep."""
    holder = draft.at(new[:-1]) or {}
    sibling = next((name for name in holder if draft.begins_line((*new[:-1], name))), "")
    column = draft.indent((*new[:-1], sibling)) if sibling else -1
    if column >= 0 and not renamed and draft.begins_line(old):
        return f"indent it by {column} spaces, like `{sibling}`: `{' ' * column}{line_of(old[-1], value)}`"
    after = f", next to `{sibling}`" if sibling else ""
    return f"write `{line_of(new[-1], value)}` there{after}"


def _inward(draft: Draft, base: Path, new: Path, value: Any, site: Site, *, indentable: bool) -> str:
    """Return the hint for a key that is not deep enough, or in the wrong branch: a minimal form with its value."""
    names = site.pattern[len(base) :]
    if indentable and new[:-1] == _SPEC and not isinstance(value, (dict, list)):
        return f"move it under `spec:`, next to `tier`: `  {line_of(new[-1], value)}`"
    if indentable and new[:-1] == _SPEC:
        return "indent it, and the lines below it, by 2 spaces: it goes under `spec:`, next to `tier`"
    present = draft.at((*base, names[0])) if names else None
    inner: Any = {site.key: value}
    for part in reversed(names[1:]):
        inner = [inner] if part == "[]" else {"NAME": inner} if part == "{}" else {part: inner}
    if len(names) == 1 and isinstance(present, dict):
        inner = {**written(draft, (*base, names[0])), **inner}
    elif len(names) == 1 and present is not None:
        inner = {**_unwrapped(draft, site, present), **inner}
    text = f"{names[0]}: {flow(inner)}" if names else f"{site.key}: {flow(value)}"
    if len(text) <= LONG:
        return f"write `{text}`"
    short = flow(value)
    return (
        f"add `{site.key}: {short}` to {name_of(site.pattern)}"
        if len(short) <= LONG
        else f"indent it under `{names[-1]}:`"
    )


def _unwrapped(draft: Draft, site: Site, value: Any) -> dict[str, Any]:
    """Return one value, written in the place of a mapping, under the key of that mapping that lacks one."""
    records = [
        record
        for around in sites(draft.record)
        if around.key == site.pattern[-1]
        for record in models(annotation_of(around.field))
        if site.key in fields(record)
    ]
    for record in records:
        missing = [key for key, info in fields(record).items() if info.is_required() and key != site.key]
        if len(missing) == 1 and accepts(annotation_of(fields(record)[missing[0]]), value):
            return {missing[0]: value}
    return {}
