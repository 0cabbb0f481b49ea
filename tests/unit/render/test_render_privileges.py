"""No rendered pod has more privileges than Pod Security `restricted` allows, and no namespace accepts one that has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests import golden

CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
# Fields of a pod by which it meets the node (Kubernetes, Pod Security Standards).
NODE = {"hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace"}


def objects(case: str) -> list[Any]:
    """Return the objects of a case; the files that images are built from are none."""
    files = golden.files(case)
    return [
        yaml.safe_load(text)
        for name, text in files.items()
        if name.endswith(".yaml") and not name.startswith("bentos/")
    ]


def pods(value: Any) -> Iterator[dict[str, Any]]:
    """Yield each specification of pods at any depth: of a pod template, or of a Workflow."""
    if isinstance(value, dict):
        if "containers" in value or "entrypoint" in value:
            yield value
        for item in value.values():
            yield from pods(item)
    elif isinstance(value, list):
        for item in value:
            yield from pods(item)


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    steps = [step["container"] for step in pod.get("templates", ()) if "container" in step]
    return [*pod.get("initContainers", ()), *pod.get("containers", ()), *steps]


def weaknesses(pod: dict[str, Any]) -> list[str]:
    """Return what a pod may do beyond the standard, or the profile that it lacks."""
    context = pod.get("securityContext", {})
    found = [name for name in NODE if name in pod]
    if pod.get("automountServiceAccountToken") is not False:
        found.append("a token of the API server")
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        found.append("root")
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        found.append("no seccomp profile")
    found += [f"a volume of {volume}" for volume in pod.get("volumes", ()) if "hostPath" in volume]
    for container in containers(pod):
        if container.get("securityContext") != CONTAINER:
            found.append(f"privileges of {container.get('name', container['image'])}")
        found += [f"a port of the node: {port}" for port in container.get("ports", ()) if "hostPort" in port]
    return found


@pytest.mark.parametrize("case", golden.cases())
def test_no_pod_has_more_privileges_than_the_restricted_profile(case):
    for item in objects(case):
        for pod in pods(item):
            assert containers(pod), item["metadata"]["name"]
            assert weaknesses(pod) == [], (item["kind"], item["metadata"]["name"])


def test_all_kinds_that_start_pods_are_seen():
    found = {item["kind"] for case in golden.cases() for item in objects(case) if any(pods(item))}
    assert found >= {"Rollout", "Deployment", "Workflow", "CronWorkflow", "AnalysisTemplate"}


@pytest.mark.parametrize(
    "change",
    [
        {"hostNetwork": True},
        {"automountServiceAccountToken": True},
        {"securityContext": {"runAsNonRoot": True, "runAsUser": 0}},
        {"volumes": [{"name": "a", "hostPath": {"path": "/"}}]},
        {"containers": [{"image": "a", "securityContext": {**CONTAINER, "privileged": True}}]},
        {"containers": [{"image": "a", "securityContext": CONTAINER, "ports": [{"hostPort": 80}]}]},
    ],
)
def test_a_privilege_is_seen(change):
    pod = next(pod for item in objects("whole") if item["kind"] == "Rollout" for pod in pods(item))
    assert weaknesses(pod) == []
    assert weaknesses(pod | change)


def test_pods_of_models_get_no_variables_of_services():
    seen = 0
    for item in objects("whole"):
        for pod in pods(item) if item["kind"] in {"Rollout", "Deployment"} else ():
            assert pod["enableServiceLinks"] is False, item["metadata"]["name"]
            seen += 1
    assert seen


def test_every_namespace_enforces_the_restricted_profile_and_denies_all_traffic_by_default():
    found = objects("whole")
    namespaces = [item["metadata"] for item in found if item["kind"] == "Namespace"]
    assert namespaces
    for space in namespaces:
        assert space["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        (policy,) = [
            item["spec"]
            for item in found
            if item["kind"] == "NetworkPolicy"
            and item["metadata"]["namespace"] == space["name"]
            and item["metadata"]["name"] == "default-deny"
        ]
        assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
