"""Values of the wrong shape, such as a list instead of a mapping: suggests the same content in the right shape."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from generator.source.flow import flow
from generator.spec.mistakes.annotations import (
    Target,
    accepts,
    annotation_of,
    collection,
    fields,
    models,
    words,
)
from generator.spec.mistakes.proposals import proposals
from generator.spec.mistakes.samples import smallest

_LONG = 160
_MAIN: Final = frozenset(
    {"value", "amount", "default", "target", "total", "count", "number", "size", "expected"}
)
"""Keys of the main number among several."""


def explain_entries(target: Target, value: Any, key: str) -> tuple[str, str, str]:
    """Return code, message and hint for a list or mapping with several entries of the wrong shape."""
    inner = collection(target.annotation)
    item = replace(target, path=(*target.path, 0), annotation=inner[1] if inner else None)
    entries = list(value.values()) if isinstance(value, dict) else value
    fixed = [one if accepts(item.annotation, one) else reshaped(item, one) for one in entries]
    whole = dict(zip(value, fixed, strict=True)) if isinstance(value, dict) else fixed
    text = f"{key}: {flow(whole)}"
    what = "entries" if isinstance(value, dict) else "items"
    message = f"the {what} of `{key}` are mappings, not plain values"
    fits = None not in fixed and len(text) <= _LONG
    return "SPEC104", message, f"write `{text}`" if fits else _generic(target, key)


def explain_shape(target: Target, value: Any, key: str) -> tuple[str, str, str]:
    """Return code, message and hint for a value of the wrong shape.

    Args:
        target: its place.
        value: the value.
        key: the key that it belongs to.
    """
    from generator.spec.mistakes.suggestions import shown

    held = collection(target.annotation)
    expected = "a list" if held and held[0] is list else "a mapping"
    item = bool(target.path) and isinstance(target.path[-1], int)
    message = f"expected {expected} for `{key}`, not {shown(value)}"
    if item:
        message = f"each item of `{key}` is {expected}, not {shown(value)}"
    dash = _dash_too_much(target, value)
    if dash:
        return "SPEC104", f"`{key}` is a mapping: the dash before `{dash}` makes it a list", "remove the dash"
    other = _word_of_another_key(target, value)
    if other:
        return "SPEC104", message, f"write `{other}: {value}` and next to it, {_generic(target, key)}"
    if isinstance(value, str) and value.endswith(".txt") and key == "requirements":
        return (
            "SPEC104",
            message,
            f"{_generic(target, key)}; `sluice pin` writes the file with all versions and hashes",
        )
    found = None if _is_example_better(target, value) else reshaped(target, _ours(target, value))
    if found is None:
        return "SPEC104", message, _generic(target, key)
    text = flow(found)
    if len(text) > _LONG and isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict):
        first, inner = next(iter(found[0].items()))
        hint = f"write a dash before the first key: `- {first}: {flow(inner)}`, and the others below it"
        return "SPEC104", message, hint
    if len(text) > _LONG:
        return "SPEC104", message, _generic(target, key)
    return "SPEC104", message, f"write `{text}`" if item else f"write `{key}: {text}`"


def _dash_too_much(target: Target, value: Any) -> str:
    """Return the first key of a long mapping that was written as the only item of a list; empty for others."""
    if not (isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and value[0]):
        return ""
    known = {key for record in models(target.annotation) for key in fields(record)}
    return str(next(iter(value[0]))) if value[0].keys() <= known and len(flow(value[0])) > _LONG else ""


def _word_of_another_key(target: Target, value: Any) -> str:
    """Return the key next to a mapping that a word belongs to: in `drift: psi` that is `tool`; empty for none."""
    if not isinstance(value, str) or target.owner is None or collection(target.annotation):
        return ""
    own = {
        word
        for record in models(target.annotation)
        for info in fields(record).values()
        for word in words(annotation_of(info))
    }
    known = fields(target.owner).items()
    return next((key for key, info in known if value not in own and value in words(annotation_of(info))), "")


def _is_example_better(target: Target, value: Any) -> bool:
    """Return whether one plain value stands for an item of Kubernetes, whose keys are not known here."""
    held = collection(target.annotation)
    inner = collection(held[1]) if held is not None and held[0] is list else None
    return inner is not None and inner[0] is dict and not isinstance(value, (dict, list))


def _ours(target: Target, value: Any) -> Any:
    """Return named entries with the keys of other tools renamed to ours: `{TOKEN: {valueFrom: {secretKeyRef: …}}}`."""
    from generator.spec.mistakes.habits import Put
    from generator.spec.mistakes.habits_by_place import AT

    table = AT.get((*target.pattern, "[]"), {})
    if (
        not table
        or not isinstance(value, dict)
        or not all(isinstance(inner, dict) for inner in value.values())
    ):
        return value
    ours = {key: habit.path[0] for key, habit in table.items() if isinstance(habit, Put)}

    def plain(inner: Any) -> Any:
        wrapped = isinstance(inner, dict) and len(inner) == 1 and next(iter(inner)) in table
        return plain(next(iter(inner.values()))) if wrapped else inner

    return {
        name: {ours.get(key, key): plain(item) for key, item in inner.items()}
        for name, inner in value.items()
    }


def _generic(target: Target, key: str) -> str:
    held = collection(target.annotation)
    if held is None:
        record = next(iter(models(target.annotation)), None)
        if record is None:
            return "write a mapping of keys"
        text = flow(smallest(record))
        item = bool(target.path) and isinstance(target.path[-1], int)
        return f"for example `{text}`" if item else f"for example `{key}: {text}`"
    inner = next(iter(models(held[1])), None)
    examples = getattr(target.field, "examples", None) or [None]
    usual = examples[0][0] if isinstance(examples[0], list) and examples[0] else None
    entry: Any = smallest(inner) if inner else usual or _item_example(target, held[1])
    example = [entry] if held[0] is list else {"NAME": entry}
    kind = "write one `- ` per item" if held[0] is list else "write one key per entry"
    return f"{kind}, for example `{key}: {flow(example)}`"


def _item_example(target: Target, item: Any) -> str:
    from generator.spec.mistakes.suggestions import example

    return example(replace(target, path=(*target.path, 0), annotation=item))


def reshaped(target: Target, value: Any) -> Any:
    """Return the content of a value in the shape of its place; None if that is impossible."""
    found = [*proposals(target, value)]
    if target.owner is not None and "outcome" not in fields(target.owner):
        # A guard of a metric detects a rise, which the type of `detect` does not show.
        found.sort(key=lambda proposal: isinstance(proposal, dict) and "drop" in proposal)
    for proposal in found:
        if accepts(target.annotation, proposal):
            return proposal
    held = collection(target.annotation)
    has_keys = bool(models(target.annotation) or (held and models(held[1])))
    return found[0] if found and has_keys else None


def simplest(target: Target, value: Any) -> Any:
    """Return the only plain value in a list or mapping that its place accepts, repaired; None for none or several."""
    from generator.spec.mistakes.suggestions import candidates

    if isinstance(value, dict) and len(value) > 1:
        own = re.match(r"[a-z]*", str(target.path[-1]) if target.path else "")
        main = [key for key in value if key in _MAIN or (own and key == own[0])]
        value = {main[0]: value[main[0]]} if len(main) == 1 else value
    items = list(value.values()) if isinstance(value, dict) else list(value)
    found = []
    for key, item in zip(value if isinstance(value, dict) else items, items, strict=True):
        if isinstance(item, (dict, list)):
            found += (
                [key]
                if accepts(target.annotation, key)
                else [inner for inner in [simplest(target, item)] if inner is not None]
            )
            continue
        # `hold: {minutes: 5}`: the key is the unit.
        texts = (
            [flow(item).strip('"'), f"{item} {key}"] if isinstance(value, dict) else [flow(item).strip('"')]
        )
        fits = [one.value for text in reversed(texts) for one in candidates(target, text, text)[:1]]
        found += [item] if accepts(target.annotation, item) else fits[:1]
    return found[0] if len(found) == 1 else None
