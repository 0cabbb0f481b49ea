"""What is wrong with an object, in words: pydantic-core's errors told in the terms of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic_core import ErrorDetails

from generator.lint.kinds.table import Schema, inner

Path = tuple[str | int, ...]
Sort = Literal["unknown-kind", "unknown-field", "missing", "type", "value", "null", "choice"]

_SHOWN: Final = 60
_CLASSES: Final[dict[str, set[type]]] = {
    "str": {str},
    "int": {int},
    "bool": {bool},
    "float": {int, float},
    "typed-dict": {dict},
    "dict": {dict},
    "list": {list},
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one object.

    Args:
        path: keys and list positions that lead to it; the key itself for one that is missing or unknown.
        message: what is wrong, without the path, as the end of a sentence that the path begins.
        sort: what kind of mistake it is.
    """

    path: Path
    message: str
    sort: Sort = "value"

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.message}" if self.path else self.message


def dotted(path: Path) -> str:
    """A path as people write it: `spec.containers[0].image`, with quotes where a key holds a dot."""
    parts = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            plain = step.replace("-", "").replace("_", "").replace("/", "").isalnum()
            parts.append(f".{step}" if plain else f'["{step}"]')
    return "".join(parts).removeprefix(".")


def explain(schema: Schema, error: ErrorDetails) -> Problem:
    """The problem that one validation error of a table stands for."""
    kind = error["type"]
    path = tuple(step for step in error["loc"] if step != "[key]")
    value = error.get("input")
    if kind == "choice":
        return Problem(path, error["msg"], "choice")
    if kind == "extra_forbidden":
        return _unknown(path, inner(_walk(schema, path[:-1])))
    if kind == "missing":
        return Problem(path, "is required", "missing")
    if value is None:
        return _null(path, schema)
    if error["loc"] != path:
        return Problem(
            path, f"is a key that is not {_says(_walk(schema, path[:-1])['keys_schema'])}", "value"
        )
    node = inner(_walk(schema, path))
    if kind == "too_short":
        return Problem(path, "must not be empty", "value")
    sort: Sort = "type" if _mistyped(node, value) else "value"
    return Problem(path, f"must be {_says(node)}, not {_show(value)}{_hint(node, value)}", sort)


def _unknown(path: Path, node: Schema) -> Problem:
    known = list(node["fields"]) if node["type"] == "typed-dict" else []
    near = suggestion(str(path[-1]), known)
    if near:
        return Problem(path, f"is no known field; did you mean {near}?", "unknown-field")
    listing = f"; known here: {', '.join(sorted(known))}" if 0 < len(known) <= 8 else ""
    return Problem(path, f"is no known field{listing}", "unknown-field")


def _null(path: Path, schema: Schema) -> Problem:
    holder = inner(_walk(schema, path[:-1])) if path else schema
    field = holder.get("fields", {}).get(path[-1]) if path else None
    if field is not None and field["required"]:
        return Problem(path, "is required and must not be null", "missing")
    if field is None:
        return Problem(path, f"must be {_says(inner(_walk(schema, path)))}, not null", "type")
    return Problem(path, "is null, which Kubernetes reads as if the key were not there", "null")


def _walk(schema: Schema, path: Iterable[str | int]) -> Schema:
    """The table of the value at a path."""
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
    """Whether no value of its Python type could do; a bad string where strings are fine is a wrong value."""
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
    text = str(value)
    cut = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return f'the string "{cut}"' if isinstance(value, str) else f"the {_noun(value)} {cut}"


def _noun(value: object) -> str:
    return {"int": "number", "float": "number"}.get(type(value).__name__, type(value).__name__)


def _hint(node: Schema, value: object) -> str:
    if node["type"] == "literal" and isinstance(value, str):
        near = suggestion(value, [str(word) for word in node["expected"]])
        return f"; did you mean {near}?" if near else ""
    return ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """The known word that somebody who wrote `word` most likely meant; empty when none is near."""
    from difflib import get_close_matches

    by_fold = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.75)
    return by_fold[near[0]] if near else ""


def details(errors: Iterable[ErrorDetails], schema: Schema) -> list[Problem]:
    """The problems of one object, each once, in the order of the tables."""
    return list(dict.fromkeys(explain(schema, error) for error in errors))
