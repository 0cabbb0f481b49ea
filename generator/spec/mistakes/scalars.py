"""Explains one value that its field refuses, and suggests the intended value in the words of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from generator.source.characters import oddities
from generator.source.flow import flow
from generator.source.syntax import LEFT_OVER_HINT, PLACEHOLDER, left_over
from generator.spec.mistakes import repairs
from generator.spec.mistakes.amounts import Repair, Typed
from generator.spec.mistakes.annotations import (
    accepts,
    annotation_of,
    fields,
    model,
    models,
    words,
)
from generator.spec.mistakes.ranges import explain_range
from generator.spec.mistakes.refused import Answer, Refused
from generator.spec.mistakes.repairs import unquoted
from generator.spec.mistakes.suggestions import candidates, example, repaired, usual_value
from generator.spec.mistakes.words import INSTEAD, NEEDS

_LISTED = 8


def explain_scalar(refused: Refused) -> Answer:
    """Return the message about a value, and its repair."""
    if refused.value is None:
        return _missing(refused)
    odd = _odd(refused)
    if odd is not None:
        return odd
    if refused.kind == "unit":
        return _unit(refused)
    if refused.kind == "literal_error":
        return _word(refused)
    if refused.kind == "string_pattern_mismatch":
        return _form(refused)
    if refused.kind in _TYPES:
        return _type(refused)
    return explain_range(refused)


def _missing(refused: Refused) -> Answer:
    """Explain a key without a value."""
    target = refused.target
    message = f"`{refused.key}` has no value"
    usual = example(target)
    inner = model(target.annotation)
    if usual:
        return "SPEC105", message, f"write one, for example `{refused.key}: {usual}`, or remove the key"
    if inner is not None:
        from generator.spec.mistakes.samples import smallest

        return (
            "SPEC104",
            message,
            f"write one, for example `{refused.key}: {flow(smallest(inner))}`, or remove the key",
        )
    return "SPEC104", message, "write one, or remove the key"


def _odd(refused: Refused) -> Answer | None:
    """Explain a value with look-alike characters or with an unfilled placeholder."""
    if not isinstance(refused.value, str):
        return None
    code = {"unit": "SPEC105", "literal_error": "SPEC106", "string_pattern_mismatch": "SPEC105"}.get(
        refused.kind, "SPEC104"
    )
    placeholder = PLACEHOLDER.search(refused.value)
    if placeholder is not None:
        return code, left_over(placeholder.group()), LEFT_OVER_HINT
    odd = oddities(refused.value)
    if not odd:
        return None
    found = candidates(refused.target, refused.value, refused.raw)
    # The author used typographic quotes: the repaired value keeps quotes.
    quoted = any(mark in refused.value for mark in "\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019")
    hint = f"write {_choices(found, quoted=quoted)}" if found else "type the value again in plain ASCII"
    return code, f"{refused.shown} has {odd} in it", hint


def _unit(refused: Refused) -> Answer:
    says, usual = str(refused.context["says"]), usual_value(refused.target)
    if isinstance(refused.value, (dict, list)):
        return _shape(refused, says)
    found = candidates(refused.target, refused.value, refused.raw)
    special = _reference(refused) if refused.context.get("unit") == "Reference" else ""
    special = special or _several(refused) or _endless(refused)
    hint = special or (
        f"write {_choices(found)}" if found else f"for example `{usual}`{_or_nothing(refused)}"
    )
    return "SPEC105", f"invalid value {refused.shown}: {says}", hint


def _several(refused: Refused) -> str:
    """Return the hint for items of a list that are separated by blanks only: `[amount hour]`."""
    parts = str(refused.value).split()
    item = bool(refused.target.path) and isinstance(refused.target.path[-1], int)
    if not item or len(parts) < _TWO or not all(accepts(refused.target.annotation, part) for part in parts):
        return ""
    whole = [one.value for one in candidates(refused.target, refused.value, refused.raw)[:1]]
    other = f", or `{flow(whole[0])}` for one" if whole else ""
    return f"write `{', '.join(map(flow, parts))}` for {len(parts)} items{other}"


_TWO = 2
_ENDLESS = frozenset(
    {
        "forever",
        "indefinite",
        "indefinitely",
        "infinite",
        "infinity",
        "inf",
        "manual",
        "until approved",
        "unlimited",
    }
)


def _endless(refused: Refused) -> str:
    """Return the hint for a hold without an end."""
    if refused.key != "hold" or unquoted(str(refused.value)).casefold() not in _ENDLESS:
        return ""
    return "a hold has an end: for a pause until a person approves, add the step `{approve: ROLE}`"


def _reference(refused: Refused) -> str:
    """Return the hint for a reference to a local file or an unsupported store."""
    text = unquoted(refused.raw or str(refused.value))
    local = "://" not in text and text.endswith(
        (".joblib", ".pkl", ".onnx", ".pickle", ".json", ".txt", ".bin")
    )
    if local or text.startswith(("./", "../", "/", "~", "file:")):
        return (
            "a file on this machine can't be referenced: store the model first, for example with "
            "`bentoml.sklearn.save_model` and `bentoml:NAME:VERSION`, or upload it and write `s3://BUCKET/KEY`"
        )
    if text.startswith(("gs://", "azure://", "abfs", "wasbs://", "runs:/", "git+", "git@", "ftp://")):
        return "this store is not supported: register the model in MLflow or BentoML, or copy it to s3:// or https://"
    return ""


def _shape(refused: Refused, says: str) -> Answer:
    from generator.spec.mistakes.shapes import simplest

    found = simplest(refused.target, refused.value)
    if (
        isinstance(refused.value, list)
        and refused.key == "approve"
        and refused.target.pattern[-2:-1] == ("[]",)
    ):
        steps = " and ".join(f"`- {{approve: {flow(one)}}}`" for one in refused.value)
        message = f"expected one role for `approve`, not {refused.shown}"
        return "SPEC105", message, f"write one step for each: {steps}"
    if found is None and isinstance(refused.value, dict):
        # `ref: {name: churn, version: 1}`: the parts of one text.
        joined = "/".join(str(part) for part in refused.value.values() if not isinstance(part, (dict, list)))
        found = next((one.value for one in candidates(refused.target, joined, joined)), None)
    item = bool(refused.target.path) and isinstance(refused.target.path[-1], int)
    hint = (
        f"write `{flow(found) if item else f'{refused.key}: {flow(found)}'}`"
        if found is not None
        else f"for example `{usual_value(refused.target)}`"
    )
    return "SPEC105", f"expected one value for `{refused.key}`, not {refused.shown}: {says}", hint


def _choices(found: list[Repair], *, quoted: bool = False) -> str:
    """Return the likeliest repair, and another one if the value is ambiguous."""

    def text(repair: Repair) -> str:
        plain = flow(repair.value)
        return (
            f'`"{repair.value}"`'
            if quoted and isinstance(repair.value, str) and not plain.startswith('"')
            else f"`{plain}`"
        )

    first = found[0]
    readings = [one for one in found[1:] if one.reading]
    if not first.reading and not readings:
        return text(first)
    reading = f" ({first.reading})" if first.reading else ""
    more = "".join(f", or {text(one)} ({one.reading})" for one in readings[:1])
    return f"{text(first)}{reading}{more}"


def _word(refused: Refused) -> Answer:
    """Explain an unknown word."""
    known = words(refused.target.annotation)
    listed = _listed([f"`{flow(word)}`" for word in known])
    found = candidates(refused.target, refused.value, refused.raw)
    message = (
        f"{refused.shown} is not {listed}" if len(known) == 1 else f"{refused.shown} is not one of {listed}"
    )
    if isinstance(refused.value, (dict, list)):
        from generator.spec.mistakes.shapes import simplest

        simple = simplest(refused.target, refused.value)
        if simple is not None:
            return "SPEC106", message, f"write `{refused.key}: {flow(simple)}`"
    instead = INSTEAD.get(unquoted(str(refused.value)).casefold().replace("_", "-").replace(" ", "-"))
    if instead and instead[0] in known:
        return "SPEC106", message, f"write `{instead[0]}` ({instead[1]})"
    if not found:
        return (
            "SPEC106",
            message,
            f"write `{flow(known[0])}`" if len(known) == 1 else f"write one of {listed}",
        )
    repair = flow(found[0].value)
    same = unquoted(refused.raw) == str(found[0].value)
    with_it = NEEDS.get(str(found[0].value), "")
    return (
        "SPEC106",
        message,
        f"write `{repair}`{with_it}" if same or with_it else f"did you mean `{repair}`?",
    )


def _listed(names: list[str]) -> str:
    names = names[:_LISTED] + ([f"{len(names) - _LISTED} more"] if len(names) > _LISTED else [])
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def _form(refused: Refused) -> Answer:
    """Explain a text that does not match its pattern, without showing the pattern."""
    field = refused.target.field
    what = getattr(field, "description", None) or f"the value of `{refused.key}`"
    usual = usual_value(refused.target)
    pair = re.fullmatch(r"([\w-]+)(?:\s*[:=]++\s*|\s+)(\S.*)", unquoted(str(refused.value)))
    owner = fields(refused.target.owner) if refused.target.owner else {}
    if pair and refused.key == "header" and "exact" in owner:
        fixed = flow({"header": pair[1], "exact": pair[2]})
        return (
            "SPEC105",
            f"invalid value {refused.shown}: `header` is only the name of the header",
            f"write `{fixed}`",
        )
    found = [one for one in _word_repairs(refused) if accepts(refused.target.annotation, one.value)]
    hint = (
        f"write {_choices(found)}" if found else f"for example `{usual}`" if usual else "see `sluice schema`"
    )
    return "SPEC105", f"invalid value {refused.shown} for `{refused.key}` ({what})", hint


def _word_repairs(refused: Refused) -> Iterator[Repair]:
    typed = Typed(unquoted(refused.raw or str(refused.value)), "")
    for repair in (
        repairs.clock,
        repairs.word,
        repairs.registry,
        repairs.path,
        repairs.name,
        repairs.key,
        repairs.header,
    ):
        yield from repair(typed)


_TYPES = {
    "string_type": "text", "int_type": "a whole number", "int_from_float": "a whole number", "float_type": "a number",
    "bool_type": "true or false", "finite_number": "a finite number",
}  # fmt: skip


def _type(refused: Refused) -> Answer:
    expected = _TYPES[refused.kind]
    if isinstance(refused.value, (dict, list)):
        from generator.spec.mistakes.shapes import simplest

        simple = simplest(refused.target, refused.value)
        hint = (
            f"write `{refused.key}: {flow(simple)}`"
            if simple is not None
            else _sibling(refused) or f"write {expected}"
        )
        return "SPEC104", f"expected {expected} for `{refused.key}`, not {refused.shown}", hint
    span = re.fullmatch(r"(\d+)\s*(?:-|\u2013|to|\.\.+)\s*(\d+)", unquoted(str(refused.value)))
    sibling = _sibling(replace(refused, value={"min": int(span[1]), "max": int(span[2])})) if span else ""
    if sibling:
        return "SPEC104", f"expected {expected} for `{refused.key}`, not {refused.shown}", sibling
    found = candidates(refused.target, refused.value, refused.raw)
    if refused.kind == "string_type" and not found:
        found = [one for one in _word_repairs(refused) if accepts(refused.target.annotation, one.value)]
    hint = (
        f"write {_choices(found)}"
        if found
        else f"write {expected}, for example `{example(refused.target)}`{_or_default(refused)}"
    )
    quotes = isinstance(refused.value, str) and refused.raw[:1] in {'"', "'"} and found
    text = (
        " without quotes" if quotes and str(found[0].value).lower() == unquoted(refused.raw).lower() else ""
    )
    return "SPEC104", f"expected {expected} for `{refused.key}`, not {refused.shown}", hint + text


_PLACEHOLDERS = frozenset(
    {"unknown", "tbd", "tba", "todo", "fixme", "n/a", "na", "?", "??", "???", "xxx", "none", "-"}
)


def _or_nothing(refused: Refused) -> str:
    """Return the rest of a hint about a value that is not known yet, where the key may be missing."""
    field = refused.target.field
    unknown = unquoted(str(refused.value)).casefold() in _PLACEHOLDERS
    return f", or remove `{refused.key}`" if unknown and field is not None and not field.is_required() else ""


def _or_default(refused: Refused) -> str:
    """Return the rest of a hint about a word such as `auto`: without the key its default applies."""
    field = refused.target.field
    words_for_default = {"auto", "default", "automatic", "none", "unset", "any"}
    default = None if field is None or field.is_required() else field.default
    if unquoted(str(refused.value)).casefold() not in words_for_default or not isinstance(
        default, (int, float, str)
    ):
        return ""
    return f", or remove the key: the default is {flow(default)}"


def _sibling(refused: Refused) -> str:
    """Return the hint for a mapping that belongs to another key: `replicas: {min: 2, max: 6}` is `autoscaling`."""
    if not isinstance(refused.value, dict) or refused.target.owner is None:
        return ""
    for key, info in fields(refused.target.owner).items():
        for record in models(annotation_of(info)):
            if refused.value.keys() <= fields(record).keys():
                return f"write `{key}: {flow(repaired(record, refused.value))}`"
    return ""
