"""Misplaced and unknown keys: reports their right place, their name in Sluice, or the keys that fit."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from generator.source.flow import flow
from generator.source.suggest import misspelt
from generator.spec.mistakes.annotations import (
    accepts,
    annotation_of,
    fields,
    sites,
    words,
)
from generator.spec.mistakes.draft import Draft
from generator.spec.mistakes.foreign_keys import explain_general, explain_habits
from generator.spec.mistakes.habits import GENERAL
from generator.spec.mistakes.mappings import Mapping, is_platform, line_of, words_of
from generator.spec.mistakes.proposals import named_item
from generator.spec.mistakes.relocation import (
    COMMON,
    explain_elsewhere,
    explain_group,
    explain_misspelt_below,
    explain_unindented,
)
from generator.spec.mistakes.renames import (
    explain_by_part,
    explain_doubled,
    explain_longer,
    explain_misspelt,
    explain_replacement,
    explain_synonym,
    place_name,
)
from generator.spec.mistakes.samples import sample_value
from generator.spec.mistakes.suggestions import is_text, repaired

_LISTED: Final = 6
_HALF: Final = 48


_EXPLAINED: Final = 50
"""Unknown keys of one mapping whose meaning is searched for; a file with more of them is not a slip."""


def explain_keys(draft: Draft, mapping: Mapping, unknown: list[str]) -> None:
    """Report every unknown key of a mapping (related ones once), and correct those that can be corrected."""
    if _wrong_telling_key(draft, mapping):
        return
    unknown = explain_unindented(draft, mapping, unknown)
    unknown = explain_habits(draft, mapping, unknown)
    unknown = explain_group(draft, mapping, unknown)
    for count, key in enumerate(unknown):
        if draft.is_reported((*mapping.path, key)):
            continue
        if count >= _EXPLAINED:
            _unknown(draft, mapping, key)
            continue
        if explain_misspelt(draft, mapping, key, exact=True) or _other_kind(draft, mapping, key):
            continue
        if not explain_elsewhere(draft, mapping, key):
            _other(draft, mapping, key)


def _wrong_telling_key(draft: Draft, mapping: Mapping) -> bool:
    """Report a word of another kind under the key of this one: `metric: demographic-parity-difference`."""
    own = {key for record in mapping.records for key in fields(record)}
    for record in mapping.others.values():
        for right, info in fields(record).items():
            known = [str(word) for word in words(annotation_of(info))]
            if right in own or not info.is_required() or len(known) < _SEVERAL:
                continue
            for key, value in mapping.value.items():
                word = misspelt(value, known) if key in own and isinstance(value, str) else ""
                if word:
                    message = f"`{value}` belongs under `{right}`, not under `{key}`"
                    path = (*mapping.path, key)
                    draft.report("SPEC102", path, message, f"write `{right}: {word}`", key=True)
                    draft.reported.discard(path)
                    draft.move(path, (*mapping.path, right))
                    draft.reported.add((*mapping.path, right))
                    return True
    return False


_SEVERAL = 2


def _other_kind(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a key of another kind of such a mapping: `steps` in a blue-green rollout, `approve` in a weight step."""
    kind = next((name for name, record in mapping.others.items() if key in fields(record)), "")
    if not kind:
        return False
    line = line_of(key, mapping.value[key])
    if mapping.pattern[-1:] == ("[]",):
        record = mapping.others[kind]
        values = (mapping.value[key], sample_value(record, key))
        own = next((one for one in values if accepts(record, {key: one})), None)
        hint = f"remove `{line}`" if own is None else f"write it as a separate item: `- {flow({key: own})}`"
    else:
        telling = next((name for name in ("strategy", "kind") if name in mapping.known), "")
        known = words_of(mapping.others[kind], telling) if telling else []
        hint = f"remove it, or write `{telling}: {known[0]}`" if known else "remove it"
    message = f"`{key}` belongs to {kind}, and this is {mapping.kind}"
    draft.report("SPEC102", (*mapping.path, key), message, hint, key=True)
    return True


