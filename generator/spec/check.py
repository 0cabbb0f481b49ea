"""Plain values against a record: the record, or every structural mistake as a finding with its place."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic.alias_generators import to_camel

from generator.source.document import Document, Path, dotted
from generator.source.finding import Finding

T = TypeVar("T", bound=BaseModel)
Where = Callable[[Path], tuple[Document, Path]]


def check(record: type[T], document: Document) -> tuple[T | None, list[Finding]]:
    """A document against the record it should be.

    Returns:
        The record and no findings, or None and all structural findings.
    """
    if not isinstance(document.data, dict):
        said = "this file is empty" if document.data is None else "a mapping of keys belongs here"
        hint = "see `sluice new` for a first spec, `sluice schema` for all keys"
        return None, [document.finding("SPEC101", (), said, hint)]
    return check_data(record, document.data, lambda path: (document, path))


def check_data(
    record: type[T], data: Any, where: Where, *, partial: bool = False
) -> tuple[T | None, list[Finding]]:
    """Plain values against a record; `where` knows which document wrote which path.

    With `partial`, what is missing is no mistake: only what is there is judged.
    """
    try:
        return record.model_validate(data), []
    except ValidationError as error:
        found = [_finding(record, item, where) for item in error.errors(include_url=False)]
        kept = [finding for finding, kind in found if not (partial and kind in _INCOMPLETE)]
        return None, sorted(kept, key=Finding.sort_key)


_INCOMPLETE = frozenset({"missing", "choice", "one_of", "any_of", "too_short"})


def _finding(record: type[BaseModel], item: Any, where: Where) -> tuple[Finding, str]:
    kind, context = item["type"], item.get("ctx", {})
    path, owner = _locate(record, item["loc"])
    document, local = where(path)
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return _unknown(document, local, name, owner), kind
    if kind == "missing":
        parent = dotted(local[:-1]) or "the file"
        message = f"`{name}` is missing in {parent}"
        return document.finding(
            "SPEC103", local, message, f"add `{name}`: {_purpose(owner, name)}", key=True
        ), kind
    code, message, hint = _value(kind, context, item, name)
    return document.finding(code, local, message, hint), kind


def _unknown(document: Document, path: Path, name: str, owner: type[BaseModel] | None) -> Finding:
    known = sorted(_aliases(owner)) if owner else []
    camel = to_camel(name.replace("-", "_"))
    near = [camel] if camel in known else get_close_matches(name, known, 1, 0.6)
    hint = (
        f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}" if known else "remove it"
    )
    return document.finding("SPEC102", path, f"the key `{name}` is not known here", hint, key=True)


def _value(kind: str, context: dict[str, Any], item: Any, name: str) -> tuple[str, str, str]:
    shown = _shown(item["input"])
    if kind in {"unit", "one_of", "any_of"}:
        example = context.get("example")
        if kind == "unit":
            return "SPEC105", f"{shown} is not right here: {context['says']}", f"write it like {example}"
        return (
            "SPEC107",
            str(context["says"]),
            "keep one and remove the others" if kind == "one_of" else "add one",
        )
    if kind == "choice":
        return "SPEC106", str(item["msg"]), "see `sluice schema` for the keys of each kind"
    if kind == "literal_error":
        near = get_close_matches(str(item["input"]), [str(context["expected"]).strip("'")], 1, 0.5)
        allowed = str(context["expected"]).replace("'", "`")
        words = [word.strip("` ") for word in allowed.replace(" or ", ",").split(",")]
        near = get_close_matches(str(item["input"]), words, 1, 0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"write {allowed}"
        return "SPEC106", f"{shown} is not one of {allowed}", hint
    if kind == "string_pattern_mismatch":
        return "SPEC105", f"{shown} does not have the form of `{name}`", f"it must match {context['pattern']}"
    expected = _EXPECTED.get(kind)
    if expected:
        return "SPEC104", f"{expected} belongs here, not {shown}", f"write {expected}"
    text = str(item["msg"])
    return (
        "SPEC108",
        f"`{name}`: {text[:1].lower()}{text[1:]}, not {shown}",
        "choose a value in the allowed range",
    )


_EXPECTED = {
    "string_type": "text", "int_type": "a whole number", "float_type": "a number", "bool_type": "true or false",
    "list_type": "a list", "dict_type": "a mapping", "model_type": "a mapping of keys",
    "dict_attributes_type": "a mapping of keys", "model_attributes_type": "a mapping of keys",
    "finite_number": "a finite number",
}  # fmt: skip


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = str(value)
    return f"`{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}`"


_SHOWN = 60


def _locate(record: type[BaseModel], loc: Iterable[str | int]) -> tuple[Path, type[BaseModel] | None]:
    """Pydantic's location without the names of union members, and the record that owns its last key."""
    path: list[str | int] = []
    owner: type[BaseModel] | None = record
    annotation: Any = record
    for part in loc:
        member = _member(annotation, part)
        if member is not None:
            annotation = member
            continue
        model = _model(annotation)
        owner = model
        annotation = _field(model, part) if model else _inner(annotation, part)
        path.append(part)
    return tuple(path), owner


def _member(annotation: Any, tag: str | int) -> Any:
    for option in _options(annotation):
        if get_origin(option) is Annotated and any(
            isinstance(m, Tag) and m.tag == tag for m in get_args(option)[1:]
        ):
            return get_args(option)[0]
    return None


def _options(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, seen through Annotated and Optional."""
    if get_origin(annotation) is Annotated:
        inner = get_args(annotation)[0]
        return _options(inner) if get_origin(inner) in _UNIONS else (annotation,)
    if get_origin(annotation) in _UNIONS:
        return tuple(option for member in get_args(annotation) for option in _options(member))
    return (annotation,)


_UNIONS = (Union, types.UnionType)


def _model(annotation: Any) -> type[BaseModel] | None:
    for option in _options(annotation):
        bare = get_args(option)[0] if get_origin(option) is Annotated else option
        if isinstance(bare, type) and issubclass(bare, BaseModel):
            return bare
    return None


def _field(model: type[BaseModel], alias: str | int) -> Any:
    for name, info in model.model_fields.items():
        if (info.alias or name) == alias:
            metadata = tuple(info.metadata)
            return Annotated[info.annotation, *metadata] if metadata else info.annotation
    return None


def _inner(annotation: Any, part: str | int) -> Any:
    wanted = list if isinstance(part, int) else dict
    for option in _options(annotation):
        bare = get_args(option)[0] if get_origin(option) is Annotated else option
        if get_origin(bare) is wanted:
            return get_args(bare)[-1]
    return None


def _aliases(model: type[BaseModel]) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}


def _purpose(owner: type[BaseModel] | None, alias: str) -> str:
    for name, info in (owner.model_fields if owner else {}).items():
        if (info.alias or name) == alias and info.description:
            return info.description
    return "it is required"
