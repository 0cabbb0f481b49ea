"""Keys that have another name here: misspelt keys, words of other tools, and longer or doubled forms."""

from __future__ import annotations

import re

from generator.source.characters import LOOKALIKES, oddities, straighten
from generator.source.flow import flow
from generator.source.suggest import misspelt
from generator.spec.mistakes.annotations import accepts, annotation_of, collection, models
from generator.spec.mistakes.draft import Draft
from generator.spec.mistakes.habits import Put
from generator.spec.mistakes.kinds import synonym
from generator.spec.mistakes.mappings import Mapping, bare, habits_at, line_of
from generator.spec.mistakes.suggestions import is_text, repaired


def explain_misspelt(draft: Draft, mapping: Mapping, key: str, *, exact: bool = False) -> bool:
    """Report a misspelt key; with `exact`, only one that differs in case, separators or odd characters."""
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
        line = line_of(fixed, mapping.value[key])
        _rename(
            draft, mapping, key, fixed, f"a space is missing after the dash of `{key}`", f"write `- {line}`"
        )
        return True
    likely = misspelt(key, free)
    if not likely or (exact and bare(likely) != bare(key)):
        return False
    message = f"unknown key `{key}` in {place_name(draft, mapping, key)}"
    _rename(draft, mapping, key, likely, message, f"did you mean `{likely}`?")
    return True


def place_name(draft: Draft, mapping: Mapping, key: str) -> str:
    """Return the name of a mapping in messages; the overrides of an environment have its name."""
    _, local = draft.document((*mapping.path, key))
    return f"`{local[-2]}`" if local[-3:-2] == ("environments",) else mapping.name


def _rename(draft: Draft, mapping: Mapping, key: str, right: str, message: str, hint: str) -> None:
    document, local = draft.document((*mapping.path, key))
    info, value = mapping.known[right], mapping.value[key]
    annotation = annotation_of(info)
    structured = bool(models(annotation) or collection(annotation)) or isinstance(value, (dict, list))
    shape = repaired(annotation, value, info) if structured else value
    reshaped = shape != value and accepts(annotation, shape)
    if reshaped:
        hint = f"did you mean `{right}: {flow(shape)}`?"
    draft.findings.append(document.finding("SPEC102", local, message, hint, key=True))
    draft.move((*mapping.path, key), (*mapping.path, right))
    if reshaped:
        draft.reported.add((*mapping.path, right))


def explain_by_part(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a key of several words of which one is another tool's word for ours: `maxErrorRate` for `limit`."""
    parts = [part.casefold() for part in re.findall(r"[A-Z]?[a-z]+", key)]
    table = habits_at(draft, mapping.pattern)
    for part in (parts[0], parts[-1]) if len(parts) > 1 else ():
        habit = table.get(part)
        ours = habit.path[0] if isinstance(habit, Put) else part
        info = mapping.known.get(ours)
        if info is None or ours in mapping.value or is_text(annotation_of(info)):
            continue
        value = repaired(annotation_of(info), mapping.value[key], info)
        if accepts(annotation_of(info), value) and not isinstance(value, bool):
            _rename(
                draft, mapping, key, ours, f"`{key}` is called `{ours}`", f"write `{line_of(ours, value)}`"
            )
            draft.reported.add((*mapping.path, ours))
            return True
    return False


def explain_synonym(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report another tool's word for a key of this mapping."""
    free = tuple(name for name in mapping.known if name not in mapping.value)
    ours = synonym(key, free)
    if not ours:
        return False
    value = repaired(annotation_of(mapping.known[ours]), mapping.value[key], mapping.known[ours])
    message = f"`{key}` is called `{ours}`"
    _rename(draft, mapping, key, ours, message, f"write `{line_of(ours, value)}`")
    return True


def explain_longer(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a key with one word more than ours: `watchFor` for `watch`."""
    words_of_key = re.findall(r"[A-Z]?[a-z0-9]+", key)
    free = [name for name in mapping.known if name not in mapping.value]
    near = [name for name in free if re.findall(r"[A-Z]?[a-z0-9]+", name) == words_of_key[:-1]]
    if not near:
        return False
    value = repaired(annotation_of(mapping.known[near[0]]), mapping.value[key], mapping.known[near[0]])
    if not accepts(annotation_of(mapping.known[near[0]]), value):
        return False
    message = f"unknown key `{key}` in {place_name(draft, mapping, key)}"
    _rename(draft, mapping, key, near[0], message, f"did you mean `{near[0]}: {flow(value)}`?")
    draft.reported.add((*mapping.path, near[0]))
    return True


def explain_doubled(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a key that is almost the same as one that the mapping already has."""
    document, local = draft.document((*mapping.path, key))
    there = misspelt(key, [known for known in mapping.known if document.has((*local[:-1], known))])
    if not there:
        return False
    line = document.place((*local[:-1], there), key=True).line
    message = f"unknown key `{key}` in {place_name(draft, mapping, key)}; `{there}` is on line {line}"
    draft.report(
        "SPEC102", (*mapping.path, key), message, f"remove it, or move its value to `{there}`", key=True
    )
    return True


def explain_replacement(draft: Draft, mapping: Mapping, key: str, *, exact: bool = False) -> bool:
    """Report the only unknown key of a mapping that lacks one key, if its value fits there (`exact`: as it is)."""
    keys = mapping.known
    unknown = [name for name in mapping.value if name not in keys]
    missing = [name for name, info in keys.items() if info.is_required() and name not in mapping.value]
    if len(unknown) != 1 or len(missing) != 1 or len(mapping.records) != 1:
        return False
    info = mapping.known[missing[0]]
    fits = accepts(annotation_of(info), mapping.value[key]) and not is_text(annotation_of(info))
    if exact and not fits:
        return False
    value = repaired(annotation_of(info), mapping.value[key], info)
    if not accepts(annotation_of(info), value):
        return False
    message = f"unknown key `{key}` in {mapping.name}, which lacks `{missing[0]}`"
    _rename(draft, mapping, key, missing[0], message, f"did you mean `{missing[0]}: {flow(value)}`?")
    draft.reported.add((*mapping.path, missing[0]))
    return True
