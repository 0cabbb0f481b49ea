"""Tables of kinds: published definitions and Sluice's own demands as one pydantic-core schema.

A record is compiled when the first value of it is checked, and once for all kinds and versions that share it: an
object pays for the parts of its kind that it has.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from pydantic_core import SchemaValidator

from generator.lint.kinds import notation, scalars, strict
from generator.lint.kinds.conditions import check_of
from generator.lint.kinds.definitions import Node, node, root
from generator.lint.kinds.notation import Schema, either, field, listof, mapof, nullable, scalar
from generator.lint.kinds.strict import Rows

_NOTHING: Final = Rows()
_UNSIGNED: Final = {id(scalars.INT): scalars.COUNT, id(scalars.INT32): scalars.COUNT32}
_LEAVES: Final = frozenset({"str", "int", "bool", "float", "any", "literal", "union"})


class Part:
    """A record of a kind; its schema is made, and compiled, when it is first needed."""

    __slots__ = ("_make", "_schema", "run")

    def __init__(self, make: Callable[[], Schema]) -> None:
        self._make = make
        self._schema: Schema | None = None
        self.run: Callable[[object], object] = self._first

    @property
    def schema(self) -> Schema:
        """The record's schema; the large records below it are separate parts."""
        if self._schema is None:
            self._schema = self._make()
        return self._schema

    def __call__(self, value: object) -> object:
        """Validate a value; pydantic-core adds its errors to those of the record around it."""
        return self.run(value)

    def _first(self, value: object) -> object:
        self.run = SchemaValidator(self.schema).validate_python
        return self.run(value)


@cache
def part(api_version: str, kind: str, version: str = "") -> Part:
    """Return the table of a kind.

    Raises:
        KeyError: there is no such kind.
    """
    return _part(root(api_version, kind, version), strict.demands_on(kind), kind in strict.TEMPLATED)


def inner(schema: Schema) -> Schema:
    """Return the record, list or scalar below conditions, null-ability and parts."""
    while True:
        if schema["type"] in ("function-after", "nullable"):
            schema = schema["schema"]
        elif schema["type"] == "function-plain":
            schema = schema["metadata"]["part"].schema
        else:
            return schema


@cache
def _part(digest: str, demands: Rows, templated: bool) -> Part:  # noqa: FBT001
    return Part(lambda: _record(digest, demands, templated=templated))


@cache
def _schema(digest: str, demands: Rows, templated: bool) -> Schema:  # noqa: FBT001
    """Return the schema of a node under some demands."""
    found = node(digest)
    if "same" in found:
        return _schema(_target(*found["same"]), demands, templated)
    if "properties" in found:
        if "large" not in found:
            return _record(digest, demands, templated=templated)
        below = _part(digest, demands, templated)
        function = {"type": "no-info", "function": below}
        return {"type": "function-plain", "function": function, "metadata": {"part": below}}
    return _nulls(found, _plain(found, lambda below: _schema(below, demands, templated)))


def _plain(found: Node, below: Callable[[str], Schema]) -> Schema:
    """Return the schema of a list, a mapping or a scalar."""
    if "items" in found:
        return listof(below(found["items"]), found.get("minItems", 0), found.get("maxItems"))
    if "values" in found:
        least, most = found.get("minProperties", 0), found.get("maxProperties")
        return mapof(below(found["values"]), least=least, most=most)
    return _scalar(found)


def _nulls(found: Node, schema: Schema) -> Schema:
    return nullable(schema) if found.get("nullable") else schema


