"""The notation for types of values: pydantic-core schemas, each with the words that a message uses for it.

A schema is a plain `dict` in the form that `pydantic_core.SchemaValidator` takes; building one needs none of
pydantic's own modules. `metadata: {"says": …}` completes the sentence "must be …".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]


def scalar(kind: str, says: str, **limits: object) -> Schema:
    """Return a scalar of a pydantic-core kind (`str`, `int`, `bool`, `float`, `any`) within limits."""
    return {"type": kind, "strict": True, "metadata": {"says": says}, **limits}


def text(says: str, pattern: str, longest: int = 0) -> Schema:
    """Return a string that matches an anchored pattern (RE2 syntax), of at most `longest` characters (0: any)."""
    limits: Schema = {"pattern": pattern}
    if longest:
        limits["max_length"] = longest
    return scalar("str", says, **limits)


def whole(says: str, least: int, most: int) -> Schema:
    """Return an integer between two bounds, both included."""
    return scalar("int", says, ge=least, le=most)


def enum(values: Sequence[str | int]) -> Schema:
    """Return one of a few literal values."""
    words = [str(value) or '""' for value in values]
    says = " or ".join(words) if len(words) < 3 else "one of " + ", ".join(words)
    return {"type": "literal", "expected": list(values), "metadata": {"says": says}}


def either(says: str, *choices: Schema) -> Schema:
    """Return a scalar of several types. A value of none of them is one mistake and gives one error."""
    return {
        "type": "union",
        "mode": "left_to_right",
        "choices": list(choices),
        "custom_error_type": "either",
        "custom_error_message": "either",
        "metadata": {"says": says},
    }


def listof(item: Schema, least: int = 0, most: int | None = None) -> Schema:
    """Return a list of one type with `least` to `most` items."""
    return _sized({"type": "list", "items_schema": item, "metadata": {"says": "a list"}}, least, most)


def mapof(value: Schema, key: Schema | None = None, least: int = 0, most: int | None = None) -> Schema:
    """Return a mapping with keys of the user's choice."""
    keys = key or scalar("str", "a string")
    schema = {"type": "dict", "keys_schema": keys, "values_schema": value, "metadata": {"says": "a mapping"}}
    return _sized(schema, least, most)


def _sized(schema: Schema, least: int, most: int | None) -> Schema:
    limits = {"min_length": least} if most is None else {"min_length": least, "max_length": most}
    return {**schema, **limits, "strict": True}


def nullable(schema: Schema) -> Schema:
    """Return a value that may also be null, as the API server itself writes it."""
    return {"type": "nullable", "schema": schema}


def field(schema: Schema, *, required: bool) -> Schema:
    """Return one field of a record."""
    return {"type": "typed-dict-field", "schema": schema, "required": required}


def record(fields: Mapping[str, Schema], *, extra: bool = False) -> Schema:
    """Return a mapping with exactly these fields, or with others next to them."""
    return {
        "type": "typed-dict",
        "strict": True,
        "fields": dict(fields),
        "extra_behavior": "ignore" if extra else "forbid",
        "metadata": {"says": "a mapping"},
    }
