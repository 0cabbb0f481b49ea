"""Example values: the smallest mapping of a record, and one value of a key."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from generator.spec.mistakes.annotations import Target, accepts, annotation_of, collection, fields, models


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
    choice = "rise" if harm_is_a_rise else first_choice(record)
    for key, info in fields(record).items():
        if info.is_required() or key == choice:
            annotation = annotation_of(info)
            inner = models(annotation)
            held = collection(annotation)
            if inner and not info.examples:
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


def first_choice(record: type[BaseModel]) -> str:
    """Return the first key of a group of which one is needed."""
    names = getattr(record, "one_of", ()) or getattr(record, "any_of", ())
    known = {name: info.alias or name for name, info in record.model_fields.items()}
    return known.get(names[0], "") if names else ""


def _value(text: str, annotation: Any) -> Any:
    for value in (text, int(text) if text.isdecimal() else None):
        if value is not None and accepts(annotation, value):
            return value
    return text