def _record(digest: str, demands: Rows, *, templated: bool) -> Schema:
    """Return the schema of a record: its fields, then the conditions between them."""
    found = node(digest)
    native = found.get("is", "")
    layers = [*strict.layers(native), *demands.layers()]
    demanded = {name: demand for layer in layers for name, demand in layer.fields.items()}
    required = set(found.get("required", ())).union(*(layer.required for layer in layers))
    full = set[str]().union(*(layer.full for layer in layers))
    is_object = "apiVersion" in required  # whose own metadata the API server checks, before any controller
    fields = {}
    for name, below in found["properties"].items():
        in_text = templated and not (is_object and name == "metadata")
        schema = _field(below, demanded.get(name, _NOTHING), templated=in_text)
        if schema is scalars.TEXT and name in required and name not in strict.MAY_BE_EMPTY:
            schema = scalars.FILLED
        elif native and name not in strict.MAY_BE_NEGATIVE:
            schema = _UNSIGNED.get(id(schema), schema)
        if name in full:
            schema = {**schema, "min_length": max(1, schema["min_length"])}
        fields[name] = field(schema, required=name in required)
    schema = notation.record(fields, extra=found.get("open", False))
    for condition in [*found.get("conditions", ()), *(row for layer in layers for row in layer.conditions)]:
        function = {"type": "no-info", "function": check_of(condition, list(fields))}
        schema = {"type": "function-after", "schema": schema, "function": function}
    return _nulls(found, schema)


def _field(digest: str, demand: Rows | Schema, *, templated: bool) -> Schema:
    if isinstance(demand, Rows):
        return _schema(digest, demand, templated)
    return _replaced(digest, _templated(demand) if templated else demand)


def _replaced(digest: str, demand: Schema) -> Schema:
    """Return a demanded scalar in place of a node's own, through lists and maps."""
    found = node(digest)
    if demand["type"] not in _LEAVES:
        return demand
    if "items" in found or "values" in found:
        return _nulls(found, _plain(found, lambda below: _replaced(below, demand)))
    return _nulls(found, demand)


def _target(api_version: str, kind: str, version: str, *path: str) -> str:
    """Return the digest of the record at a place of another kind."""
    digest = root(api_version, kind, version)
    for step in path:
        digest = node(digest)["properties"][step]
    while "items" in node(digest):
        digest = node(digest)["items"]
    return digest


def _scalar(found: Node) -> Schema:
    """Return the schema of a published scalar."""
    kind = found.get("type", "any")
    if "enum" in found:
        return notation.enum(found["enum"])
    if kind == "string":
        return _string(found)
    if kind == "integer":
        return _integer(found)
    if kind == "int-or-string" and "pattern" in found:
        words = {**scalars.TEXT, "pattern": found["pattern"]}
        return either(strict.PATTERNS[found["pattern"]], scalars.INT, words)
    if found.get("format") == "quantity":
        return scalars.WHOLE_QUANTITY
    limits = {short: found[name] for short, name in (("ge", "minimum"), ("le", "maximum")) if name in found}
    return {**scalars.PLAIN[kind], **limits} if limits else scalars.PLAIN[kind]


def _string(found: Node) -> Schema:
    if found.get("format") == "date-time":
        return scalars.TIME
    least, most, pattern = (found.get(name) for name in ("minLength", "maxLength", "pattern"))
    if pattern is None and most is None:
        return scalars.FILLED if least == 1 else scalars.TEXT
    says = strict.PATTERNS.get(pattern, "a string of another form") if pattern else "a string"
    says += f" of at most {most} characters" if most else ""
    limits = {"pattern": pattern, "min_length": least, "max_length": most}
    return scalar("str", says, **{name: value for name, value in limits.items() if value is not None})


def _integer(found: Node) -> Schema:
    least, most = found.get("minimum"), found.get("maximum")
    if least is None and most is None:
        return scalars.INT32 if found.get("format") == "int32" else scalars.INT
    if (least, most) == (1, 65535):
        return scalars.PORT
    if least is None:
        return scalar("int", f"a whole number, at most {most}", le=most)
    if most is None or most >= 2**31 - 1:
        return scalar("int", f"a whole number, {least} or more", ge=least)
    return notation.whole(f"a whole number ({least} to {most})", least, most)


def _templated(demand: Schema) -> Schema:
    """Return a demand that also takes a text with a placeholder."""
    kind, says = demand["type"], demand.get("metadata", {}).get("says", "")
    if kind == "union":
        return {**demand, "choices": [*demand["choices"], scalars.PLACEHOLDER]}
    if kind == "dict":
        keys, values = demand["keys_schema"], demand["values_schema"]
        return {**demand, "keys_schema": _templated(keys), "values_schema": _templated(values)}
    if kind == "literal" or "pattern" in demand:
        return either(says, demand, scalars.PLACEHOLDER)
    return demand