def _other(draft: Draft, mapping: Mapping, key: str) -> None:
    """Report a key that does not exist in the language, or has another name elsewhere."""
    if explain_replacement(draft, mapping, key, exact=True):
        return
    habit = None if is_platform(draft) else GENERAL.get(key)
    if habit is not None and explain_general(draft, mapping, key, habit):
        return
    explainers = (
        _separator,
        _values_only,
        _wrapper,
        _pair,
        _only_value,
        _kind_as_key,
        explain_misspelt,
        explain_synonym,
        explain_by_part,
        explain_longer,
        explain_doubled,
        _override,
        _named_entry,
        explain_replacement,
        _of_platform,
    )
    if any(explainer(draft, mapping, key) for explainer in explainers):
        return
    if explain_misspelt_below(draft, mapping, key):
        return
    _unknown(draft, mapping, key)


def _unknown(draft: Draft, mapping: Mapping, key: str) -> None:
    message = f"unknown key `{key}` in {place_name(draft, mapping, key)}"
    draft.report("SPEC102", (*mapping.path, key), message, fitting(mapping), key=True)


def fitting(mapping: Mapping) -> str:
    """Return a hint: the keys that the mapping lacks, each with a short description."""
    free = {key: info for key, info in mapping.known.items() if key not in mapping.value}
    first = sorted(free, key=lambda key: not free[key].is_required())
    if not first:
        return "remove it; all keys that fit here are already set"
    listed = ", ".join(f"`{key}` ({_half(free[key])})" for key in first[:_LISTED])
    more = f"; `sluice schema` has {len(first) - _LISTED} more" if len(first) > _LISTED else ""
    return f"known keys: {listed}{more}"


def _half(info: FieldInfo) -> str:
    text = re.split(r"[;:(]", info.description or "")[0].strip()
    if len(text) <= _HALF:
        return text
    return text[:_HALF].rsplit(" ", 1)[0].rstrip(",") + "…"


