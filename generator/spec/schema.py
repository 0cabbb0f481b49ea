"""JSON Schemas (draft 2020-12) of the files that people write.

Pydantic describes a whole record. A spec, however, is only the top layer of one: keys in the tier's defaults may be
missing from it. So every record has two forms: whole (inside lists, which layers replace as a whole), and partial
(inside mappings, which layers merge key by key), where nothing is required.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from generator import HOME
from generator.spec import types
from generator.spec.calibration import CalibrationFile
from generator.spec.evidence import EvidenceFile
from generator.spec.lock import LockFile
from generator.spec.model import ModelFile, ModelSpec
from generator.spec.platform import PlatformFile
from generator.spec.promotion import PromotionFile
from generator.spec.quarantine import QuarantineFile
from generator.spec.release_record import RecordFile
from generator.spec.units import format_value, unit_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"
BASE = f"{HOME}/schema"

Node = dict[str, Any]
_REF = "#/$defs/"
# Keys that must be the same in all environments, so they are only in the spec.
_OWN = ("tier", "model", "serve", "environments")


def identified(name: str, title: str, body: Node) -> Node:
    """Return a schema that starts with its dialect, its identity and its title."""
    return {"$schema": DRAFT, "$id": f"{BASE}/{name}.json", "title": title, **body}


def model_schema() -> Node:
    """Return the schema of `specs/<team>/<model>.yaml`."""
    root, raw = _described(ModelFile)
    forms = _Forms(raw)
    spec = root["properties"].pop("spec")
    body = forms.form(root, partial=False)
    body["properties"]["spec"] = {"$ref": f"{_REF}Spec", "title": "spec", "description": spec["description"]}
    forms.defs["Spec"] = _spec(forms)
    forms.defs["Overrides"] = _layer(forms, "Overrides for one environment: any part of the spec.")
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
    return identified("lock", "The locked references", _closed(forms.form(root, partial=False), forms))


def calibration_schema() -> Node:
    """Return the schema of `<model>.calibration.yaml`."""
    root, raw = _described(CalibrationFile)
    forms = _Forms(raw)
    title = "What the history of one model says"
    return identified("calibration", title, _closed(forms.form(root, partial=False), forms))


def quarantine_schema() -> Node:
    """Return the schema of `<model>.quarantine.yaml`."""
    root, raw = _described(QuarantineFile)
    forms = _Forms(raw)
    title = "The releases of one model that were taken back"
    return identified("quarantine", title, _closed(forms.form(root, partial=False), forms))


def evidence_schema() -> Node:
    """Return the schema of `<model>.evidence.json`."""
    root, raw = _described(EvidenceFile)
    forms = _Forms(raw)
    return identified(
        "evidence", "The evidence of one model's gates", _closed(forms.form(root, partial=False), forms)
    )


def promotion_schema() -> Node:
    """Return the schema of `<model>.<environment>.lock.yaml`."""
    root, raw = _described(PromotionFile)
    forms = _Forms(raw)
    title = "The lock of a model in one environment"
    return identified("promotion", title, _closed(forms.form(root, partial=False), forms))


def record_schema() -> Node:
    """Return the schema of `<model>.<environment>.record.json`."""
    root, raw = _described(RecordFile)
    forms = _Forms(raw)
    return identified("record", "The record of a release", _closed(forms.form(root, partial=False), forms))


def _described(record: type[BaseModel]) -> tuple[Node, Node]:
    """Return pydantic's schema of a record, and its definitions with those of a model's spec."""
    refs, schema = models_json_schema([(record, "validation"), (ModelSpec, "validation")], by_alias=True)
    raw = schema["$defs"]
    root = raw[refs[record, "validation"]["$ref"].removeprefix(_REF)]
    return root, raw


def _closed(body: Node, forms: _Forms) -> Node:
    rest = {key: value for key, value in body.items() if key not in {"title", "$defs"}}
    return {**rest, "$defs": dict(sorted(forms.defs.items()))}


def _layer(forms: _Forms, description: str) -> Node:
    """Return the partial form of a spec: one layer above or below it."""
    spec = forms.raw["ModelSpec"]
    properties = {key: value for key, value in spec["properties"].items() if key not in _OWN}
    body = forms.form({**spec, "properties": properties}, partial=True)
    return {**body, "description": description}


def _spec(forms: _Forms) -> Node:
    layer = _layer(
        forms, "The spec of a model; values that it leaves out come from the tier and the platform."
    )
    raw = forms.raw["ModelSpec"]
    own = raw["properties"]
    properties = {
        "tier": forms.entry("tier", own["tier"], partial=False),
        "model": forms.entry("model", own["model"], partial=False),
        "serve": forms.entry("serve", own["serve"], partial=False),
        **layer["properties"],
        "environments": {
            "type": ["object", "null"],
            "title": "environments",
            "description": own["environments"]["description"],
            "propertyNames": {"pattern": types.KEBAB},
            "additionalProperties": {"$ref": f"{_REF}Overrides"},
        },
    }
    source = [_written_key(member["required"][0]) for member in raw["oneOf"]]
    return {**layer, "properties": properties, "required": ["tier"], "oneOf": source}


class _Forms:
    """The definitions of one schema, created on demand.

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
        """Return one keyword of a schema with the schemas inside it in the same form; list items are always whole."""
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
            case "propertyNames" if not {"enum", "const"} & value.keys():
                return {}  # `_free_keys` writes those with a pattern
            case "required":
                return {} if partial else {key: value}
        return {key: value}

    def entry(self, name: str, node: Node, *, partial: bool) -> Node:
        """Return a property with its key as title, its unit explained, and its default as users write it."""
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
        """Return a mapping with user-chosen keys; pydantic accepts any key."""
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
        """Return the alternatives: they differ in their required keys, so in a partial form any may fit."""
        if all(set(member) == {"required"} for member in members):
            return {} if partial else {key: [_written_key(member["required"][0]) for member in members]}
        return {"anyOf": [self.form(member, partial=partial) for member in members]}


def _written_key(name: str) -> Node:
    """Return the schema of a key that is set; null counts as missing."""
    return {"required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _unit(node: Node) -> tuple[str, str]:
    """Return the name and the explanation of a property's unit, also inside `or null`."""
    members = [node, *node.get("anyOf", ())]
    known = (_units().get((m.get("title", ""), m.get("pattern", ""))) for m in members)
    return next((found for found in known if found), ("", ""))


@cache
def _units() -> dict[tuple[str, str], tuple[str, str]]:
    """Return the name and the explanation of every unit by title and pattern; times share one pattern."""
    found = [alias for alias in vars(types).values() if unit_of(getattr(alias, "__metadata__", ()))]
    schemas = [TypeAdapter(alias).json_schema() for alias in found]
    return {
        (schema["title"], schema["pattern"]): (schema["title"], schema["description"]) for schema in schemas
    }
