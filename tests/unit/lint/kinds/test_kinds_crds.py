"""The kinds against what the projects publish as Go modules: the file is what `make kinds` writes, and it is right.

`differences` reads the published definitions by itself, so that a mistake of the conversion shows.
"""

from __future__ import annotations

from functools import cache, reduce

import pytest
from jsonschema import Draft7Validator

from generator.lint.kinds import KINDS, check
from generator.lint.kinds.notation import Schema
from generator.lint.kinds.tables import inner, part
from tests.tools.kinds.build import TARGET, unpack
from tests.tools.kinds.gather import definitions, kinds_of
from tests.tools.kinds.sources import KUBERNETES, PROJECTS, Project
from tests.unit.lint.kinds.examples import EXAMPLES, changed, spots

pytestmark = pytest.mark.slow

VERSIONS = [(project, minor) for project in (KUBERNETES, *PROJECTS) for minor in project.versions]
CASES = [
    (project, minor, f"{project.group}/{api}", kind)
    for project in PROJECTS
    for minor in project.versions
    for kind, apis in project.kinds.items()
    for api in apis
]

# Fields that a definition leaves open and that have a type of ours, and the reverse.
OURS = (
    ".inline",  # a definition can't refer to itself
    ".resources.limits",
    ".resources.requests",
    ".spec.volumes",
    ".spec.volumes[]",
)


@cache
def committed() -> dict:
    return unpack(TARGET.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("project", "minor"), VERSIONS, ids=lambda value: getattr(value, "name", value))
def test_the_file_is_what_the_projects_publish(project, minor):
    found = list(kinds_of(project, minor))
    assert found
    for kind in found:
        assert committed()[kind.api_version, kind.kind, minor] == kind.root, kind.kind


@cache
def published(project: Project, minor: str) -> dict[tuple[str, str], dict]:
    """The OpenAPI schemas of a project's kinds by apiVersion and kind."""
    return {
        (f"{definition['spec']['group']}/{row['name']}", definition["spec"]["names"]["kind"]): row["schema"][
            "openAPIV3Schema"
        ]
        for definition in definitions(project, minor)
        for row in definition["spec"]["versions"]
    }


def open_ended(crd: dict) -> bool:
    return bool(crd.get("x-kubernetes-preserve-unknown-fields")) or (
        crd.get("type", "object") == "object"
        and "properties" not in crd
        and not isinstance(crd.get("additionalProperties"), dict)
        and not crd.get("x-kubernetes-int-or-string")
    )


def accepted(node: Schema) -> set[str]:
    names = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}
    if node["type"] == "union":
        return set().union(*(accepted(choice) for choice in node["choices"]))
    if node["type"] == "literal":
        return {"string" if isinstance(value, str) else "integer" for value in node["expected"]}
    return {names[node["type"]]}


def expected(crd: dict) -> set[str]:
    return {"integer", "string"} if crd.get("x-kubernetes-int-or-string") else {crd["type"]}


def differences(node: Schema, crd: dict, path: str) -> list[str]:
    """Where a table and a definition disagree: field names, JSON types, enumerations, required keys."""
    node = inner(node)
    if open_ended(crd):
        fine = node["type"] == "any" or path.endswith(OURS) or (node["type"] == "dict" and crd.get("type"))
        return [] if fine else [f"{path}: open there"]
    if node["type"] == "typed-dict":
        return record_differences(node, crd, path)
    if node["type"] == "dict":
        below = crd.get("additionalProperties")
        return differences(node["values_schema"], below, f"{path}{{}}") if below else [f"{path}: {crd} there"]
    if node["type"] == "list":
        if crd.get("type") != "array":
            return [f"{path}: a list here, {crd.get('type')} there"]
        return differences(node["items_schema"], crd["items"], f"{path}[]")
    return scalar_differences(node, crd, path)


def record_differences(node: Schema, crd: dict, path: str) -> list[str]:
    if "properties" not in crd:
        return [f"{path}: a record here, {crd} there"]
    fields, properties = node["fields"], crd["properties"]
    found = [
        f"{path}.{name}: {'unknown to' if name in fields else 'only in'} the CRD"
        for name in fields.keys() ^ properties.keys()
    ]
    found += [
        f"{path}.{name}: the CRD requires it"
        for name in crd.get("required", ())
        if name in fields and not fields[name]["required"]
    ]
    for name in fields.keys() & properties.keys():
        found += differences(fields[name]["schema"], properties[name], f"{path}.{name}")
    return found


