"""The content of a value in another shape: lists, mappings by name, and records."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
from generator.spec.mistakes.samples import first_choice, sample_value, smallest

EVERY: Final = frozenset({"all", "any", "every", "everything", "*", "none", "auto", "default"})
"""Words for a whole list, which has to be written."""


def proposals(target: Target, value: Any) -> Iterator[Any]:
    """Yield values in the shape of a place with the content of a value, the likeliest first."""
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
    parts, spaced = [part.strip() for part in re.split(r"[,;|\n]", value)], value.split()
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
            required = smallest(record) if record else {}
            yield {key: repaired(item, inner) for key, inner in named.items()}
            yield {key: {**required, **repaired(item, inner)} for key, inner in named.items()}
            return
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
    from generator.spec.mistakes.suggestions import is_text, repaired

    known = fields(record)
    if isinstance(value, bool) and all(
        is_text(annotation_of(info)) or not accepts(annotation_of(info), value) for info in known.values()
    ):
        yield smallest(record)  # `shadow: true` asks for the usual one
        return
    header = isinstance(value, str) and re.fullmatch(r"[Xx]-[\w-]+", value)
    if header and {"header", "exact"} <= known.keys():
        yield {"header": value, "exact": "VALUE"}
        return
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
    return name == key or name != first_choice(record)


def _by_fitness(record: type[BaseModel], value: Any) -> list[str]:
    """Return the keys of a record, ordered by how well one plain value fits."""
    from generator.spec.mistakes.suggestions import candidates, is_text

    known = fields(record)

    def rank(key: str) -> tuple[bool, bool, bool]:
        target = Target((key,), (), record, known[key], annotation_of(known[key]))
        fits = accepts(target.annotation, value) or bool(candidates(target, value))
        return not fits, is_text(target.annotation), not known[key].is_required()

    return sorted(known, key=rank)
