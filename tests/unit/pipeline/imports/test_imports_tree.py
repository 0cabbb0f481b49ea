"""Imports of trees that strangers wrote: what becomes of every value."""

from __future__ import annotations

import os

import pytest
import yaml

from generator.lint import verify
from generator.odds.trees.values import Known
from generator.pipeline.imports.account import dotted, leaves_of
from generator.pipeline.imports.tree import Settings, import_tree, repository_at
from tests.unit.pipeline.imports.trees import FLAGGER, GATEWAY, ISTIO, NGINX, SWITCH

SETTINGS = Settings("models", None, None, Known(), example_lock=True, build=False)


def imported(folder, settings=SETTINGS, **files):
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return import_tree(folder, None, settings)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    return imported(tmp_path_factory.mktemp("tree"), cart=GATEWAY)


def spec_of(found, name):
    return yaml.safe_load(found.files[f"specs/{name}.yaml"])["spec"]


def test_a_canary_becomes_a_spec(gateway):
    assert not [one for one in gateway.findings if one.severity == "error"]
    spec = spec_of(gateway, "shop/cart")
    assert spec["serve"] == {
        "image": "registry.example.com/shop/cart:1.2",
        "port": 8080,
        "probes": {"ready": "/ready"},
        "path": "/score",
        "metrics": {
            "requests": {"metric": "http_requests_total"},
            "errors": {"label": "status"},
            "latency": {"metric": "http_request_duration_seconds"},
        },
    }
    assert spec["traffic"]["hosts"] == ["cart.example.com"]
    assert spec["service"] == {
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "TOKEN", "secret": {"name": "store", "key": "token"}},
        ],
        "timeout": "7s",
    }
    assert spec["autoscaling"] == {"min": 3, "max": 9, "cpu": "65%"}
    assert spec["resources"] == {"cpu": "250m", "memory": "256Mi", "limits": {"cpu": "1"}}
    assert spec["pod"]["nodeSelector"] == {"pool": "models"}
    assert spec["pod"]["termination"] == {"preStop": "10s", "grace": "1m"}
    assert spec["rollout"] == {
        "strategy": "canary",
        "steps": [
            {"weight": "5%", "hold": "30m"},
            {"weight": "25%", "hold": "1m"},
            {"approve": "approver"},
            {"weight": "50%", "hold": "20m"},
        ],
        "guards": [
            {"metric": "error-rate", "limit": "2%"},
            {"metric": "slow-rate", "slowerThan": "300ms", "limit": "5%"},
        ],
    }


def test_the_platform_has_what_the_specs_need(gateway):
    spec = yaml.safe_load(gateway.files["specs/platform.yaml"])["spec"]
    assert spec["prometheus"]["address"] == "http://prometheus.obs:9090"
    assert spec["environments"]["production"]["namespace"] == "{team}"
    assert spec["environments"]["production"]["router"] == {
        "kind": "gateway-api",
        "gateway": "public",
        "namespace": "gateways",
        "section": "https",
    }
    assert spec["teams"]["shop"]["hosts"] == ["cart.example.com"]
    assert spec["tiers"]["imported"]["ceilings"]["firstWeight"] == "5%"


def test_the_rendered_release_has_the_same_names_hosts_and_steps(gateway):
    (compared,) = gateway.compared
    rendered = {(pair.after.kind, pair.after.name): pair for pair in compared.pairs}
    for kind, name in (
        ("Rollout", "cart"),
        ("Service", "cart-stable"),
        ("Service", "cart-canary"),
        ("HTTPRoute", "cart"),
        ("HorizontalPodAutoscaler", "cart"),
    ):
        assert rendered[kind, name].before is not None
    route = rendered["HTTPRoute", "cart"]
    assert [one.path for one in route.fields if one.live is not None] == []
    weights = [
        step["setWeight"]
        for step in rendered["Rollout", "cart"].after.spec["strategy"]["canary"]["steps"]
        if "setWeight" in step
    ]
    assert weights == [5, 25, 50]


def test_every_value_is_accounted_for_once(gateway):
    bodies = [body for body in yaml.safe_load_all(GATEWAY) if body]
    wanted = sorted(
        (body["kind"], body["metadata"]["name"], dotted(path))
        for body in bodies
        for path, _ in leaves_of(body)
    )
    found = sorted((leaf.item.kind, leaf.item.name, dotted(leaf.path)) for leaf in gateway.leaves)
    assert found == wanted
    for leaf in gateway.leaves:
        assert (leaf.mark.key != "") == (leaf.mark.status != "leftover")
        assert (leaf.mark.why != "") == (leaf.mark.status == "leftover")


