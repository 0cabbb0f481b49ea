"""The tables against the custom resource definitions that the projects publish as Go modules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

from generator.lint.kinds.registry import table
from generator.lint.kinds.table import Schema, inner

pytestmark = pytest.mark.slow

TOOLCHAIN = "go1.27.3"  # go refuses to fetch a module that asks for a newer Go than the one that runs
ROLLOUTS = "github.com/argoproj/argo-rollouts@v1.10.2"
ARGO_CD = "github.com/argoproj/argo-cd/v3@v3.6.1"
WORKFLOWS = "github.com/argoproj/argo-workflows/v3@v3.7.18"
GATEWAY = "sigs.k8s.io/gateway-api@v1.7.0"
ISTIO = "istio.io/api@v1.31.4"
TRAEFIK = "github.com/traefik/traefik/v3@v3.7.13"
KEDA = "github.com/kedacore/keda/v2@v2.21.0"
EXTERNAL_SECRETS = "github.com/external-secrets/external-secrets@v1.3.2"

ARGO = "argoproj.io/v1alpha1"
GATEWAY_API = "gateway.networking.k8s.io/v1"
ISTIO_FILE = "kubernetes/customresourcedefinitions.gen.yaml"
TRAEFIK_FILES = "docs/content/reference/dynamic-configuration/traefik.io_"
WORKFLOW_FILES = "manifests/base/crds/full/argoproj.io_"

CASES = [
    (ARGO, "Rollout", ROLLOUTS, "manifests/crds/rollout-crd.yaml"),
    (ARGO, "AnalysisTemplate", ROLLOUTS, "manifests/crds/analysis-template-crd.yaml"),
    (ARGO, "ClusterAnalysisTemplate", ROLLOUTS, "manifests/crds/cluster-analysis-template-crd.yaml"),
    (ARGO, "AnalysisRun", ROLLOUTS, "manifests/crds/analysis-run-crd.yaml"),
    (ARGO, "Application", ARGO_CD, "manifests/crds/application-crd.yaml"),
    (ARGO, "AppProject", ARGO_CD, "manifests/crds/appproject-crd.yaml"),
    (ARGO, "ApplicationSet", ARGO_CD, "manifests/crds/applicationset-crd.yaml"),
    (ARGO, "Workflow", WORKFLOWS, f"{WORKFLOW_FILES}workflows.yaml"),
    (ARGO, "CronWorkflow", WORKFLOWS, f"{WORKFLOW_FILES}cronworkflows.yaml"),
    (GATEWAY_API, "HTTPRoute", GATEWAY, "config/crd/experimental/gateway.networking.k8s.io_httproutes.yaml"),
    (GATEWAY_API, "Gateway", GATEWAY, "config/crd/experimental/gateway.networking.k8s.io_gateways.yaml"),
    (
        GATEWAY_API,
        "ReferenceGrant",
        GATEWAY,
        "config/crd/experimental/gateway.networking.k8s.io_referencegrants.yaml",
    ),
    ("networking.istio.io/v1", "VirtualService", ISTIO, ISTIO_FILE),
    ("networking.istio.io/v1", "DestinationRule", ISTIO, ISTIO_FILE),
    ("traefik.io/v1alpha1", "TraefikService", TRAEFIK, f"{TRAEFIK_FILES}traefikservices.yaml"),
    ("traefik.io/v1alpha1", "IngressRoute", TRAEFIK, f"{TRAEFIK_FILES}ingressroutes.yaml"),
    ("keda.sh/v1alpha1", "ScaledObject", KEDA, "config/crd/bases/keda.sh_scaledobjects.yaml"),
    (
        "external-secrets.io/v1",
        "ExternalSecret",
        EXTERNAL_SECRETS,
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
]

# Ends of paths where a table may differ from a definition, and why.
EXCEPTIONS = {
    ".volumeClaimTemplates[].status": "the controller's own field",
    ".projected.sources[].podCertificate": "the table of volumes is shared, Argo's Kubernetes is older",
}


@cache
def module_root(module: str) -> Path:
    """The folder of a Go module in the module cache, fetched through the go command when it is not there."""
    go = shutil.which("go")
    if go is None:
        pytest.fail("the go command is missing: install it, for instance with `apt-get install golang`")
    done = subprocess.run(
        [go, "mod", "download", "-json", module],
        capture_output=True,
        text=True,
        cwd=os.sep,
        env=os.environ | {"GOTOOLCHAIN": TOOLCHAIN},
    )
    answer = json.loads(done.stdout or "{}")
    assert "Dir" in answer, f"go mod download {module}: {answer.get('Error', done.stderr)}"
    return Path(answer["Dir"])


@cache
def definition(module: str, file: str, kind: str, version: str) -> dict:
    """The OpenAPI schema of one version of one kind."""
    with (module_root(module) / file).open(encoding="utf-8") as stream:
        for document in yaml.load_all(stream, yaml.CSafeLoader):
            if document and document.get("spec", {}).get("names", {}).get("kind") == kind:
                versions = {v["name"]: v["schema"]["openAPIV3Schema"] for v in document["spec"]["versions"]}
                return versions[version]
    raise AssertionError(f"{file} defines no {kind}")


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


def published(crd: dict) -> set[str]:
    return {"integer", "string"} if crd.get("x-kubernetes-int-or-string") else {crd["type"]}


def differences(
    node: Schema, crd: dict, path: str, seen: frozenset[tuple[int, int]] = frozenset()
) -> list[str]:
    """Where a table and a definition disagree: field names, JSON types, enumerations, required keys."""
    node = inner(node)
    mark = (id(node), id(crd))
    if node["type"] == "any" or mark in seen or open_ended(crd):
        return []
    seen |= {mark}
    if node["type"] == "typed-dict":
        return record_differences(node, crd, path, seen)
    if node["type"] == "dict":
        free = inner(node["values_schema"])["type"] == "any"
        assert crd["type"] == "object", path
        return (
            []
            if free
            else differences(node["values_schema"], crd["additionalProperties"], f"{path}{{}}", seen)
        )
    if node["type"] == "list":
        if crd.get("type") != "array":
            return [f"{path}: a list here, {crd.get('type')} there"]
        return differences(node["items_schema"], crd["items"], f"{path}[]", seen)
    return scalar_differences(node, crd, path)


def record_differences(node: Schema, crd: dict, path: str, seen: frozenset[tuple[int, int]]) -> list[str]:
    if "properties" not in crd:
        return [f"{path}: a record here, {crd} there"]
    fields, properties = node["fields"], crd["properties"]
    found = [
        f"{path}.{name}: {'unknown to' if name in fields else 'only in'} the CRD"
        for name in fields.keys() ^ properties.keys()
        if not f"{path}.{name}".endswith(tuple(EXCEPTIONS))
    ]
    found += [
        f"{path}.{name}: the CRD requires it"
        for name in crd.get("required", ())
        if name in fields and not fields[name]["required"]
    ]
    for name in fields.keys() & properties.keys():
        found += differences(fields[name]["schema"], properties[name], f"{path}.{name}", seen)
    return found


def scalar_differences(node: Schema, crd: dict, path: str) -> list[str]:
    ours, theirs = accepted(node), published(crd)
    if ours != theirs:
        return [f"{path}: {sorted(ours)} here, {sorted(theirs)} there"]
    if node["type"] == "literal" and "enum" in crd and set(node["expected"]) != set(crd["enum"]):
        return [f"{path}: {node['expected']} here, {crd['enum']} there"]
    return []


@pytest.mark.parametrize(("api_version", "kind", "module", "file"), CASES, ids=[case[1] for case in CASES])
def test_table_agrees_with_the_published_definition(api_version, kind, module, file):
    crd = definition(module, file, kind, api_version.rsplit("/", 1)[-1])
    spec = table(api_version, kind)["fields"]["spec"]["schema"]
    assert differences(spec, crd["properties"]["spec"], "spec") == []


def test_comparison_notices_a_field_that_the_definition_lacks():
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
        "spec.a: ['integer'] here, ['string'] there",
    ]
