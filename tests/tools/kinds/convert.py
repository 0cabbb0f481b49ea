"""Published schemas of kinds (CRDs, Kubernetes' OpenAPI documents) -> the nodes of Sluice's data file.

A node is a JSON Schema cut down to what a check needs, without descriptions:

    {"properties": {name: node}, "required": [...], "is": "Container", "conditions": [...], "open": true}   a record
    {"values": node} · {"type": "object"}           a mapping with keys of the user's choice · with any content
    {"items": node, "minItems": n, "maxItems": n}   a list
    {"type": …, "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "format"}   a scalar
    {}                                              anything
    {"same": [apiVersion, kind, version, field, …]} what is at another place

`is` names the Kubernetes type that a record is, also where a CRD holds a copy of it. `conditions` are conditions between
the fields of a record: `["one", a, b]` exactly one of them, `["most", a, b]` at most one,
`["type", field, default, {value: field}]` the value of one field decides which of the others is set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Node = dict[str, Any]
Published = Mapping[str, Any]

_LIMITS: Final = ("minLength", "maxLength", "minimum", "maximum", "minProperties", "minItems", "maxItems")
_QUANTITY: Final = "apimachinery.pkg.api.resource.Quantity"
_HAS: Final = r"has\(self\.(\w+)\)"
_FIELD: Final = r"has\(self\.(?P<field>\w+)\)"
_TAG: Final = r"self\.(?P<tag>\w+) {} '(?P<value>[^']*)'"
_IS: Final = _TAG.format("==")
_IS_NOT: Final = _TAG.format("!=")
# Conditions in CEL that say: a field goes with one value of another field, that value needs the field, two fields
# exclude each other.
_GOES_WITH: Final = [
    re.compile(rf"!\({_FIELD} && {_IS_NOT}\)"),
    re.compile(rf"{_FIELD} \? {_IS} : true"),
    re.compile(rf"!{_FIELD} \|\| {_IS}"),
]
_NEEDED_BY: Final = [
    re.compile(rf"!\(!{_FIELD} && {_IS}\)"),
    re.compile(rf"{_IS} \? {_FIELD} : true"),
    re.compile(rf"{_IS_NOT} \|\| {_FIELD}"),
]
_EXCLUDES: Final = [re.compile(rf"!\({_HAS} && {_HAS}\)"), re.compile(rf"!{_HAS} \|\| !{_HAS}")]
_COUNTED: Final = re.compile(r"\(has\(self\.\w+\) \? 1 : 0\)(?: \+ \(has\(self\.\w+\) \? 1 : 0\))+ <= 1")
_PORT_OF_SERVICE: Final = "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true"


# Types that a CRD may hold a copy of anywhere; what is below such a copy is known by the names of its fields.
RECOGNISED: Final = (
    *(
        f"io.k8s.api.core.v1.{name}"
        for name in (
            "PodSpec", "Container", "Volume", "VolumeMount", "Affinity", "Toleration", "PodSecurityContext", "PodDNSConfig",
            "PersistentVolumeClaimSpec", "SecretKeySelector", "ConfigMapKeySelector",
        )
    ),
    "io.k8s.api.batch.v1.JobSpec",
    "io.k8s.api.policy.v1.PodDisruptionBudgetSpec",
    "io.k8s.api.autoscaling.v2.HPAScalingRules",
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
)  # fmt: skip


class Definitions:
    """The types of one version of Kubernetes, and which of them a record of a CRD is a copy of.

    Args:
        schemas: the OpenAPI document's schemas by name.
        enums: (type, field) -> the words that Kubernetes' generated Go code gives for it.
    """

    def __init__(self, schemas: Mapping[str, Published], enums: Mapping[tuple[str, str], list[str]]) -> None:
        self.schemas = schemas
        self.enums = enums

    def resolve(self, schema: Published) -> tuple[str, Published]:
        """Return the name of a referenced type (empty for an inline one) and its schema."""
        parts = schema.get("allOf", ())
        reference = schema.get("$ref") or (parts[0].get("$ref") if len(parts) == 1 else None)
        if not reference:
            return "", schema
        name = str(reference).rpartition("/")[2]
        return name, self.schemas[name]

    def field(self, name: str, field: str) -> Published:
        """Return the schema of a field of a type; an empty one where this version of it has no such field."""
        found: Published = self.schemas[name].get("properties", {}).get(field, {})
        return found

    def name_of(self, fields: frozenset[str]) -> str:
        """Return the type that a record with these fields is a copy of, perhaps of another version."""
        best, name = 0.0, ""
        for candidate in RECOGNISED:
            own = self.schemas[candidate]["properties"].keys()
            likeness = len(fields & own) / len(fields | own)
            if likeness > best:
                best, name = likeness, candidate
        return name if best >= 0.75 else ""


def convert(schema: Published, types: Definitions, near: str = "", field: str = "") -> Node:
    """Convert one published schema with everything below it.

    What a CRD leaves open inside a copy of a Kubernetes type (volumes, resources) is as that type has it.

    Args:
        schema: the schema, of a CRD or of the OpenAPI document.
        types: the types of Kubernetes.
        near: the type that the record around it is, where it is one of Kubernetes.
        field: the field of that record that this is the schema of.
    """
    if near and _is_open(schema):
        schema = types.field(near, field)
    name, schema = types.resolve(schema)
    made = _node(schema, types, name, near, field)
    if schema.get("nullable"):
        made["nullable"] = True
    return made


def _node(schema: Published, types: Definitions, name: str, near: str, field: str) -> Node:
    if name.endswith(_QUANTITY):
        return {"type": "quantity"}  # which may also be a number with a point
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        is_quantity = "[KMGTPE]i" in schema.get("pattern", "")
        return {"type": "int-or-string"} | (
            {"format": "quantity"} if is_quantity else _some(schema, "pattern")
        )
    if "properties" in schema:
        return _record(schema, types, name or _copied(schema, types, near, field))
    kind = schema.get("type")
    if kind == "array":
        items = schema["items"]
        if near and _is_open(items):
            items = types.field(near, field)["items"]
        return {"items": convert(items, types, near, field)} | _some(schema, "minItems", "maxItems")
    if isinstance(schema.get("additionalProperties"), Mapping):
        values = convert(schema["additionalProperties"], types, near, field)
        return {"values": values} | _some(schema, "minProperties", "maxProperties")
    if kind is None or kind == "object":
        return {"type": "object"} if kind else {}
    return _scalar(schema, types, near, field)


def _scalar(schema: Published, types: Definitions, near: str, field: str) -> Node:
    made = {"type": schema["type"]} | _some(schema, "pattern", *_LIMITS)
    if schema.get("format") in ("date-time", "int32"):
        made["format"] = schema["format"]
    if words := schema.get("enum") or types.enums.get((near, field)):
        made["enum"] = words
    return made


def _some(schema: Published, *names: str) -> Node:
    return {
        name: schema[name] for name in names if schema.get(name) or (name == "minimum" and name in schema)
    }


def _is_open(schema: Published) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields")) and "type" not in schema


def _copied(schema: Published, types: Definitions, near: str, field: str) -> str:
    """Return the Kubernetes type that a record of a CRD is a copy of."""
    fields = frozenset(schema["properties"])
    if near:
        below = types.field(near, field)
        while "items" in below or "additionalProperties" in below:
            below = below.get("items") or below["additionalProperties"]
        name, known = types.resolve(below)
        if name and not fields.isdisjoint(known.get("properties", {})):
            return name
    return types.name_of(fields)


def _record(schema: Published, types: Definitions, name: str) -> Node:
    fields = {key: convert(below, types, name, key) for key, below in schema["properties"].items()}
    made: Node = {"properties": fields}
    if schema.get("required"):
        made["required"] = sorted(schema["required"])
    if name:
        made["is"] = name.rpartition(".")[2]
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        made["open"] = True
    if conditions := [*_combined(schema), *_conditions(schema)]:
        made["conditions"] = conditions
    return made


def _combined(schema: Published) -> Iterator[list[Any]]:
    """Yield what `oneOf` says of a record's fields: at most one of them."""
    for one_of in [schema.get("oneOf"), *(part.get("oneOf") for part in schema.get("allOf", ()))]:
        alone = [part["required"][0] for part in one_of or () if list(part) == ["required"]]
        if alone:
            yield ["most", *alone]


