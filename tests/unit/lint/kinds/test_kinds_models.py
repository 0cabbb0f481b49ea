"""The tables of core kinds against the models of the kubernetes package, which come from its OpenAPI."""

from __future__ import annotations

import types
import typing

import kubernetes.client
import pytest
from pydantic import BaseModel

from generator.lint.kinds.definitions import KINDS
from generator.lint.kinds.notation import Schema
from generator.lint.kinds.tables import inner, part
from generator.lint.shapes import _CORE


def unwrapped(annotation: object) -> list[object]:
    """The types inside Optional, Annotated, List, Dict values and Union."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return unwrapped(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [
            found
            for part in typing.get_args(annotation)
            for found in unwrapped(part)
            if part is not type(None)
        ]
    if origin in (list, dict):
        return unwrapped(typing.get_args(annotation)[-1])
    return [annotation]


def fields_of(model: type[BaseModel]) -> dict[str, typing.Any]:
    """The fields of a model by their name in JSON."""
    return {field.serialization_alias or name: field for name, field in model.model_fields.items()}


def accepts(node: Schema) -> set[type]:
    if node["type"] == "union":
        return set().union(*(accepts(choice) for choice in node["choices"]))
    if node["type"] == "literal":
        return {type(value) for value in node["expected"]}
    return {{"str": str, "int": int, "bool": bool, "float": float}[node["type"]]}


def differences(node: Schema, annotation: object, path: str, seen: frozenset[int]) -> list[str]:
    """Where a table and a model disagree about names of fields, types of scalars and what is required."""
    node = inner(node)
    while node["type"] in ("list", "dict"):
        node = inner(node["items_schema" if node["type"] == "list" else "values_schema"])
    parts = unwrapped(annotation)
    if node["type"] == "any" or id(node) in seen:
        return []
    if node["type"] != "typed-dict":
        # A quantity may be a number to the API server, not to the models; times and bytes are strings.
        ours, theirs = accepts(node), {part for part in parts if part in (str, int, bool)}
        fine = ours == theirs or ours - {int, float} == theirs or not theirs
        return [] if fine else [f"{path}: {ours} here, {theirs} there"]
    model = parts[0]
    assert isinstance(model, type), path
    assert issubclass(model, BaseModel), path
    theirs = fields_of(model)
    found = [f"{path}.{name}: unknown to {model.__name__}" for name in node["fields"].keys() - theirs.keys()]
    left_out = theirs.keys() - node["fields"].keys()
    found += [f"{path}.{name}: only in {model.__name__}" for name in left_out]
    for name in node["fields"].keys() & theirs.keys():
        field = node["fields"][name]
        if theirs[name].is_required() and not field["required"]:
            found.append(f"{path}.{name}: {model.__name__} requires it")
        found += differences(field["schema"], theirs[name].annotation, f"{path}.{name}", seen | {id(node)})
    return found


@pytest.mark.parametrize(("key", "model"), _CORE.items(), ids=[kind for _, kind in _CORE])
def test_table_agrees_with_the_model(key, model):
    assert differences(part(*key).schema, getattr(kubernetes.client, model), key[1], frozenset()) == []


def test_every_core_kind_has_a_model():
    core = {key for key in KINDS if "." not in key[0].partition("/")[0] or ".k8s.io/" in key[0]}
    assert {key for key in core if not key[0].startswith("gateway.")} == set(_CORE)


def test_comparison_notices_what_the_model_lacks():
    row = {"type": "typed-dict-field", "required": False, "schema": {"type": "str"}}
    node = {
        "type": "typed-dict",
        "fields": {"name": row, "bogus": row, "scheme": {**row, "schema": {"type": "bool"}}},
    }
    found = differences(node, kubernetes.client.V1HTTPGetAction, "x", frozenset())
    assert {"x.bogus: unknown to V1HTTPGetAction", "x.port: only in V1HTTPGetAction"} <= set(found)
    assert any("x.scheme" in line for line in found)
