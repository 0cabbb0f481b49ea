"""The notation of the tables: Kubernetes types written down as pydantic-core schemas.

A table row reads "these fields have this type", and `!` marks a field that must be there:

    PORT_ENTRY = record({"containerPort!": PORT, "name hostIP": TEXT, "protocol": PROTOCOL})

A schema is a plain `dict` in the form that `pydantic_core.SchemaValidator` takes. Building one needs none of
pydantic's own modules, and a shared part is simply the same object in two places: `validator` gives it one
definition. A node may carry `metadata: {"says": …}`, the words that a message uses for the type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic_core import PydanticCustomError, SchemaValidator

Schema = dict[str, Any]
Check = Callable[[dict[str, Any]], str]
"""Looks at a whole record; gives what is wrong with it in words, or an empty string."""

_SHAREABLE: Final = frozenset({"typed-dict", "str", "union", "function-after"})


def scalar(kind: str, says: str, **limits: object) -> Schema:
    """A scalar of a pydantic-core kind (`str`, `int`, `bool`, `float`, `any`) within limits."""
    return {"type": kind, "strict": True, "metadata": {"says": says}, **limits}


def text(says: str, pattern: str, longest: int = 0) -> Schema:
    """A string that matches an anchored pattern (RE2 syntax) and has at most `longest` bytes, 0 for any."""
    limits: Schema = {"pattern": pattern}
    if longest:
        limits["max_length"] = longest
    return scalar("str", says, **limits)


def whole(says: str, least: int, most: int) -> Schema:
    """An integer between two bounds, both included."""
    return scalar("int", says, ge=least, le=most)


def enum(*values: str | int) -> Schema:
    """One of a few literal values."""
    shown = (
        " or ".join(str(v) for v in values) if len(values) < 3 else "one of " + ", ".join(map(str, values))
    )
    return {"type": "literal", "expected": list(values), "metadata": {"says": shown}}


def either(says: str, *choices: Schema) -> Schema:
    """A scalar of several types. A value of none of them is one mistake and gives one error."""
    return {
        "type": "union",
        "mode": "left_to_right",
        "choices": list(choices),
        "custom_error_type": "either",
        "custom_error_message": "either",
        "metadata": {"says": says},
    }


def listof(item: Schema, least: int = 0) -> Schema:
    """A list of one type, with at least `least` items."""
    return {
        "type": "list",
        "strict": True,
        "items_schema": item,
        "min_length": least,
        "metadata": {"says": "a list"},
    }


def mapof(value: Schema, key: Schema | None = None) -> Schema:
    """A mapping with keys of the user's choice."""
    return {
        "type": "dict",
        "strict": True,
        "keys_schema": key or scalar("str", "a string"),
        "values_schema": value,
        "metadata": {"says": "a mapping"},
    }


def nullable(schema: Schema) -> Schema:
    """A value that may also be null, as the API server itself writes it."""
    return {"type": "nullable", "schema": schema}


def record(rows: Mapping[str, Schema]) -> Schema:
    """A mapping with exactly these fields.

    Args:
        rows: names of fields, separated by spaces, a trailing `!` for a required one -> their common type.
    """
    fields: Schema = {}
    for names, schema in rows.items():
        for name in names.split():
            required = name.endswith("!")
            fields[name.rstrip("!")] = {"type": "typed-dict-field", "schema": schema, "required": required}
    return {
        "type": "typed-dict",
        "strict": True,
        "fields": fields,
        "extra_behavior": "forbid",
        "metadata": {"says": "a mapping"},
    }


def extend(base: Schema, rows: Mapping[str, Schema]) -> Schema:
    """A record with the fields of another one and some more."""
    more = record(rows)
    return more | {"fields": inner(base)["fields"] | more["fields"]}


