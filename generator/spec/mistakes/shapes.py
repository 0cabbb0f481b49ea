"""Values of the wrong shape, such as a list instead of a mapping: suggests the same content in the right shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel

from generator.source.flow import flow
from generator.spec.mistakes.amounts import LONGEST_TYPED
from generator.spec.mistakes.annotations import (
    Target,
    accepts,
    aliases,
    annotation_of,
    collection,
    fields,
    models,
    words,
)
from generator.spec.mistakes.one_text import compared, mappings_in

_LONG = 160
EVERY: Final = frozenset({"all", "any", "every", "everything", "*", "none", "auto", "default"})
"""Words for a whole list, which has to be written."""
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
    found = reshaped(target, _ours(target, value))
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
    entry: Any = smallest(inner) if inner else _item_example(target, held[1])
    example = [entry] if held[0] is list else {"NAME": entry}
    kind = "write one `- ` per item" if held[0] is list else "write one key per entry"
    return f"{kind}, for example `{key}: {flow(example)}`"


def _item_example(target: Target, item: Any) -> str:
    from generator.spec.mistakes.suggestions import example

    return example(replace(target, path=(*target.path, 0), annotation=item))


def reshaped(target: Target, value: Any) -> Any:
    """Return the content of a value in the shape of its place; None if that is impossible."""
    proposals = [*_proposals(target, value)]
    if target.owner is not None and "outcome" not in fields(target.owner):
        # A guard of a metric detects a rise, which the type of `detect` does not show.
        proposals.sort(key=lambda proposal: isinstance(proposal, dict) and "drop" in proposal)
    for proposal in proposals:
        if accepts(target.annotation, proposal):
            return proposal
    held = collection(target.annotation)
    has_keys = bool(models(target.annotation) or (held and models(held[1])))
    return proposals[0] if proposals and has_keys else None


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


def smallest(record: type[BaseModel], owner: type[BaseModel] | None = None) -> dict[str, Any]:
    """Return the smallest mapping of a record: its required keys with example values.

    Args:
        record: the record.
        owner: the record around it, if that decides between alternatives.
    """
    out: dict[str, Any] = {}
    harm_is_a_rise = (
        owner is not None and "outcome" not in fields(owner) and {"drop", "rise"} <= set(fields(record))
    )
    choice = "rise" if harm_is_a_rise else _first_choice(record)
    for key, info in fields(record).items():
        if info.is_required() or key == choice:
            annotation = annotation_of(info)
            inner = models(annotation)
            held = collection(annotation)
            if inner:
                out[key] = smallest(inner[0], record)
            elif held is not None and models(held[1]):
                one = smallest(models(held[1])[0])
                out[key] = [one] if held[0] is list else {"NAME": one}
            else:
                out[key] = info.examples[0] if info.examples else sample_value(record, key)
    return out


def sample_value(record: type[BaseModel], key: str) -> Any:
    """Return an example value of a key for the file."""
    from generator.spec.mistakes.suggestions import example, usual_value

    info = fields(record)[key]
    target = Target((key,), (), record, info, annotation_of(info))
    return _value(usual_value(target) or example(target), target.annotation)


def _first_choice(record: type[BaseModel]) -> str:
    """Return the first key of a group of which one is needed."""
    names = getattr(record, "one_of", ()) or getattr(record, "any_of", ())
    known = {name: info.alias or name for name, info in record.model_fields.items()}
    return known.get(names[0], "") if names else ""


def _value(text: str, annotation: Any) -> Any:
    for value in (text, int(text) if text.isdecimal() else None):
        if value is not None and accepts(annotation, value):
            return value
    return text


def _proposals(target: Target, value: Any) -> Iterator[Any]:
    if isinstance(value, str) and len(value) > LONGEST_TYPED:
        return
    held = collection(target.annotation)
    if held is not None and held[0] is list:
        yield from _lists(held[1], value)
    elif held is not None:
        yield from _mappings(held[1], value)
    else:
        yield from _by_word(models(target.annotation), value)
        records = models(target.annotation)
        yield from (found for record in records for found in compared(record, value))
        for record in records:
            yield from _records(record, value)


def _by_word(records: list[type[BaseModel]], value: Any) -> Iterator[dict[str, Any]]:
    """Yield mappings for a word that only one key accepts, such as the metric of a guard."""
    if isinstance(value, str):
        for record in records:
            for key, info in fields(record).items():
                if value in words(annotation_of(info)):
                    yield {
                        key: value,
                        **{name: item for name, item in smallest(record).items() if name != key},
                    }


def _lists(item: Any, value: Any) -> Iterator[list[Any]]:
    """Yield lists with the content of a mapping or of one value."""
    from generator.spec.mistakes.suggestions import repaired

    records = models(item)
    if isinstance(value, dict):
        yield from (rows for record in records for rows in _rows(record, value))
        inner_lists = [inner for inner in value.values() if isinstance(inner, list)]
        if not records and len(value) == 1 and inner_lists:
            yield inner_lists[0]
        if any(value.keys() & aliases(record) for record in records):
            yield [repaired(item, value)]
        every = [[named_item(record, str(key), inner) for key, inner in value.items()] for record in records]
        whole = [named for named in every if all(one is not None for one in named)]
        yield from (named for named in whole if all(accepts(item, one) for one in named))
        yield from ([repaired(item, one) for one in named] for named in whole)
        if not records:
            yield [key if inner is None or inner is True else inner for key, inner in value.items()]
    elif isinstance(value, str) and not records:
        yield from _listed(item, value)
    elif records and value is not None:
        yield from ([one] for record in records for one in _records(record, value))
    elif value is not None:
        yield [repaired(item, value)]


def _rows(record: type[BaseModel], value: dict[str, Any]) -> Iterator[list[Any]]:
    """Yield the items of lists by key: `{weights: [5%, 25%], hold: 1h}` are two steps."""
    from generator.spec.mistakes.suggestions import repaired

    ours = {
        key if key in fields(record) else str(key).removesuffix("s"): inner for key, inner in value.items()
    }
    lengths = {len(inner) for inner in ours.values() if isinstance(inner, list)}
    if len(lengths) == 1 and ours.keys() <= fields(record).keys():
        rows = [
            {key: inner[at] if isinstance(inner, list) else inner for key, inner in ours.items()}
            for at in range(lengths.pop())
        ]
        yield [repaired(record, row) for row in rows]


def _listed(item: Any, value: str) -> Iterator[list[Any]]:
    """Yield lists with the parts of a text: separated by commas, semicolons or bars, else by blanks."""
    from generator.spec.mistakes.suggestions import repaired

    if value.strip().casefold() in EVERY:
        return
    parts, spaced = [part.strip() for part in re.split(r"[,;|]", value)], value.split()
    only_blanks = len(parts) == 1 and not accepts(item, value)
    splits = (
        (spaced, parts) if only_blanks and all(accepts(item, part) for part in spaced) else (parts, spaced)
    )
    yield from ([repaired(item, part) for part in split if part] for split in splits if split)


def named_item(record: type[BaseModel], key: str, inner: Any) -> dict[str, Any] | None:
    """Return an entry such as `LOG_LEVEL: debug` as an item with that name in it; None if that is impossible."""
    known = fields(record)
    naming = next((name for name in ("name", "metric", "outcome", "model", "code") if name in known), "")
    literal = next((name for name, info in known.items() if key in words(annotation_of(info))), "")
    first = literal or naming
    if not first:
        return None
    if isinstance(inner, dict):
        return {first: key, **inner}
    if {"name", "metric", "atLeast"} <= known.keys() and isinstance(inner, (int, float)):
        named = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")
        return {"name": named, "metric": key, "atLeast": inner}
    rest = [name for name in known if name != first and not isinstance(inner, list)]
    for name in rest:
        if accepts(annotation_of(known[name]), inner):
            found = {first: key, name: inner}
            missing = [other for other, info in known.items() if info.is_required() and other not in found]
            few = missing if first == "code" else []
            return found | {other: sample_value(record, other) for other in few}
    if isinstance(inner, (int, float, bool)) and "value" in known:
        return {first: key, "value": flow(inner)}
    return _named_amount(record, first, key, inner)


def _named_amount(record: type[BaseModel], first: str, key: str, inner: Any) -> dict[str, Any] | None:
    """Return a name with an amount that has to be repaired: `error-rate: <5%`."""
    from generator.spec.mistakes.suggestions import is_text, repaired

    known = fields(record)
    for name in () if isinstance(inner, (dict, list)) else known:
        annotation = annotation_of(known[name])
        plain = name != first and not is_text(annotation) and not models(annotation)
        value = repaired(annotation, inner, known[name]) if plain else None
        if value is not None and accepts(annotation, value) and accepts(record, {first: key, name: value}):
            return {first: key, name: value}
    return None


def _mappings(item: Any, value: Any) -> Iterator[dict[str, Any]]:
    """Yield mappings by name with the content of a list or of one value."""
    from generator.spec.mistakes.suggestions import repaired

    record = next(iter(models(item)), None)
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        named = {
            str(_name_of(one)): {k: v for k, v in one.items() if k != "name"}
            for one in value
            if _name_of(one)
        }
        if len(named) == len(value):
            yield {key: repaired(item, inner) for key, inner in named.items()}
        yield {str(key): repaired(item, inner) for one in value for key, inner in one.items()}
    elif isinstance(value, list):
        base = smallest(record) if record else {}
        yield {str(one): base for one in value if not isinstance(one, (dict, list))}
    elif isinstance(value, str):
        base = smallest(record) if record else {}
        yield {part.strip(): base for part in value.split(",") if part.strip()}


def _name_of(entry: dict[str, Any]) -> Any:
    return entry.get("name")


def _records(record: type[BaseModel], value: Any) -> Iterator[dict[str, Any]]:
    """Yield mappings of a record with the content of a list or of one value."""
    if isinstance(value, list):
        yield from _of_list(record, value)
    elif not isinstance(value, dict) and value is not None:
        yield from _of_value(record, value)


def _of_list(record: type[BaseModel], value: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield mappings with the entries of a list of mappings, or with one value for each required key."""
    from generator.spec.mistakes.suggestions import repaired

    known = fields(record)
    merged: dict[str, Any] = {}
    for one in value:
        merged.update(one if isinstance(one, dict) else {})
    if merged and merged.keys() & known.keys():
        yield repaired(record, merged)
    required = [key for key, info in known.items() if info.is_required()]
    if len(value) == 1 and not isinstance(value[0], (dict, list)):
        yield from _records(record, value[0])
    elif len(value) == len(required) and not any(isinstance(one, (dict, list)) for one in value):
        yield repaired(record, dict(zip(required, value, strict=True)))


