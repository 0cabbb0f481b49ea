"""Rules on the values of requests and answers: keys that do not fit their type, frameworks, gates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.lint.engine import Problem, rule
from generator.plan.bento import MAX_BODY, Bento
from generator.plan.serving import column_of
from generator.rules.context import GATES, Context
from generator.source.document import Path
from generator.spec.frameworks import FRAMEWORKS
from generator.spec.gates import DriftGate, ExplainGate, FairnessGate
from generator.spec.service import Value

_SERVICE: Final[Path] = ("spec", "service")
_INPUTS: Final[Path] = (*_SERVICE, "inputs")
_OF_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "minimum": ("number", "integer"),
    "maximum": ("number", "integer"),
    "max_length": ("string",),
    "values": ("string", "number", "integer", "boolean"),
    "fields": ("object",),
    "json_schema": ("json",),
    "zone": ("datetime",),
    "formats": ("image",),
    "max_bytes": ("bytes", "image", "json"),
}
"""The types that a key has a meaning for."""
_PYTHON: Final = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
_SCALARS: Final = frozenset(_PYTHON)


def _values(context: Context) -> Iterator[tuple[Path, Value]]:
    """Yield every declared value with its place, those in objects too."""
    service = context.spec.service
    found: list[tuple[Path, Value]] = [((*_INPUTS, name), value) for name, value in service.inputs.items()]
    if service.output is not None:
        found.append(((*_SERVICE, "output"), service.output))
    while found:
        path, value = found.pop(0)
        yield path, value
        found += [((*path, "fields", name), field) for name, field in (value.fields or {}).items()]


@rule(
    "REF218",
    "error",
    "a key of an input does not fit its type",
    scope=Context,
    why="The service could not check what the key says, or would refuse every request.",
    remedy="Remove the key, or declare the type that it belongs to.",
    example="spec: {service: {inputs: {age: {type: integer, maxLength: 3}}}}",
    instead="spec: {service: {inputs: {age: {type: integer, maximum: 999}}}}",
)
def fitting_keys(context: Context) -> Iterator[Problem]:
    """Check that each key has a meaning for the type, that no key is missing, and that values are of the type."""
    for path, value in _values(context):
        for key, types in _OF_TYPES.items():
            if key in value.model_fields_set and value.type not in types:
                name = Value.model_fields[key].alias or key
                message = f"`{name}` means nothing for the type {value.type}"
                yield Problem((*path, name), message, f"remove it; it is for {', '.join(types)}")
        for key, message, hint in (*_missing(value), *_lists(value)):
            yield Problem((*path, key), message, hint)


def _missing(value: Value) -> Iterator[tuple[str, str, str]]:
    """Yield key, message and hint of what a type needs."""
    if value.type == "object" and not value.fields:
        yield (
            "type",
            "an object needs its `fields`",
            "write `fields: {name: {type: string}}`, or `type: json`",
        )
    if value.type == "json" and value.json_schema and value.example is None:
        yield (
            "jsonSchema",
            "nothing shows which JSON fits the schema",
            "add an `example`, which the warm-up sends",
        )
    for ref in _references(value.json_schema):
        if not ref.startswith("#"):
            yield (
                "jsonSchema",
                f"`$ref: {ref}` is another document",
                "copy it to `$defs`: the service fetches nothing",
            )


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _lists(value: Value) -> Iterator[tuple[str, str, str]]:
    """Yield key, message and hint of impossible lists and values."""
    if value.shape and value.max_items is not None:
        yield "maxItems", "an array has a `shape`, a list has `maxItems`", "remove one of them"
    if value.min_items and value.max_items is None:
        yield "minItems", "this is not a list", "add `maxItems`, the most values of a list"
    if value.max_items is not None and value.min_items > value.max_items:
        yield "minItems", "no list is allowed", f"write `minItems: {value.max_items}` or less"
    kind = _PYTHON.get(value.type)
    odd = [one for one in value.values or () if kind and not _is(one, kind)]
    if odd:
        yield (
            "values",
            f"{odd[0]!r} is not of the type {value.type}",
            "write values of the type, texts in quotes",
        )


def _is(value: object, kind: Any) -> bool:
    """Return whether a value has a type; a boolean is not an integer."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