def test_what_has_no_word_is_left_over_with_a_reason(gateway):
    left = {dotted(leaf.path): leaf.mark for leaf in gateway.leaves if leaf.mark.status == "leftover"}
    assert "temperature_celsius" not in gateway.files["specs/shop/cart.yaml"]
    assert "no guard counts" in left["spec.metrics[2].name"].why
    assert "secrets are never in specs" in left["stringData.token"].why
    assert "service.env" in left["spec.template.spec.containers[0].env[2].name"].where


def test_a_file_with_a_secret_is_not_copied(gateway, tmp_path):
    assert not any("hunter2" in text for text in gateway.files.values())
    found = imported(tmp_path, tickets=SWITCH)
    assert found.files[f"leftovers/{tmp_path.name}/tickets.yaml"] == SWITCH


def test_a_switch_becomes_a_spec(tmp_path):
    found = imported(tmp_path, tickets=SWITCH)
    assert not [one for one in found.findings if one.severity == "error"]
    spec = spec_of(found, "shop/tickets")
    assert spec["rollout"] == {"strategy": "blue-green", "approve": "manual", "preview": {"replicas": 2}}
    assert spec["replicas"] == 4


def test_what_a_rule_refuses_is_left_over_in_its_words(tmp_path):
    volumes = "      volumes: [{name: node, hostPath: {path: /var/log}}]\n      containers:"
    found = imported(tmp_path, tickets=SWITCH.replace("      containers:", volumes))
    assert not [one for one in found.findings if one.severity == "error"]
    left = [leaf for leaf in found.leaves if "volumes" in leaf.path]
    assert {leaf.mark.status for leaf in left} == {"leftover"}
    assert all(leaf.mark.why.startswith("PLAN56") for leaf in left)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("containerPort: 8080", "containerPort: 81", "port 81"),
        (
            "argoproj-labs/gatewayAPI: {httpRoute: cart, namespace: shop}",
            "acme/router: {}",
            "router is acme/router",
        ),
        (
            "metadata: {name: cart, namespace: shop}\nspec:\n  selector",
            "metadata: {name: Cart.v1, namespace: shop}\nspec:\n  selector",
            "not a name",
        ),
    ],
    ids=["port", "router", "name"],
)
def test_a_release_that_cannot_be_imported_is_refused_with_the_reason(old, new, why, tmp_path):
    assert old in GATEWAY
    found = imported(tmp_path, cart=GATEWAY.replace(old, new))
    assert [why in reason for _, reason in found.refused] == [True]
    assert not found.models
    assert {leaf.mark.status for leaf in found.leaves} == {"leftover"}


def test_two_stages_are_two_environments(tmp_path):
    stage = SWITCH.replace("namespace: shop", "namespace: shop-staging").replace("replicas: 4", "replicas: 1")
    found = imported(
        tmp_path, stage=stage, prod=SWITCH.replace("namespace: shop", "namespace: shop-production")
    )
    spec = spec_of(found, "shop/tickets")
    assert (spec["replicas"], spec["environments"]) == (4, {"staging": {"replicas": 1}})
    platform = yaml.safe_load(found.files["specs/platform.yaml"])["spec"]
    assert platform["environments"]["staging"]["namespace"] == "{team}-{environment}"
    assert sorted(one.environment for one in found.compared) == ["production", "staging"]


@pytest.fixture(params=[ISTIO, FLAGGER, NGINX], ids=["istio", "flagger", "nginx"])
def stranger(request, tmp_path):
    return imported(tmp_path, tree=request.param)


def test_what_is_rendered_for_strangers_is_verified(stranger, tmp_path):
    assert not [one for one in stranger.findings if one.severity == "error"]
    (compared,) = stranger.compared
    (tmp_path / "rendered").mkdir()
    for number, pair in enumerate(compared.pairs):
        (tmp_path / f"rendered/{number}.yaml").write_text(yaml.safe_dump(pair.after.body))
    found = verify(tmp_path / "rendered")
    wrong = [one for one in found.findings if one.severity == "error" or one.code == "ANA434"]
    assert [(one.code, one.message) for one in wrong] == []  # ANA434: an argument that no template declares


def test_a_canary_of_flagger_becomes_a_spec(tmp_path):
    found = imported(tmp_path, tree=FLAGGER)
    spec = spec_of(found, "test/podinfo")
    assert spec["autoscaling"] == {"min": 2, "max": 4, "cpu": "99%"}
    assert spec["traffic"]["hosts"] == ["app.example.com"]
    assert spec["rollout"] == {
        "strategy": "canary",
        "steps": [{"weight": "25%", "hold": "2m"}, {"weight": "50%", "hold": "2m"}],
        "guards": [
            {"metric": "error-rate", "limit": "1%"},
            {"metric": "slow-rate", "slowerThan": "500ms", "limit": "1%"},
        ],
    }
    router = yaml.safe_load(found.files["specs/platform.yaml"])["spec"]["environments"]["production"][
        "router"
    ]
    assert router == {"kind": "istio", "gateway": "public-gateway", "namespace": "istio-system"}
    webhook = [leaf for leaf in found.leaves if "webhooks" in leaf.path]
    assert {leaf.mark.status for leaf in webhook} == {"leftover"}