def _of_platform(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a key of the platform in a spec, or a key of a spec in the platform."""
    from generator.spec.model import ModelFile
    from generator.spec.platform import PlatformFile

    if key in COMMON:
        return False
    other = ModelFile if is_platform(draft) else PlatformFile
    site = next((site for site in sites(other) if site.key == key and site.pattern[:1] == ("spec",)), None)
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


def _only_value(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a value without its key: `{number}` for `{type: number}`."""
    if mapping.value[key] is not None:
        return False
    for name, info in mapping.known.items():
        annotation = annotation_of(info)
        if (
            name not in mapping.value
            and info.is_required()
            and not is_text(annotation)
            and accepts(annotation, key)
        ):
            path = (*mapping.path, key)
            draft.report("SPEC102", path, f"`{key}` has no value", f"write `{name}: {key}`", key=True)
            draft.reported.add((*mapping.path, name))
            return True
    return False


def _kind_as_key(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a kind that is used as a key with its content below: `gatewayApi: {…}` for `kind: gateway-api`."""
    value = mapping.value[key]
    if not isinstance(value, dict) or not value.keys() <= mapping.known.keys() - mapping.value.keys():
        return False
    for name, info in mapping.known.items():
        word = misspelt(key, [str(one) for one in words(annotation_of(info))])
        if word and name not in mapping.value and info.is_required():
            fixed = {name: word, **mapping.value, **value}
            fixed.pop(key)
            message = f"`{key}` is a {name} of {mapping.name}, and the keys below it belong next to `{name}`"
            hint = f"write `{line_of(str(mapping.path[-1]), fixed) if mapping.path else flow(fixed)}`"
            if hint.endswith(":`"):
                hint = f"write `{name}: {word}`, and the keys below `{key}` next to it"
            draft.report("SPEC102", (*mapping.path, key), message, hint, key=True)
            draft.reported.update({mapping.path, *((*mapping.path, one) for one in fixed)})
            return True
    return False


def _separator(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a key without its colon: `traffic {minRps: 2000}`, `minRps=2000`."""
    found = re.match(r"(?P<key>[A-Za-z][\w-]*)(?P<mark>\s*(?:=>|:=|=)\s*|\s*(?=[{\[]))(?P<rest>\S.*)?", key)
    if found is None or found["key"] not in mapping.known:
        return False
    document, local = draft.document((*mapping.path, key))
    line = document.excerpt(document.place(local, key=True).line).strip()
    at = line.find(key) + found.end("key")
    fixed = f"{line[:at]}: {line[at + len(found['mark']) :].lstrip()}"
    mark = found["mark"].strip()
    message = (
        f"`{mark}` does not separate a key from its value"
        if mark
        else f"a colon is missing after `{found['key']}`"
    )
    draft.report("SPEC102", (*mapping.path, key), message, f"write `{fixed}`", key=True)
    draft.reported.add((*mapping.path, found["key"]))
    return True


def _values_only(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report two values without their keys in an item: `- 5%: 1h` for `{weight: 5%, hold: 1h}`."""
    value = mapping.value[key]
    if mapping.pattern[-1:] != ("[]",) or len(mapping.value) != 1 or isinstance(value, (dict, list)):
        return False
    for record in mapping.records:
        required = [name for name, info in fields(record).items() if info.is_required()]
        if len(required) != _SEVERAL or any(
            is_text(annotation_of(fields(record)[name])) for name in required
        ):
            continue
        fixed = repaired(record, dict(zip(required, (key, value), strict=True)))
        if accepts(record, fixed):
            message = f"`{key}` and `{value}` are values without their keys"
            draft.report("SPEC102", (*mapping.path, key), message, f"write `{flow(fixed)}`", key=True)
            draft.reported.add(mapping.path)
            return True
    return False


def _wrapper(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report an item whose keys are below one more key: `- step: {weight: 5%, hold: 1h}`."""
    value = mapping.value[key]
    if mapping.pattern[-1:] != ("[]",) or len(mapping.value) != 1 or not isinstance(value, dict):
        return False
    fixed = next((one for record in mapping.records if accepts(record, one := repaired(record, value))), None)
    if fixed is None:
        return False
    message = f"`{key}` is not needed: the keys below it belong directly in the item"
    draft.report("SPEC102", (*mapping.path, key), message, f"write `{flow(fixed)}`", key=True)
    draft.reported.add(mapping.path)
    return True


_PAIRS: Final = (("header", "exact"), ("name", "key"), ("name", "value"))


def _pair(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a name and its value that are written as a key and its value: `cohort: {x-user: internal}`."""
    value = mapping.value[key]
    item = mapping.pattern[-1:] == ("[]",)
    if item or len(mapping.value) != 1 or isinstance(value, (dict, list)) or value is None:
        return False
    for record in mapping.records:
        for first, second in _PAIRS:
            fixed = repaired(record, {first: key, second: value})
            if {first, second} <= fields(record).keys() and accepts(record, fixed):
                message = f"`{key}` is not a key: it belongs under `{first}`, and its value under `{second}`"
                holder = mapping.path[-1] if mapping.path and isinstance(mapping.path[-1], str) else ""
                hint = f"write `{line_of(holder, fixed) if holder else flow(fixed)}`"
                draft.report("SPEC102", (*mapping.path, key), message, hint, key=True)
                draft.reported.add(mapping.path)
                return True
    return False


def _override(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report the overrides of an environment that are not below `environments`."""
    value = mapping.value[key]
    if mapping.pattern != ("spec",) or is_platform(draft) or not isinstance(value, dict) or not value:
        return False
    if not value.keys() <= mapping.known.keys():
        return False
    message = f"unknown key `{key}` in `spec`; overrides of an environment belong in `environments`"
    draft.report(
        "SPEC102", (*mapping.path, key), message, f"write `environments: {flow({key: value})}`", key=True
    )
    return True


def _named_entry(draft: Draft, mapping: Mapping, key: str) -> bool:
    """Report a list item that is a name and its value: `- LOG_LEVEL: debug`."""
    if len(mapping.value) != 1 or mapping.pattern[-1:] != ("[]",):
        return False
    for record in mapping.records:
        item = named_item(record, key, mapping.value[key])
        if item is not None:
            fixed = repaired(record, item)
            first = next(iter(fixed))
            message = f"`{key}` is a name, so it belongs under `{first}`"
            around = draft.at(mapping.path[:-1])
            others = [_entry(record, one) for one in around] if isinstance(around, list) else []
            if len(others) > 1 and None not in others:
                holder = next(part for part in reversed(mapping.path) if isinstance(part, str))
                whole = f"{holder}: {flow(others)}"
                hint = f"write `{whole}`"
                draft.reported.add(mapping.path[:-1])
            else:
                hint = f"write `{flow(fixed)}`"
            draft.report("SPEC102", (*mapping.path, key), message, hint, key=True)
            draft.reported.add(mapping.path)
            return True
    return False


def _entry(record: type[BaseModel], item: Any) -> Any:
    """Return an item that is a name with its value as a mapping, and a valid item as it is; None for others."""
    if accepts(record, item):
        return item
    if not isinstance(item, dict) or len(item) != 1:
        return None
    ((name, value),) = item.items()
    found = named_item(record, str(name), value)
    return None if found is None else repaired(record, found)