def checked(schema: Schema, check: Check) -> Schema:
    """A record that is looked at as a whole, once each of its fields is right."""

    def run(value: dict[str, Any]) -> dict[str, Any]:
        if wrong := check(value):
            raise PydanticCustomError("choice", "{wrong}", {"wrong": wrong})
        return value

    return {
        "type": "function-after",
        "schema": schema,
        "function": {"type": "no-info", "function": run},
    }


def one_of(names: str, least: int = 1) -> Check:
    """A check that exactly one of several fields is set; none may also do when `least` is 0."""
    wanted = names.split()

    def check(value: dict[str, Any]) -> str:
        found = [name for name in wanted if name in value]
        if len(found) > 1:
            return f"has {' and '.join(found)}, but only one of them may be set"
        if len(found) < least:
            return f"needs exactly one of {', '.join(wanted)}"
        return ""

    return check


def by_type(fields: Mapping[str, str], tag: str = "type") -> Check:
    """A check that the field which belongs to the value of `tag` is set, and none of its siblings."""
    owned = set(fields.values())

    def check(value: dict[str, Any]) -> str:
        own = fields.get(str(value.get(tag)), "")
        if own and own not in value:
            return f"has {tag} {value[tag]} but no {own}"
        stray = sorted(name for name in owned & value.keys() if name != own)
        return f"has {tag} {value.get(tag)}, which excludes {', '.join(stray)}" if stray else ""

    return check


def inner(schema: Schema) -> Schema:
    """The record, list or scalar below checks and null-ability."""
    while schema["type"] in ("function-after", "nullable"):
        schema = schema["schema"]
    return schema


def children(schema: Schema) -> Iterator[Schema]:
    """The schemas directly below one."""
    kind = schema["type"]
    if kind == "typed-dict":
        yield from (field["schema"] for field in schema["fields"].values())
    elif kind == "list":
        yield schema["items_schema"]
    elif kind == "dict":
        yield from (schema["keys_schema"], schema["values_schema"])
    elif kind in ("function-after", "nullable"):
        yield schema["schema"]
    elif kind == "union":
        yield from schema["choices"]


def validator(schema: Schema) -> SchemaValidator:
    """Compile a table; parts that occur more than once are compiled once.

    Every node carries its own `strict`: pydantic-core does not hand a validator's configuration down into the
    fields of a typed dictionary.
    """
    shared = _shared(schema)
    refs = {key: f"part-{n}" for n, key in enumerate(shared)}
    definitions = [_linked(part, refs) | {"ref": refs[key]} for key, part in shared.items()]
    root = _link(schema, refs)
    return SchemaValidator({"type": "definitions", "schema": root, "definitions": definitions})


def _shared(root: Schema) -> dict[int, Schema]:
    """The parts that are reached on more than one way, by identity."""
    seen: set[int] = set()
    shared: dict[int, Schema] = {}
    todo = [root]
    while todo:
        schema = todo.pop()
        if id(schema) not in seen:
            seen.add(id(schema))
            todo.extend(children(schema))
        elif schema["type"] in _SHAREABLE:
            shared[id(schema)] = schema
    return shared


def _link(schema: Schema, refs: Mapping[int, str]) -> Schema:
    ref = refs.get(id(schema))
    return {"type": "definition-ref", "schema_ref": ref} if ref else _linked(schema, refs)


def _linked(schema: Schema, refs: Mapping[int, str]) -> Schema:
    """A copy of a schema in which every shared part below it is a reference."""
    kind = schema["type"]
    if kind == "typed-dict":
        fields = {
            name: {**field, "schema": _link(field["schema"], refs)}
            for name, field in schema["fields"].items()
        }
        return {**schema, "fields": fields}
    if kind == "union":
        return {**schema, "choices": [_link(choice, refs) for choice in schema["choices"]]}
    below: Schema = {
        key: _link(schema[key], refs)
        for key in ("items_schema", "keys_schema", "values_schema", "schema")
        if key in schema
    }
    return {**schema, **below} if below else schema
