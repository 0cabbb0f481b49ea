"""Values that fit a place: repairs and examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.source.flow import flow
from generator.source.suggest import misspelt
from generator.spec.mistakes import repairs
from generator.spec.mistakes.amounts import LONGEST_TYPED, Repair, Typed, decimal, integer, without_comparison
from generator.spec.mistakes.annotations import (
    Target,
    accepts,
    annotation_of,
    collection,
    fields,
    models,
    options,
    scalar,
    words,
)
from generator.spec.mistakes.kinds import synonym
from generator.spec.mistakes.repairs import unquoted
from generator.spec.parsing import Unit
from generator.spec.units import unit_of

_SHOWN = 60


def shown(value: object, raw: str = "") -> str:
    """Return a value for a message: as it was typed, shortened if it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = raw if raw and "\n" not in raw else flow(value)
    return f"`{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}`"


def candidates(target: Target, value: object, raw: str = "") -> list[Repair]:
    """Return the repairs of a value that its field accepts, the likeliest first, each once."""
    text = unquoted(raw or _text(value))
    if len(text) > LONGEST_TYPED:
        return []
    plain = without_comparison(text)
    usual = usual_value(target)
    forms = (text, plain) if plain != text and not is_text(target.annotation) else (text,)
    found: dict[str, Repair] = {}
    for repair in (one for form in forms for one in _proposed(target.annotation, Typed(form, usual))):
        text = flow(repair.value)
        if text not in found and accepts(target.annotation, repair.value):
            found[text] = repair
    return list(found.values())


def repaired(annotation: Any, value: Any, field: Any = None) -> Any:
    """Return a value with everything corrected that has an obvious repair."""
    if accepts(annotation, value):
        return value
    keys = value.keys() if isinstance(value, dict) else set()
    record = max(models(annotation), key=lambda one: len(keys & fields(one).keys()), default=None)
    if isinstance(value, dict) and record is not None:
        known = fields(record)
        return {
            key: repaired(annotation_of(known[key]), item, known[key]) if key in known else item
            for key, item in value.items()
        }
    held = collection(annotation)
    if isinstance(value, list) and held is not None and held[0] is list:
        return [repaired(held[1], item) for item in value]
    target = Target((), (), None, field, annotation)
    if record is not None or held is not None or isinstance(value, (dict, list)):
        from generator.spec.mistakes.shapes import reshaped, simplest

        shape = reshaped(target, value) if record is not None or held is not None else simplest(target, value)
        return shape if shape is not None and accepts(annotation, shape) else value
    return next((repair.value for repair in candidates(target, value)), value)


def example(target: Target) -> str:
    """Return an example value for a place as users write it; empty if there is none."""
    usual = usual_value(target)
    if usual:
        return flow(usual) if scalar(target.annotation) is str else usual
    known = words(target.annotation)
    if known:
        return flow(known[0])
    kind = scalar(target.annotation)
    return {int: "1", float: "1", bool: "true", str: "text"}.get(kind, "") if kind else ""


def _proposed(annotation: Any, typed: Typed) -> Iterator[Repair]:
    for unit in _units(annotation):
        yield from repairs.UNITS[unit](typed)
    known = words(annotation)
    if known:
        yield from (Repair(word) for word in _near_words(typed.text, known))
    kind = scalar(annotation)
    if kind is bool:
        yield from repairs.boolean(typed)
    elif kind is int:
        yield from integer(typed)
    elif kind is float:
        yield from decimal(typed)
    elif kind is str:
        yield from repairs.text(typed)


def _near_words(text: str, known: tuple[Any, ...]) -> list[Any]:
    """Return the words that a text may mean: the same word, a misspelt one, or another tool's."""
    by_text = {str(word): word for word in known}
    first = text.split("(", maxsplit=1)[0].strip()
    last = re.split(r"[./:]", first)[-1]  # `np.int64`, `sklearn.svm`
    for found in (
        text if text in by_text else "",
        misspelt(first, by_text),
        synonym(first, tuple(by_text)),
        synonym(last, tuple(by_text)),
    ):
        if found:
            return [by_text[found]]
    digits = re.sub(r"\D", "", first)
    same = [by_text[word] for word in by_text if digits and re.sub(r"\D", "", word) == digits]
    if len(same) == 1 and all(re.fullmatch(r"[\d.]+", word) for word in by_text):
        return same  # `py311`
    inside = [by_text[word] for word in by_text if len(word) > 2 and word in first]
    if len(inside) == 1:
        return inside
    return [by_text[word] for word in by_text if len(first) > 2 and word.startswith(first.casefold())]


def _units(annotation: Any) -> list[str]:
    """Return the units of the spec language that a value may have."""
    found = [unit_of(getattr(option, "__metadata__", ())) for option in (annotation, *options(annotation))]
    return list(dict.fromkeys(unit for unit in found if unit in repairs.UNITS))


_TEXTS = frozenset({"Name", "Key", "Line", "Word", "Variable", "Header", "Path", "Host", "URL"})


def is_text(annotation: Any) -> bool:
    """Return whether a place accepts names or free text, to which almost every value can be adapted."""
    units = _units(annotation)
    return bool(set(units) & _TEXTS) or (not units and scalar(annotation) is str)


def usual_value(target: Target) -> str:
    """Return a typical value for a place: the example of the field, else of the unit."""
    examples = getattr(target.field, "examples", None) or []
    if examples:
        first = examples[0]
        if isinstance(first, list) and target.path and isinstance(target.path[-1], int):
            first = first[0]
        return first if isinstance(first, str) else flow(first)
    return unit_example(target.annotation)


def unit_example(annotation: Any) -> str:
    """Return the example of a value's unit; empty for a value without a unit."""
    for option in (annotation, *options(annotation)):
        for item in getattr(option, "__metadata__", ()):
            if isinstance(item, Unit):
                return item.example
    return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else flow(value)
