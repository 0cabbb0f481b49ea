"""In an adopted namespace nothing that Sluice renders selects, limits or refuses what is not Sluice's."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests import golden
from tests.unit.render.admission_cel import Policy

MODEL = "ranker"
NAMESPACE = {"metadata": {"name": "shop-live"}}


@cache
def objects() -> tuple[dict[str, Any], ...]:
    """Every object of the golden case, of both environments, with what all cases share."""
    texts = golden.render("shared-namespace", shared=True)
    found = (yaml.safe_load(text) for name, text in texts.items() if name.endswith(".yaml"))
    return tuple(item for item in found if "kind" in item)


def of(*kinds: str) -> list[dict[str, Any]]:
    return [item for item in objects() if item["kind"] in kinds]


def selectors() -> Iterator[tuple[str, dict[str, Any]]]:
    """Which pods each object is about; peers that a policy lets in are not a selection."""
    for item in objects():
        spec, name = item.get("spec", {}), f"{item['kind']} {item['metadata']['name']}"
        if item["kind"] == "NetworkPolicy":
            yield name, spec["podSelector"]
        elif item["kind"] == "Service":
            yield name, {"matchLabels": spec["selector"]}
        elif item["kind"] in {"PodDisruptionBudget", "PodMonitor", "Rollout"}:
            yield name, spec["selector"]


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """As Kubernetes does it: every requirement must hold, so an empty selector selects every pod."""
    known = {"In": lambda e: labels.get(e["key"]) in e["values"], "Exists": lambda e: e["key"] in labels}
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        known[one["operator"]](one) for one in selector.get("matchExpressions", ())
    )


def own_pods() -> dict[str, dict[str, str]]:
    """The labels of every pod that Sluice's objects start, by what starts it."""
    found = {"Rollout": of("Rollout")[0]["spec"]["template"]["metadata"]["labels"]}
    found["Workflow"] = of("Workflow")[0]["spec"]["podMetadata"]["labels"]
    (smoke,) = [item for item in of("AnalysisTemplate") if "job" in item["spec"]["metrics"][0]["provider"]]
    found["Job"] = smoke["spec"]["metrics"][0]["provider"]["job"]["spec"]["template"]["metadata"]["labels"]
    return found


# What hand-written pods have, the labels of the selectors among them.
KEYS = [
    "app",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "batch.kubernetes.io/job-name",
    "rollouts-pod-template-hash",
    "sluice.dev.example.com/model",
    "workflows.argoproj.io/workflow",
]
VALUES = [MODEL, "shop", "sluice", "live", "gates", "smoke", ""]


@given(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES)))
def test_no_selector_matches_a_pod_of_others(labels):
    found = list(selectors())
    assert {name.partition(" ")[0] for name, _ in found} >= {
        "NetworkPolicy",
        "Service",
        "PodDisruptionBudget",
        "Rollout",
    }
    assert [name for name, selector in found if selects(selector, labels)] == []


def test_the_pods_of_sluice_are_selected():
    """The near miss: every selector matches a pod, and every pod is denied what no policy names."""
    pods = own_pods()
    for name, selector in selectors():
        assert any(selects(selector, labels) for labels in pods.values()), name
    (deny, *_) = [item for item in of("NetworkPolicy") if item["metadata"]["name"] == "sluice-default-deny"]
    assert all(selects(deny["spec"]["podSelector"], labels) for labels in pods.values())
    assert deny["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_nothing_limits_the_namespace():
    assert of("Namespace", "LimitRange", "ResourceQuota") == []
    project = next(item for item in of("AppProject") if item["metadata"]["name"] == "live-platform")
    kinds = {
        one["kind"]
        for part in ("cluster", "namespace")
        for one in project["spec"][f"{part}ResourceWhitelist"]
    }
    assert kinds.isdisjoint({"Namespace", "LimitRange", "ResourceQuota"})
    assert all(item["metadata"]["name"].startswith("sluice-") for item in of("NetworkPolicy"))


def policies() -> list[Policy]:
    return [
        Policy(item["spec"])
        for item in of("ValidatingAdmissionPolicy")
        if item["metadata"]["name"].startswith("sluice-live-")
    ]


def refused(new: Any, old: Any = None) -> list[str]:
    judges = policies() if new["kind"] == "Rollout" else policies()[:1]
    return [message for policy in judges for message in policy.refuses(new, NAMESPACE, old)]


def rollout(*, own: bool, tier: str = "basic") -> Any:
    found = copy.deepcopy(of("Rollout")[0])
    pods = found["spec"]["template"]["metadata"]["labels"]
    pods["sluice.dev/tier"] = tier
    if not own:
        found["metadata"]["labels"] = {"app": MODEL}
        found["spec"]["template"]["metadata"] = {"labels": {"app": MODEL}}
    return found


def test_admission_refuses_only_what_is_sluices():
    assert refused(rollout(own=True)) == []
    assert refused(rollout(own=False)) == []
    assert refused(rollout(own=True, tier="other"))
    assert refused(rollout(own=False), old=rollout(own=True)), "without its label it is still Sluice's"


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_workloads_of_others_are_not_refused(kind):
    template = {"metadata": {"labels": {"app": MODEL}}, "spec": {"containers": [{"image": "nginx:1"}]}}
    foreign = {"kind": kind, "metadata": {"name": "web"}, "spec": {"template": template}}
    assert refused(foreign) == []
    template["metadata"]["labels"]["sluice.dev/model"] = MODEL
    assert refused(foreign), "pods with a model's label are Sluice's"


def test_the_policies_apply_to_the_adopted_namespaces_only():
    for item in of("ValidatingAdmissionPolicyBinding"):
        (one,) = item["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
        environment = item["metadata"]["labels"]["sluice.dev/environment"]
        assert one == {
            "key": "kubernetes.io/metadata.name",
            "operator": "In",
            "values": [f"shop-{environment}"],
        }


def test_configuration_of_notifications_is_merged_into_what_others_have():
    """Argo CD 3.6: a server-side apply leaves keys that it does not have; `Prune=false` leaves the object."""
    found = [item for item in of("ConfigMap") if "notification" in item["metadata"]["name"]]
    assert {item["metadata"]["name"] for item in found} == {
        "argocd-notifications-cm",
        "argo-rollouts-notification-configmap",
    }
    for item in found:
        options = item["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
        assert set(options.split(",")) == {"Prune=false", "ServerSideApply=true"}


def test_an_application_keeps_the_name_that_it_has():
    names = {item["metadata"]["name"] for item in of("Application")}
    assert {"ranking", "test-shop-ranker"} <= names
    assert "live-shop-ranker" not in names
