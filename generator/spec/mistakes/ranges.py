"""Numbers outside their range, and lists that are too short or too long."""

from __future__ import annotations

from dataclasses import replace

from generator.source.flow import flow
from generator.spec.mistakes.annotations import Target, accepts, collection, model
from generator.spec.mistakes.refused import Answer, Refused
from generator.spec.mistakes.samples import smallest
from generator.spec.mistakes.suggestions import candidates, example, shown


def explain_range(refused: Refused) -> Answer:
    """Explain a number outside its range, or a list that is too short or too long."""
    context, key, kind = refused.context, refused.key, refused.kind
    if kind in {"too_short", "too_long"}:
        return _length(refused)
    for word, says, step in _BOUNDS:
        bound = context.get(word)
        if bound is not None:
            limit = flow(int(bound) if float(bound).is_integer() else bound)
            value = shown(refused.value, refused.raw).strip("`")
            message = f"`{key}` is {value}; it must be {says} {limit}"
            percent = candidates(refused.target, _percent(refused))
            nearest = bound if step == 0 else _inside(refused.target, bound, step)
            if percent:
                return "SPEC108", message, f"write `{flow(percent[0].value)}`"
            return (
                "SPEC108",
                message,
                f"write `{flow(nearest)}`" if nearest is not None else f"write a value {says} {flow(bound)}",
            )
    text = refused.message
    return (
        "SPEC108",
        f"`{key}`: {text[:1].lower()}{text[1:]}, not {refused.shown}",
        "choose a value in that range",
    )


_BOUNDS = (("ge", "at least", 0), ("le", "at most", 0), ("gt", "above", 1), ("lt", "below", -1))


def _percent(refused: Refused) -> str:
    """Return the fraction for a number between 1 and 100 that was meant as a percentage; else empty."""
    value = refused.value
    fraction = (
        isinstance(value, (int, float))
        and 1 < value <= 100
        and refused.context.get("le", refused.context.get("lt")) == 1
    )
    return f"{value}%" if fraction else ""


def _inside(target: Target, bound: float, step: int) -> float | None:
    """Return a value just inside an open bound."""
    for size in (1, 0.5, 0.1, 0.05, 0.01):
        value = bound + step * size
        if accepts(target.annotation, int(value) if float(value).is_integer() else value):
            return int(value) if float(value).is_integer() else round(value, 2)
    return None


def _length(refused: Refused) -> Answer:
    context, key = refused.context, refused.key
    if refused.kind == "too_long":
        message = f"`{key}` has {context['actual_length']} items; at most {context['max_length']} are allowed"
        return "SPEC108", message, "remove some of them"
    held = collection(refused.target.annotation)
    inner = model(held[1]) if held else None
    if inner is not None and held is not None and held[0] is list:
        return (
            "SPEC108",
            f"`{key}` is empty",
            f"write at least one, for example `{key}: [{flow(smallest(inner))}]`",
        )
    field = refused.target.field
    item = replace(refused.target, annotation=held[1] if held else None, field=None)
    usual = flow(field.examples[0]) if field is not None and field.examples else f"[{example(item)}]"
    return "SPEC108", f"`{key}` is empty", f"write at least one, for example `{key}: {usual}`"
