"""Every router is complete: what its descriptor promises is what its golden cases hold."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest
import yaml

from generator.lint.kinds import check
from generator.routers import IMPLEMENTATIONS, ROUTERS
from generator.routers.argo_rollouts import answer, features, minor, router_name, traefik_group
from generator.routers.base import Known, Mirroring, Router
from generator.routers.none import ROUTER as NONE
from generator.source.discovery import discover
from generator.source.shipped import builtin_folder
from generator.spec.environment import Router as RouterSpec
from tests import golden

SPLITTING = [kind for kind, router in ROUTERS.items() if router.splits_requests]
INGRESS = ("networking.k8s.io", "Ingress")  # of two routers


def objects(case: str) -> list[dict[str, Any]]:
    files = golden.files(case)
    return [yaml.safe_load(text) for name, text in files.items() if name.endswith(".yaml")]


def group_and_kind(item: dict[str, Any]) -> tuple[str, str]:
    return item["apiVersion"].rpartition("/")[0], item["kind"]


def test_the_register_holds_what_specs_may_say():
    assert set(ROUTERS) == {"alb", "gateway-api", "istio", "nginx", "none", "traefik"}
    schema = RouterSpec.model_json_schema()["properties"]
    assert schema["kind"]["enum"] == list(ROUTERS)
    assert schema["implementation"]["anyOf"][0]["enum"] == list(IMPLEMENTATIONS)


@pytest.mark.parametrize("kind", ROUTERS)
def test_its_golden_cases_hold_its_kinds_and_no_other_router_s(kind):
    routed = {pair for router in ROUTERS.values() for pair in router.kinds}
    found = {group_and_kind(item) for s in ("canary", "bluegreen") for item in objects(f"{s}-{kind}")}
    assert found & routed == set(ROUTERS[kind].kinds)
    assert (INGRESS in found) == (kind in {"alb", "nginx"})


@pytest.mark.parametrize("kind", ROUTERS)
def test_its_rollout_is_rendered_from_its_template(kind):
    template = builtin_folder() / ROUTERS[kind].rollout
    assert template.is_file()
    (rollout,) = (item for item in objects(f"canary-{kind}") if item["kind"] == "Rollout")
    assert check(rollout) == []
    canary = rollout["spec"]["strategy"]["canary"]
    named = {router_name(name) for name in canary.get("trafficRouting", {}) if name != "managedRoutes"}
    named |= {router_name(name) for name in canary.get("trafficRouting", {}).get("plugins", {})} - {"plugin"}
    assert named - {"plugin"} == ({ROUTERS[kind].argo} if ROUTERS[kind].splits_requests else set())


WITH_WEIGHTS = [kind for kind in SPLITTING if ROUTERS[kind].weights]


@pytest.mark.parametrize("kind", WITH_WEIGHTS)
def test_its_weights_are_where_it_says_and_give_everything_to_stable(kind):
    """A sync in mid-canary puts the weights of git back for some seconds."""
    weights = ROUTERS[kind].weights
    routes = [item for item in objects(f"canary-{kind}") if item["kind"] == weights.kind]
    routes = [item for item in routes if item["metadata"]["name"] != "ranker-feedback"]
    shares = [dict(weights.entries(item)) for item in routes if "mirroring" not in item["spec"]]
    assert shares
    for share in shares:
        assert {name: entry[weights.path[-1]] for name, entry in share.items()} == {
            "ranker-stable": 100,
            "ranker-canary": 0,
        }


@pytest.mark.parametrize("kind", SPLITTING)
def test_feedback_has_a_route_of_its_own_that_no_weight_moves(kind):
    """The controller changes the object that the Rollout names; that of feedback is another, to one Service."""
    found = [
        item
        for item in objects(f"canary-{kind}")
        if item["kind"] in {pair[1] for pair in ROUTERS[kind].kinds}
    ]
    texts = {item["metadata"]["name"]: json.dumps(item["spec"]) for item in found}
    public = texts.pop("ranker-feedback")
    assert "/feedback" in public
    assert '"ranker-feedback"' in public
    assert not re.search("ranker-(stable|canary)", public)
    assert "feedback" not in "".join(texts.values())
    (rollout,) = (item for item in objects(f"canary-{kind}") if item["kind"] == "Rollout")
    assert "feedback" not in json.dumps(rollout["spec"]["strategy"])


def test_internal_feedback_has_a_service_and_no_route():
    assert "feedback" not in json.dumps([i for i in objects("autoscaling-hpa") if i["kind"] == "HTTPRoute"])
    (service,) = (
        item for item in objects("autoscaling-hpa") if item["metadata"]["name"] == "ranker-feedback"
    )
    assert service["spec"]["ports"][0]["targetPort"] == "feedback"


@pytest.mark.parametrize("kind", [kind for kind in WITH_WEIGHTS if kind != "alb"])
def test_a_path_and_its_expression_name_the_same_weights(kind):
    weights = ROUTERS[kind].weights
    path = weights.expression.removeprefix(".").replace("[]", "[3]")
    assert weights.pattern.match(path)
    assert not weights.pattern.match(path + "s")
    assert not weights.pattern.match(re.sub(r"\[3\]", "", path))


def test_weights_in_a_text_are_ignored_by_the_key_of_the_text():
    weights = ROUTERS["alb"].weights
    assert weights.expression == '.metadata.annotations["alb.ingress.kubernetes.io/actions.weights"]'
    assert weights.pattern.match("metadata.annotations.alb.ingress.kubernetes.io/actions.weights")
    assert not weights.pattern.match("metadata.annotations.alb.ingress.kubernetes.io/scheme")


def test_a_load_balancer_reads_the_annotation_checks_pods_and_shares_a_group():
    """Without the group, the two Ingresses of a host are two load balancers; without `ip`, node ports are needed."""
    ingresses = {
        item["metadata"]["name"]: item for item in objects("canary-alb") if item["kind"] == "Ingress"
    }
    assert set(ingresses) == {"ranker", "ranker-feedback"}
    prefix = "alb.ingress.kubernetes.io/"
    for item in ingresses.values():
        annotations = item["metadata"]["annotations"]
        own = {key.removeprefix(prefix): text for key, text in annotations.items() if key.startswith(prefix)}
        assert own.items() >= {
            "group.name": "models",
            "target-type": "ip",
            "scheme": "internal",
            "healthcheck-path": "/readyz",
            "healthcheck-port": "3000",
        }.items()  # fmt: skip
        assert annotations["argocd.argoproj.io/sync-wave"] == "1"
    (rollout,) = (item for item in objects("canary-alb") if item["kind"] == "Rollout")
    alb = rollout["spec"]["strategy"]["canary"]["trafficRouting"]["alb"]
    (rule,) = ingresses["ranker"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": alb["rootService"], "port": {"name": "use-annotation"}}


@pytest.mark.parametrize("kind", ROUTERS)
def test_an_abort_is_described(kind):
    assert ROUTERS[kind].abort
    assert all(sentence == sentence.strip(" .") for sentence in ROUTERS[kind].abort)


@pytest.mark.parametrize(
    ("kind", "implementation", "copies", "share"),
    [
        ("gateway-api", "envoy-gateway", "yes", "yes"),
        ("gateway-api", "contour", "yes", "no"),
        ("gateway-api", "linkerd", "no", "no"),
        ("gateway-api", "kong", "unknown", "unknown"),
        ("gateway-api", None, "unknown", "unknown"),
        ("istio", None, "yes", "yes"),
        ("istio", "contour", "yes", "yes"),  # an implementation matters only where there are several
        ("traefik", None, "yes", "yes"),
        ("none", None, "no", "no"),
    ],
)
def test_mirroring_by_implementation(kind: str, implementation: str | None, copies: Known, share: Known):
    assert ROUTERS[kind].mirroring_of(implementation) == Mirroring(copies, share)


def test_weights_and_cohorts_are_the_controller_s():
    assert set(SPLITTING) == {"alb", "gateway-api", "istio", "nginx", "traefik"}
    headers = {kind for kind, router in ROUTERS.items() if router.routes_headers((1, 10))}
    assert headers == {"gateway-api", "istio"}
    assert {kind for kind, router in ROUTERS.items() if router.cohort_gap} == headers


@pytest.mark.parametrize(
    ("kind", "namespace", "implementation", "proxies"),
    [
        ("gateway-api", "gateways", None, {"gateways"}),
        ("gateway-api", "gateways", "envoy-gateway", {"gateways", "envoy-gateway-system"}),
        ("gateway-api", None, "envoy-gateway", set()),
        ("istio", "istio-ingress", "envoy-gateway", {"istio-ingress"}),
        ("none", None, None, set()),
    ],
)
def test_proxies(kind, namespace, implementation, proxies):
    assert ROUTERS[kind].proxies(namespace, implementation) == proxies


def test_the_controller_s_table_by_version():
    assert answer("argoproj-labs/gatewayAPI", "mirror", (1, 9)) == "refused"
    assert answer("argoproj-labs/gatewayAPI", "mirror", (1, 10)) == "ignored"
    assert answer("acme/router", "mirror", (1, 12)) == "unknown"
    assert features("istio", (1, 7)) == features("istio", (1, 9)) == features("istio", (2, 0))
    assert [traefik_group(minor(version)) for version in ("1.9.3", "1.10", "1.10.2")] == [
        "traefik.containo.us",
        "traefik.io",
        "traefik.io",
    ]


def test_a_part_that_is_missing_is_an_error():
    parts = {field: getattr(NONE, field) for field in Router.__slots__}
    for part in parts:
        with pytest.raises(TypeError, match=part):
            Router(**{name: value for name, value in parts.items() if name != part})


@pytest.mark.parametrize("text", ["", "ONE = 1j\nTWO = 2j\n"])
def test_a_module_without_its_one_descriptor_is_an_error(text, tmp_path, monkeypatch):
    package = tmp_path / "found_here"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "helper.py").write_text("")
    (package / "part.py").write_text("PART = 3j\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert discover("found_here", [str(package)], complex, frozenset({"helper"})) == (3j,)
    (package / "wrong.py").write_text(text)
    with pytest.raises(TypeError, match="wrong defines"):
        discover("found_here", [str(package)], complex, frozenset({"helper"}))
    for name in [name for name in sys.modules if name.startswith("found_here")]:
        del sys.modules[name]


def test_every_router_without_settings_works_with_the_oldest_controller():
    oldest = (1, 9)  # that Sluice renders for; `verify` reads trees of older ones, too
    assert {router.kind: router.since for router in ROUTERS.values() if router.kind != "traefik"} == {
        "gateway-api": oldest,
        "alb": oldest,
        "istio": oldest,
        "nginx": oldest,
        "none": oldest,
    }