def test_a_canary_of_approvals_alone_is_all_traffic_at_once(tmp_path):
    rollout = yaml.safe_load_all(GATEWAY)
    documents = [one for one in rollout if one]
    for one in documents:
        if one["kind"] == "Rollout":
            one["spec"]["strategy"]["canary"]["steps"] = [{"pause": {}}]
    found = imported(tmp_path, cart=yaml.safe_dump_all(documents))
    tier = yaml.safe_load(found.files["specs/platform.yaml"])["spec"]["tiers"]["imported"]
    assert tier["ceilings"]["firstWeight"] == "100%"


def test_the_name_of_a_template_that_is_no_text_is_no_name(tmp_path):
    documents = [one for one in yaml.safe_load_all(ISTIO) if one]
    for one in documents:
        if one["kind"] == "Rollout":
            canary = one["spec"]["strategy"]["canary"]
            canary["analysis"] = {"templates": [{"templateName": ["quality"]}, {"templateName": {}}]}
    assert imported(tmp_path, cart=yaml.safe_dump_all(documents)).models


def test_nothing_behind_a_link_of_the_repository_is_copied(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/tickets.yaml").write_text(SWITCH)
    first = import_tree(tmp_path / "tree", None, SETTINGS)
    for name, text in first.files.items():
        if name == "specs/platform.yaml":
            (tmp_path / "r/specs").mkdir(parents=True)
            (tmp_path / "r" / name).write_text(text)
    (tmp_path / "elsewhere/shop").mkdir(parents=True)
    os.mkfifo(tmp_path / "elsewhere/pipe")
    os.mkfifo(tmp_path / "r/specs/pipe")
    (tmp_path / "r/templates").mkdir()
    (tmp_path / "r/templates/up").symlink_to("..")
    (tmp_path / "r/specs/all").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "r/specs/shop").symlink_to(tmp_path / "elsewhere/shop")
    found = import_tree(tmp_path / "tree", repository_at(tmp_path / "r"), SETTINGS)
    assert [model.name for model in found.models] == ["tickets"]
    assert list((tmp_path / "elsewhere/shop").iterdir()) == []


def marks(found):
    return {dotted(leaf.path): leaf.mark for leaf in found.leaves if leaf.mark.status == "leftover"}


def test_a_limit_in_the_other_direction_becomes_no_guard(tmp_path):
    """At least 95% errors: a guard with a limit of 95% would be its opposite."""
    found = imported(tmp_path, cart=GATEWAY.replace('"result[0] < 0.02"', '"result[0] >= 0.95"'))
    assert [one["metric"] for one in spec_of(found, "shop/cart")["rollout"]["guards"]] == ["slow-rate"]
    assert marks(found)["spec.metrics[0].successCondition"].why.startswith("it fails when there are few")


def test_a_duration_that_the_controller_refuses_is_assumed(tmp_path):
    found = imported(tmp_path, cart=GATEWAY.replace("{duration: 30m}", "{duration: 1d}"))
    assert spec_of(found, "shop/cart")["rollout"]["steps"][0] == {"weight": "5%", "hold": "1m"}
    assert (
        "rollout.steps[0].hold: 1m (the controller refuses the duration `1d`)"
        in found.files["specs/shop/cart.yaml"]
    )


def test_a_weight_above_all_requests_is_left_over(tmp_path):
    found = imported(tmp_path, cart=GATEWAY.replace("{setWeight: 50}", "{setWeight: 150}"))
    assert "refuses weights" in marks(found)["spec.strategy.canary.steps[4].setWeight"].why


def test_names_in_the_strategy_are_not_those_of_a_container(tmp_path):
    steps = "[{experiment: {templates: [{name: new, specRef: canary}]}}, {setWeight: 5},"
    found = marks(imported(tmp_path, cart=GATEWAY.replace("[{setWeight: 5},", steps)))
    left = [
        mark.why for path, mark in found.items() if path.startswith("spec.strategy") and path.endswith("name")
    ]
    assert "steps have no word for it" in left
    assert not any("container" in why for why in left)


def test_a_canary_that_skips_the_analysis_has_assumed_steps(tmp_path):
    text = FLAGGER.replace(
        "  targetRef: {apiVersion: apps/v1", "  skipAnalysis: true\n  targetRef: {apiVersion: apps/v1", 1
    )
    found = imported(tmp_path, podinfo=text)
    assert spec_of(found, "test/podinfo")["rollout"]["steps"] == [{"weight": "50%", "hold": "10m"}]
    assert "all requests go to the new version at once" in found.files["specs/test/podinfo.yaml"]
