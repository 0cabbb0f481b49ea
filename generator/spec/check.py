"""Plain values against a record: the record, or every structural mistake as a finding with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from generator.source.document import Document, Path, dotted
from generator.source.finding import Finding
from generator.spec.annotations import aliases, locate
from generator.spec.misspelt import Meant, meant, near

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
        found = list(_findings(record, error, where))
        kept = [finding for finding, kind in found if not (partial and kind in _INCOMPLETE)]
        return None, sorted(kept, key=Finding.sort_key)


_INCOMPLETE = frozenset({"missing", "choice", "one_of", "any_of", "too_short"})


def _findings(record: type[BaseModel], error: ValidationError, where: Where) -> Iterator[tuple[Finding, str]]:
    """Every mistake with pydantic's word for it; of a mapping whose kind is unclear, those of the likeliest kind."""
    for item in error.errors(include_url=False):
        yield from _each(record, item, where)


def _each(record: type[BaseModel], item: Any, where: Where) -> Iterator[tuple[Finding, str]]:
    if item["type"] == "choice" and isinstance(item["input"], dict):
        yield from _unclear(record, item, where)
    else:
        yield _finding(record, item, where)


def _unclear(record: type[BaseModel], item: Any, where: Where) -> Iterator[tuple[Finding, str]]:
    loc, guess = item["loc"], meant(record, item["loc"], item["input"])
    path, _ = locate(record, loc)
    document, local = where((*path, guess.key) if guess.key else path)
    yield _what_kind(guess, item, document, local), "unclear" if guess.key else "choice"

    def written(inner: Path) -> tuple[Document, Path]:
        """A key that was put right stands in the document as it was written."""
        if guess.misspelt and inner[: len(path) + 1] == (*path, guess.right):
            inner = (*path, guess.key, *inner[len(path) + 1 :])
        return where(inner)

    try:
        guess.record.model_validate(guess.value)
    except ValidationError as error:
        for below in error.errors(include_url=False):
            if _sure(guess, below["type"], below["loc"]):
                inner: Any = {**below, "loc": (*loc, guess.tag, *below["loc"])}
                yield from _each(record, inner, written)


def _sure(guess: Meant, kind: str, loc: tuple[str | int, ...]) -> bool:
    """Whether a mistake is one whatever the kind is, and has not been told yet."""
    first = loc[0] if loc else ""
    if guess.key and not guess.misspelt and first == guess.key:
        return False
    if not guess.foreign:
        return True
    missing = len(loc) <= 1 and kind in _INCOMPLETE
    return not missing and first not in guess.foreign - aliases(guess.record)


def _what_kind(guess: Meant, item: Any, document: Document, local: Path) -> Finding:
    if guess.misspelt:
        message, hint = f"the key `{guess.key}` is not known here", f"did you mean `{guess.right}`?"
        return document.finding("SPEC102", local, message, hint, key=True)
    if guess.key:
        words = [f"`{word}`" for word in guess.words]
        message = f"{_shown(item['input'][guess.key])} is not one of {', '.join(words[:-1])} or {words[-1]}"
        hint = f"did you mean `{guess.right}`?" if guess.right else f"write {' or '.join(words)}"
        return document.finding("SPEC106", local, message, hint)
    return document.finding(
        "SPEC106", local, str(item["msg"]), "see `sluice schema` for the keys of each kind"
    )


def _finding(record: type[BaseModel], item: Any, where: Where) -> tuple[Finding, str]:
    kind, context = item["type"], item.get("ctx", {})
    path, owner = locate(record, item["loc"])
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
    known = sorted(aliases(owner)) if owner else []
    likely = near(name, known)
    hint = (
        f"did you mean `{likely}`?" if likely else f"known here: {', '.join(known)}" if known else "remove it"
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


def _purpose(owner: type[BaseModel] | None, alias: str) -> str:
    for name, info in (owner.model_fields if owner else {}).items():
        if (info.alias or name) == alias and info.description:
            return info.description
    return "it is required"
