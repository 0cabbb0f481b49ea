"""Scenarios with gates: what specs say of them, and the Workflows that they become."""

from __future__ import annotations

from generator.plan.values import Plan
from tests.cluster.client import Api, Object

TIER = "gated"


def accuracy(at_least: float) -> Object:
    """What a spec says: this tier, and a gate on a metric."""
    return {"tier": TIER, "gates": [{"name": "accuracy", "metric": "accuracy", "atLeast": at_least}]}


def workflows(api: Api, namespace: str) -> list[Object]:
    """The Workflows of a namespace, by the time of their making."""
    found = api.items(f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows")
    return sorted(found, key=lambda item: item["metadata"]["creationTimestamp"])


def evidence(workflow: Object) -> str:
    """The document that the verdict of a Workflow left."""
    for node in workflow["status"]["nodes"].values():
        if node.get("templateName") == "verdict" and node["type"] == "Pod":
            for parameter in node.get("outputs", {}).get("parameters", []):
                text: str = parameter["value"]
                return text
    raise AssertionError(f"{workflow['metadata']['name']} left no evidence")


def released(api: Api, plan: Plan) -> Object | None:
    """The Rollout, if there is one."""
    space, model = plan.identity.namespace, plan.identity.model
    return api.find(f"/apis/argoproj.io/v1alpha1/namespaces/{space}/rollouts/{model}")