def _conditions(schema: Published) -> Iterator[list[Any]]:
    """Yield the conditions in CEL that are cheap to check; the others are left to the API server."""
    goes_with: dict[tuple[str, str], str] = {}
    needed: set[tuple[str, str, str]] = set()
    for condition in schema.get("x-kubernetes-validations", ()):
        text = condition["rule"]
        if text == _PORT_OF_SERVICE:
            yield ["check", "backend"]
        elif _COUNTED.fullmatch(text):
            yield ["most", *re.findall(_HAS, text)]
        elif found := _match(_EXCLUDES, text):
            yield ["most", *found.groups()]
        elif found := _match(_GOES_WITH, text):
            goes_with[found["tag"], found["value"]] = found["field"]
        elif found := _match(_NEEDED_BY, text):
            needed.add((found["tag"], found["value"], found["field"]))
    both = {key: field for key, field in goes_with.items() if (*key, field) in needed}
    for tag in dict.fromkeys(tag for tag, _ in both):
        fields = {value: field for (name, value), field in both.items() if name == tag}
        yield ["type", tag, schema["properties"][tag].get("default"), fields]


def _match(patterns: list[re.Pattern[str]], text: str) -> re.Match[str] | None:
    return next((found for pattern in patterns if (found := pattern.fullmatch(text))), None)