def scalar_differences(node: Schema, crd: dict, path: str) -> list[str]:
    if node["type"] == "any" or accepted(node) != expected(crd):
        return [f"{path}: {node['type']} here, {expected(crd)} there"]
    if "enum" not in crd:
        return []
    node = next((choice for choice in node.get("choices", ()) if choice["type"] == "literal"), node)
    words = set(node.get("expected", ()))
    return [] if words == set(crd["enum"]) else [f"{path}: {words} here, {crd['enum']} there"]


@pytest.mark.parametrize(
    ("project", "minor", "api_version", "kind"),
    CASES,
    ids=[f"{case[3]}-{case[0].name}-{case[1]}-{case[2].rpartition('/')[2]}" for case in CASES],
)
def test_a_table_agrees_with_the_published_definition(project, minor, api_version, kind):
    crd = published(project, minor)[api_version, kind]
    spec = part(api_version, kind, minor).schema["fields"]["spec"]["schema"]
    assert differences(spec, crd["properties"]["spec"], "spec") == []


LIMITS = [
    "type",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "required",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
]
JUNK = [None, True, -1, 2.5, "", "A b!", [], {}, [{"a": 1}], {"a": 1}, 10**6]


def closed(crd: dict) -> dict:
    """A published schema as a JSON Schema that refuses unknown fields, as the API server drops them."""
    if crd.get("x-kubernetes-int-or-string"):
        return {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": crd.get("pattern", "")}]}
    made = {name: crd[name] for name in LIMITS if name in crd}
    if "(?i)" not in crd.get("pattern", ""):
        made |= {"pattern": crd["pattern"]} if "pattern" in crd else {}
    if "properties" in crd:
        made["properties"] = {name: closed(below) for name, below in crd["properties"].items()}
        made["additionalProperties"] = bool(crd.get("x-kubernetes-preserve-unknown-fields"))
    for name in ("items", "additionalProperties"):
        if isinstance(crd.get(name), dict):
            made[name] = closed(crd[name])
    return {"anyOf": [made, {"type": "null"}]} if crd.get("nullable") else made


def at(crd: dict, path: tuple[str | int, ...]) -> dict:
    """The schema of the value at a path."""
    for step in path:
        below = crd.get("properties", {}).get(step) or crd.get("items") or crd.get("additionalProperties")
        crd = below if isinstance(below, dict) else {}
    return crd


# Kubernetes' own kinds are compared with its models, in test_kinds_models.
CUSTOM = [(key, project) for key in EXAMPLES for project in PROJECTS if KINDS[key].project == project.name]


@pytest.mark.parametrize(("key", "project"), CUSTOM, ids=[key[1] for key, _ in CUSTOM])
def test_what_the_published_definition_refuses_is_refused(key, project):
    example = EXAMPLES[key]
    crd = published(project, next(iter(project.versions)))[key]
    assert Draft7Validator(closed(crd["properties"]["spec"])).is_valid(example["spec"])
    refused = 0
    table = part(*key).schema["fields"]["spec"]["schema"]
    for path in [path for path, _, _ in spots(table, example["spec"], ("spec",)) if len(path) > 1]:
        validator = Draft7Validator(closed(at(crd, path[:-1])))
        for value in JUNK:
            spoilt = changed(example, path, value)
            holder = reduce(lambda below, step: below[step], path[:-1], spoilt)
            if not validator.is_valid(holder):
                refused += 1
                assert check(spoilt), (path, value)
    assert refused > 10


def test_the_comparison_notices_a_field_that_the_definition_lacks():
    crd = {"type": "object", "properties": {"a": {"type": "string"}}}
    node = {
        "type": "typed-dict",
        "fields": {
            "a": {"required": False, "schema": {"type": "int"}},
            "b": {"required": False, "schema": {"type": "str"}},
        },
    }
    assert differences(node, crd, "spec") == [
        "spec.b: unknown to the CRD",
        "spec.a: int here, {'string'} there",
    ]