@rule(
    "PLAN545",
    "error",
    "the framework takes no inputs of this type",
    scope=Context,
    why="The model would never get a value that it can compute with, so its pods never become ready.",
    remedy="Declare numbers, texts or arrays as the model takes them, or use `framework: custom` with a class that "
    "converts the values.",
    example="spec: {model: {framework: xgboost}, service: {inputs: {day: {type: date}}}}",
    instead="spec: {model: {framework: xgboost}, service: {inputs: {weekday: {type: integer}}}}",
)
def types_of_framework(context: Context) -> Iterator[Problem]:
    """Check that the template of the framework passes on values of the declared types."""
    model = context.spec.model
    framework = FRAMEWORKS.get(model.framework) if model else None
    if framework is None or framework.takes is None:
        return
    for name, value in context.spec.service.inputs.items():
        list_ = "array" if value.shape else "list" if value.max_items is not None else ""
        for kind, key in ((list_, "shape" if value.shape else "maxItems"), (value.type, "type")):
            if kind and kind not in _SCALARS and kind not in framework.takes:
                words = {"array": "an array", "list": "a list"}
                message = f"`{name}` is {words.get(kind, f'of the type {kind}')}, which {framework.name} does not take"
                yield Problem(
                    (*_INPUTS, name, key), message, "convert it in a class of yours: `framework: custom`"
                )


@rule(
    "GATE312",
    "error",
    "a gate compares an input that is not a single value",
    scope=Context,
    why="Distances between distributions, groups of people and attributions are defined for numbers and texts. For "
    "images, arrays, lists, dates and objects the gate could not run.",
    remedy="Compare a number that you compute from it, such as the brightness of an image, as a column of the data.",
    example="""
spec:
  service: {inputs: {gender: {type: string, values: [f, m], maxItems: 3}}}
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1, minGroup: 200}]
""",
    instead="""
spec:
  service: {inputs: {gender: {type: string, values: [f, m]}}}
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1, minGroup: 200}]
""",
)
def single_values(context: Context) -> Iterator[Problem]:
    """Check that features, sensitive attributes and explained inputs are numbers, texts or booleans."""
    service = context.spec.service
    odd = {
        name: f"an input of the type {value.type}" if value.type not in _SCALARS else "a list or an array"
        for name, value in service.inputs.items()
        if value.type not in _SCALARS or value.shape or value.max_items is not None
    }
    hint = "name a number or a text that you compute from it"
    for index, gate in enumerate(context.spec.gates):
        lists: list[tuple[Path, list[str]]] = []
        if isinstance(gate, DriftGate):
            lists.append((("drift", "features"), gate.drift.features))
        if isinstance(gate, FairnessGate):
            lists.append((("sensitive",), gate.sensitive))
        for path, names in lists:
            for at, name in enumerate(names):
                if name in odd:
                    yield Problem((*GATES, index, *path, at), f"`{name}` is {odd[name]}", hint)
        if isinstance(gate, ExplainGate) and odd:
            message = f"attributions are for numbers and texts, and `{next(iter(odd))}` is {next(iter(odd.values()))}"
            yield Problem(
                (*GATES, index, "explain"), message, "remove the gate, or explain the model by a custom gate"
            )
    for name in service.attributes:
        if name in odd:
            yield Problem(
                (*_SERVICE, "attributes", name), f"`{name}` is {odd[name]}, which has no groups", hint
            )


@rule(
    "PLAN546",
    "warning",
    "the largest request that is declared is refused",
    scope=Context,
    why="A service reads at most 64 MiB of one request, so that clients can't fill its memory.",
    remedy="Lower `service.maxRows`, or the sizes of the inputs.",
    example="spec: {service: {inputs: {photo: {type: image, maxBytes: 8Mi}}}}",
    instead="spec: {service: {maxRows: 4, inputs: {photo: {type: image, maxBytes: 8Mi}}}}",
)
def largest_request(context: Context) -> Iterator[Problem]:
    """Check that a request with the most rows, of the largest images, arrays and lists, is shorter than the limit."""
    service, bento = context.spec.service, context.plan.bento
    large = [
        name
        for name, value in service.inputs.items()
        if value.type not in _SCALARS or value.shape or value.max_items
    ]
    if not isinstance(bento, Bento) or not large:
        return
    row = sum(column_of(name, value).max_bytes_of_one for name, value in service.inputs.items())
    if row * service.max_rows > MAX_BODY:
        fits = MAX_BODY // row
        message = (
            f"{service.max_rows} rows of the largest size have {row * service.max_rows / 2**20:,.0f} MiB"
        )
        hint = f"write `maxRows: {fits}`" if fits else "declare smaller inputs: one row is larger than 64 MiB"
        yield Problem((*_SERVICE, "maxRows"), message, hint)
