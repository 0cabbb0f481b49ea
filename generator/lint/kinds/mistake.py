"""Messages about invalid objects: pydantic-core's errors in the terms of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from pydantic_core import ErrorDetails

from generator.dataclass import dataclass
from generator.lint.kinds.notation import Schema
from generator.lint.kinds.tables import inner
from generator.source.suggest import misspelt

if TYPE_CHECKING:
    from generator.source.document import Path

Sort = Literal["unknown-kind", "unknown-field", "missing", "type", "value", "null", "choice"]

_MOST_BITS: Final = 1024
_UNKNOWN: Final = "is not a known field"
_SHOWN: Final = 60
_LISTED: Final = 8
_CLASSES: Final[dict[str, set[type]]] = {
    "str": {str},
    "int": {int},
    "bool": {bool},
    "float": {int, float},
    "typed-dict": {dict},
    "dict": {dict},
    "list": {list},
}
_LENGTHS: Final = {"too_short": ("at least", "min_length"), "too_long": ("at most", "max_length")}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in one object.

    Args:
        path: keys and list positions that lead to it; the key itself for one that is missing or unknown.
        message: the rest of a sentence that starts with the path.
        sort: the type of the mistake.
    """

    path: Path
    message: str
    sort: Sort = "value"

    def in_release(self, release: str) -> Mistake:
        """Return the mistake with the release that does not know a field."""
        return replace(self, message=self.message.replace(_UNKNOWN, f"is not a field of {release}", 1))

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.message}" if self.path else self.message


def dotted(path: Path) -> str:
    """Return a path as people write it: `spec.containers[0].image`, with quotes where a key holds a dot."""
    parts = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            plain = step.replace("-", "").replace("_", "").replace("/", "").isalnum()
            parts.append(f".{step}" if plain else f'["{step}"]')
    return "".join(parts).removeprefix(".")


def mistakes(errors: Iterable[ErrorDetails], schema: Schema) -> list[Mistake]:
    """Return the mistakes of one object, each once, in the order of its table."""
    return list(dict.fromkeys(_mistake(schema, error) for error in errors))


def _mistake(schema: Schema, error: ErrorDetails) -> Mistake:
    """Return the mistake of one validation error."""
    kind = error["type"]
    path = tuple(step for step in error["loc"] if step != "[key]")
    value = error.get("input")
    if kind == "choice":
        return Mistake(path, error["msg"], "choice")
    if kind == "extra_forbidden":
        return _unknown(path, inner(_walk(schema, path[:-1])))
    if kind == "invalid_key":
        return Mistake(path, "is not a valid key: it must be a string", "type")
    if kind == "missing":
        return Mistake(path, "is required", "missing")
    if value is None:
        return _null(path, schema)
    if error["loc"] != path:
        keys = inner(_walk(schema, path[:-1]))["keys_schema"]
        return Mistake(path, f"is not a valid key: it must be {_says(keys)}")
    node = inner(_walk(schema, path))
    if kind in _LENGTHS:
        return Mistake(path, _length(node, kind))
    if node["type"] == "int" and kind in ("greater_than_equal", "less_than_equal") and value > 2**31 - 1:
        return Mistake(path, f"must be {_says(node)}, not {_show(value)}, which is too large")
    sort: Sort = "type" if _mistyped(node, value) else "value"
    return Mistake(path, f"must be {_says(node)}, not {_show(value)}{_hint(node, value)}", sort)


def _length(node: Schema, kind: str) -> str:
    bound, limit = _LENGTHS[kind]
    if node[limit] == 1 and kind == "too_short":
        return "must not be empty"
    items = "item" if node[limit] == 1 else "items"
    return f"must have {bound} {node[limit]} {items}"


def _unknown(path: Path, node: Schema) -> Mistake:
    known = list(node["fields"]) if node["type"] == "typed-dict" else []
    if near := misspelt(str(path[-1]), known):
        return Mistake(path, f"{_UNKNOWN}; did you mean `{near}`?", "unknown-field")
    listing = f"; known here: {', '.join(sorted(known))}" if 0 < len(known) <= _LISTED else ""
    return Mistake(path, f"{_UNKNOWN}{listing}", "unknown-field")


def _null(path: Path, schema: Schema) -> Mistake:
    holder = inner(_walk(schema, path[:-1])) if path else schema
    field = holder.get("fields", {}).get(path[-1]) if path else None
    if field is not None and field["required"]:
        return Mistake(path, "is required and must not be null", "missing")
    if field is None:
        return Mistake(path, f"must be {_says(inner(_walk(schema, path)))}, not null", "type")
    return Mistake(path, "is null, which Kubernetes treats as a missing key", "null")


def _walk(schema: Schema, path: Iterable[str | int]) -> Schema:
    """Return the table of the value at a path."""
    for step in path:
        node = inner(schema)
        if node["type"] == "typed-dict":
            schema = node["fields"][step]["schema"]
        else:
            schema = node["items_schema"] if node["type"] == "list" else node["values_schema"]
    return schema


def _says(node: Schema) -> str:
    says: str = node.get("metadata", {}).get("says", "a string")
    return says


def _mistyped(node: Schema, value: object) -> bool:
    """Return whether no value of its Python type could do; a bad string where strings are fine is a wrong value."""
    return type(value) not in {cls for choice in node.get("choices", [node]) for cls in _classes(choice)}


def _classes(node: Schema) -> set[type]:
    if node["type"] == "literal":
        return {type(value) for value in node["expected"]}
    return _CLASSES[node["type"]]


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if (
        isinstance(value, int) and value.bit_length() > _MOST_BITS
    ):  # Python writes no number of thousands of digits
        return f"a number of {value.bit_length():,} bits"
    text = str(value)
    cut = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    if isinstance(value, str):
        return f'the string "{cut}"'
    return f"the number {cut}" if isinstance(value, int | float) else f"the {type(value).__name__} {cut}"


def _hint(node: Schema, value: object) -> str:
    words = [word for choice in node.get("choices", [node]) for word in choice.get("expected", ())]
    near = misspelt(value, [str(word) for word in words]) if isinstance(value, str) else ""
    return f"; did you mean `{near}`?" if near else ""
