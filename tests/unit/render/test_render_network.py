"""Who may send requests to a model: the router's proxies wherever they run, Prometheus, and the namespace itself."""

from __future__ import annotations

import pytest
import yaml

from generator.plan.repository import Repository
from generator.render.environment import Templates
from generator.render.platform import render_team
from tests.system.repositories import PLATFORM, small

ANYONE = [{"namespaceSelector": {}}]


def sources(tmp_path, router: str) -> list[object]:
    """Return what the policy admits apart from the namespace itself: names of namespaces, or selectors."""
    (old,) = [line for line in PLATFORM.splitlines() if " router: " in line]
    small(tmp_path, platform=PLATFORM.replace(old, f"      router: {router}"))
    repository = Repository(tmp_path)
    assert repository.platform is not None, repository.findings
    files = render_team(repository.platform, "live", "shop", Templates(None))
    rule, _ = yaml.safe_load(files["networkpolicy-models.yaml"])["spec"]["ingress"]
    own, *others = rule["from"]
    assert own == {"podSelector": {}}
    label = "kubernetes.io/metadata.name"
    return [other["namespaceSelector"].get("matchLabels", {}).get(label, other) for other in others]


@pytest.mark.parametrize(
    ("router", "expected"),
    [
        ("{kind: gateway-api, gateway: g, namespace: gw, implementation: envoy-gateway}", ["envoy-gateway-system", "gw", "monitoring"]),
        ("{kind: gateway-api, gateway: g, namespace: gw, implementation: contour}", ["gw", "monitoring"]),
        ("{kind: gateway-api, gateway: g, namespace: gw}", ["gw", "monitoring"]),
        ("{kind: gateway-api, gateway: g, namespace: gw, implementation: envoy-gateway, proxyNamespace: edge}", ["edge", "monitoring"]),
        ("{kind: istio, gateway: g, namespace: istio-system, proxyNamespace: istio-ingress}", ["istio-ingress", "monitoring"]),
        ("{kind: traefik, namespace: traefik}", ["monitoring", "traefik"]),
        ("{kind: none}", ANYONE),
    ],
)  # fmt: skip
def test_the_proxies_of_the_router_are_let_in(tmp_path, router, expected):
    assert sources(tmp_path, router) == expected


def policy(tmp_path, name: str, team: str = "") -> dict[str, object]:
    """Return the specification of a policy of a team, which has more settings."""
    text = PLATFORM
    if team:
        (old,) = [line for line in PLATFORM.splitlines() if line.strip().startswith("shop: {")]
        text = PLATFORM.replace(old, old.replace("{", "{" + team + ", ", 1))
    small(tmp_path, platform=text)
    repository = Repository(tmp_path)
    assert repository.platform is not None, repository.findings
    files = render_team(repository.platform, "live", "shop", Templates(None))
    return yaml.safe_load(files[f"networkpolicy-{name}.yaml"])["spec"]


def test_feedback_comes_from_the_listed_callers(tmp_path):
    """From the team's own pods and the router's proxies in any case; Prometheus has no business there."""
    _, feedback = policy(tmp_path, "models", "feedbackFrom: [storefront]")["ingress"]
    assert feedback["ports"] == [{"protocol": "TCP", "port": 3001}]
    own, *others = feedback["from"]
    assert own == {"podSelector": {}}
    named = [other["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for other in others]
    assert "storefront" in named
    assert "monitoring" not in named


def test_models_reach_each_other_only_to_forward_feedback(tmp_path):
    (rule,) = policy(tmp_path, "models")["egress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 3001}]
    (to,) = rule["to"]
    assert to == {"podSelector": {"matchExpressions": [{"key": "sluice.dev/model", "operator": "Exists"}]}}
