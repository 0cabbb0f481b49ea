"""JSON Schema (draft 2020-12) of the files that people write.

Pydantic describes a whole record. A spec, though, is only the top layer of one: what a tier's defaults may supply
may be missing from it. So every record has two forms: whole (inside lists, which layers replace as a whole), and
partial (reached through mappings, which layers merge key by key), where nothing is required.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from generator import HOME
from generator.spec import types
from generator.spec.evidence import EvidenceFile
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile, ModelSpec
from generator.spec.platform import PlatformFile
from generator.spec.units import format_value, unit_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"
BASE = f"{HOME}/schema"

Node = dict[str, Any]
_REF = "#/$defs/"
# What one bento and one tier need to be the same everywhere: written in the spec, and nowhere else.
_OWN = ("tier", "model", "environments")


def identified(name: str, title: str, body: Node) -> Node:
    """Return a schema with its dialect, its identity and its title in front."""
    return {"$schema": DRAFT, "$id": f"{BASE}/{name}.json", "title": title, **body}


def model_schema() -> Node:
    """Return the schema of `specs/<team>/<model>.yaml`."""
    root, raw = _described(ModelFile)
    forms = _Forms(raw)
    spec = root["properties"].pop("spec")
    body = forms.form(root, partial=False)
    body["properties"]["spec"] = {"$ref": f"{_REF}Spec", "title": "spec", "description": spec["description"]}
    forms.defs["Spec"] = _spec(forms)
    forms.defs["Overrides"] = _layer(forms, "What differs in one environment: any part of the spec.")
    return identified("model", "A model and how it is released", _closed(body, forms))


def platform_schema() -> Node:
    """Return the schema of `specs/platform.yaml`."""
    root, raw = _described(PlatformFile)
    forms = _Forms(raw)
    body = forms.form(root, partial=False)
    defaults = forms.defs["Tier"]["properties"]["defaults"]
    forms.defs["Tier"]["properties"]["defaults"] = {
        "$ref": f"{_REF}Defaults",
        "title": defaults["title"],
        "description": defaults["description"],
    }
    forms.defs["Defaults"] = _layer(forms, "Any part of a model's spec; the model's values take precedence.")
    return identified("platform", "The platform that models share", _closed(body, forms))


def lock_schema() -> Node:
    """Return the schema of `<model>.lock.yaml`."""
    root, raw = _described(LockFile)
    forms = _Forms(raw)
    return identified(
        "lock", "What references were resolved to", _closed(forms.form(root, partial=False), forms)
    )


def evidence_schema() -> Node:
    """Return the schema of `<model>.evidence.json`."""
    root, raw = _described(EvidenceFile)
    forms = _Forms(raw)
    return identified(
        "evidence", "What the gates of one model found", _closed(forms.form(root, partial=False), forms)
    )


def _described(record: type[BaseModel]) -> tuple[Node, Node]:
    """Pydantic's schema of a record, and the definitions of it and of a model's spec."""
    refs, schema = models_json_schema([(record, "validation"), (ModelSpec, "validation")], by_alias=True)
    raw = schema["$defs"]
    root = raw[refs[record, "validation"]["$ref"].removeprefix(_REF)]
    return root, raw


def _closed(body: Node, forms: _Forms) -> Node:
    rest = {key: value for key, value in body.items() if key not in {"title", "$defs"}}
    return {**rest, "$defs": dict(sorted(forms.defs.items()))}


def _layer(forms: _Forms, description: str) -> Node:
    """The partial form of a spec: one layer above or below it."""
    spec = forms.raw["ModelSpec"]
    properties = {key: value for key, value in spec["properties"].items() if key not in _OWN}
    body = forms.form({**spec, "properties": properties}, partial=True)
    return {**body, "description": description}


def _spec(forms: _Forms) -> Node:
    layer = _layer(forms, "The spec of a model; tier and platform supply the rest.")
    own = forms.raw["ModelSpec"]["properties"]
    properties = {
        "tier": forms.entry("tier", own["tier"], partial=False),
        "model": forms.entry("model", own["model"], partial=False),
        **layer["properties"],
        "environments": {
            "type": ["object", "null"],
            "title": "environments",
            "description": own["environments"]["description"],
            "propertyNames": {"pattern": types.KEBAB},
            "additionalProperties": {"$ref": f"{_REF}Overrides"},
        },
    }
    return {**layer, "properties": properties, "required": ["tier", "model"]}


class _Forms:
    """The definitions of one schema, made as they are needed.

    Args:
        raw: pydantic's definitions.
    """

    def __init__(self, raw: Node) -> None:
        self.raw = raw
        self.defs: Node = {}

    def form(self, node: Node, *, partial: bool) -> Node:
        """Return a schema in its whole or its partial form."""
        out: Node = {}
        for key, value in node.items():
            out.update(self._keyword(key, value, partial=partial))
        return out

    def _keyword(self, key: str, value: Any, *, partial: bool) -> Node:
        """One keyword of a schema, with the schemas inside it in the same form; items of lists are always whole."""
        match key:
            case "$ref":
                return {key: self._reference(value, partial=partial)}
            case "properties":
                return {key: {name: self.entry(name, item, partial=partial) for name, item in value.items()}}
            case "items":
                return {key: self.form(value, partial=False)}
            case "patternProperties":
                return self._free_keys(value, partial=partial)
            case "additionalProperties" if isinstance(value, dict):
                return {key: self.form(value, partial=partial)}
            case "anyOf" | "oneOf":
                return self._choice(key, value, partial=partial)
            case "propertyNames":
                return {}
            case "required":
                return {} if partial else {key: value}
        return {key: value}

    def entry(self, name: str, node: Node, *, partial: bool) -> Node:
        """Return a property: titled by its key, its unit explained, its default as people write it."""
        out = self.form(node, partial=partial)
        unit, says = _unit(node)
        default = format_value(out.pop("default", None), unit)
        if default is not None and not isinstance(node.get("default"), dict):
            out["default"] = node["default"] if isinstance(node["default"], list) else default
        out["title"] = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
        if says and says not in out.get("description", ""):
            out["description"] = f"{out['description']} ({says})" if "description" in out else says
        return out

    def _free_keys(self, patterns: Node, *, partial: bool) -> Node:
        """A mapping whose keys are names that people choose; pydantic lets any other key pass."""
        ((pattern, value),) = patterns.items()
        return {
            "propertyNames": {"pattern": pattern},
            "additionalProperties": self.form(value, partial=partial),
        }

    def _reference(self, ref: str, *, partial: bool) -> str:
        name = ref.removeprefix(_REF)
        target = f"{name}Part" if partial else name
        if target not in self.defs:
            self.defs[target] = {}
            self.defs[target] = self.form(self.raw[name], partial=partial)
        return f"{_REF}{target}"

    def _choice(self, key: str, members: list[Node], *, partial: bool) -> Node:
        """Alternatives exclude each other by what they require; a partial form requires nothing, so any may fit."""
        if all(set(member) == {"required"} for member in members):
            return {} if partial else {key: [_written_key(member["required"][0]) for member in members]}
        return {"anyOf": [self.form(member, partial=partial) for member in members]}


def _written_key(name: str) -> Node:
    """A key that is there and not null: null means that it is not written."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _unit(node: Node) -> tuple[str, str]:
    """Name and explanation of a property's unit, seen through `or null`."""
    members = [node, *node.get("anyOf", ())]
    known = (_units().get((m.get("title", ""), m.get("pattern", ""))) for m in members)
    return next((found for found in known if found), ("", ""))


@cache
def _units() -> dict[tuple[str, str], tuple[str, str]]:
    """Name and explanation of every unit of the spec language by title and pattern; times share one pattern."""
    found = [alias for alias in vars(types).values() if unit_of(getattr(alias, "__metadata__", ()))]
    schemas = [TypeAdapter(alias).json_schema() for alias in found]
    return {
        (schema["title"], schema["pattern"]): (schema["title"], schema["description"]) for schema in schemas
    }