def _of_value(record: type[BaseModel], value: Any) -> Iterator[dict[str, Any]]:
    """Yield mappings that have one value at the key that it fits best."""
    from generator.spec.mistakes.suggestions import repaired

    known = fields(record)
    between = re.fullmatch(r"(\d+)\s*(?:-|to|\.\.+)\s*(\d+)", value) if isinstance(value, str) else None
    if between and {"min", "max"} <= known.keys():
        yield {"min": int(between[1]), "max": int(between[2])}
        return
    if isinstance(value, str) and value in known:
        yield {value: sample_value(record, value)}
        return
    pair = re.split(r"[/:.]", value) if isinstance(value, str) else []
    if len(pair) == 2 and {"name", "key"} <= known.keys():
        yield {"name": pair[0], "key": pair[1]}
        return
    yield from mappings_in(record, value)
    for key in _by_fitness(record, value):
        target = Target((key,), (), record, known[key], annotation_of(known[key]))
        fixed = repaired(target.annotation, value, known[key])
        if accepts(target.annotation, fixed):
            yield {
                **{name: inner for name, inner in smallest(record).items() if _keeps(record, name, key)},
                key: fixed,
            }


def _keeps(record: type[BaseModel], name: str, key: str) -> bool:
    """Return whether an example value may be next to the chosen key: alternatives to it may not."""
    return name == key or name != _first_choice(record)


def _by_fitness(record: type[BaseModel], value: Any) -> list[str]:
    """Return the keys of a record, ordered by how well one plain value fits."""
    from generator.spec.mistakes.suggestions import candidates, is_text

    known = fields(record)

    def rank(key: str) -> tuple[bool, bool, bool]:
        target = Target((key,), (), record, known[key], annotation_of(known[key]))
        fits = accepts(target.annotation, value) or bool(candidates(target, value))
        return not fits, is_text(target.annotation), not known[key].is_required()

    return sorted(known, key=rank)
