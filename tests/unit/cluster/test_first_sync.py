"""`sluice plan --cluster`: what a first sync does to what others have in the cluster already.

The cluster is a STAND-IN that keeps a hand-written namespace; the warnings of a dry run are those of kube-apiserver 1.36.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.cluster.first_sync import first_sync, hosts_of
from generator.cluster.server import connect
from generator.lint import Object
from generator.report.schemas import schema_text
from tests.unit.cluster import conftest
from tests.unit.cluster.conftest import kubeconfig, status

CHECKOUT = Path(__file__).resolve().parents[3]
SPACE, HOST = "shop-production", "recommender.shop.models.example.com"
SECURED = (
    f'existing pods in namespace "{SPACE}" violate the new PodSecurity enforce level "restricted:v1.36"',
    "web-1 (and 1 other pod): allowPrivilegeEscalation != false, runAsNonRoot != true",
)
KINDS = {
    "/api/v1": ("ConfigMap", "LimitRange", "Namespace", "Pod", "ResourceQuota", "Secret", "Service", "ServiceAccount"),
    "/apis/apps/v1": ("DaemonSet", "Deployment", "StatefulSet"),
    "/apis/argoproj.io/v1alpha1": ("AnalysisTemplate", "AppProject", "Application", "Rollout", "Workflow"),
    "/apis/gateway.networking.k8s.io/v1": ("HTTPRoute",),
    "/apis/networking.k8s.io/v1": ("Ingress", "NetworkPolicy"),
}  # fmt: skip


def plural(kind: str) -> str:
    return {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}.get(kind, f"{kind.lower()}s")


def pod(
    name: str, cpu: str = "1", labels: dict[str, str] | None = None, phase: str = "Running"
) -> dict[str, Any]:
    resources = {"requests": {"cpu": cpu}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": SPACE, "labels": labels or {"app": "web"}},
        "spec": {"containers": [{"name": "web", "resources": resources}]},
        "status": {"phase": phase},
    }


def made(version: str, kind: str, name: str, space: str = SPACE, **body: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": space}, **body}


@pytest.fixture
def cluster(standin, monkeypatch):
    """A cluster with a namespace of others; a test may add objects to the list."""
    objects = [pod(f"web-{number}", "45" if number == 5 else "1") for number in range(1, 6)]
    objects.append(pod("done", "100", phase="Succeeded"))
    core = [
        {"name": plural(kind), "kind": kind, "namespaced": kind != "Namespace"} for kind in KINDS["/api/v1"]
    ]
    monkeypatch.setitem(conftest.CORE, "resources", core)

    def reply(method: str, path: str) -> tuple[int, dict[str, Any]]:
        if path in KINDS:
            found = [{"name": plural(kind), "kind": kind, "namespaced": True} for kind in KINDS[path]]
            return 200, {"resources": found}
        if method == "PATCH":
            return 200, {}
        *_, before, last = path.split("/")
        for item in objects:
            of = plural(item["kind"])
            if (before, last) == (of, item["metadata"]["name"]) and item["metadata"].get(
                "namespace", ""
            ) in path:
                return 200, item
        listed = [
            {key: value for key, value in item.items() if key not in {"kind", "apiVersion"}}
            for item in objects
            if plural(item["kind"]) == last
            and ("/namespaces/" not in path or before == item["metadata"]["namespace"])
        ]
        if any(last == plural(kind) for kinds in KINDS.values() for kind in kinds):
            return 200, {"items": listed}
        return status(404, "not found")

    standin.reply = reply
    standin.warnings = SECURED
    return objects


@pytest.fixture
def plan(cluster, standin, tmp_path, monkeypatch):
    root = tmp_path / "repository"
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    monkeypatch.chdir(root)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")
    config = str(kubeconfig(tmp_path, standin.address))

    def run(*arguments: str) -> str:
        asked = (
            arguments
            if "--first-sync" in arguments
            else ("--cluster", "--env", "production", "--kubeconfig", config, *arguments)
        )
        done = CliRunner(env={"COLUMNS": "400"}).invoke(cli, ["plan", *asked])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def adopt(root: Path) -> None:
    platform = root / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("\nspec:\n", "\nspec:\n  namespaces: adopt\n", 1))


OTHERS = (
    "denies all traffic of 5 other pods, except what its policies list: web-1, web-2, web-3 and 2 more",
    "the quota of requests.cpu (40) is already exceeded by 9",
    "gives a memory limit of 512Mi to containers of 5 other pods when they start again",
    "Pod Security (restricted) would refuse running pods when they start again: web-1 (and 1 other pod)",
    f"admission policies refuse every change of 1 other workload in {SPACE}: web",
)
TAKEN = (
    "takes over Service recommender-stable of the Application legacy, and the sync fails until that gives it up",
    "its selector keeps app, so that it may select no pod",
    f"the host {HOST} is also that of HTTPRoute {SPACE}/old, which keeps it while it exists",
    "takes over Application production-shop-recommender, which reads charts/rec of https://git.example.com/old",
)


def fill(objects: list[dict[str, Any]]) -> None:
    """Names and hosts that the model of the example has, too."""
    template = {"metadata": {"labels": {"app": "web"}}}
    service = made("v1", "Service", "recommender-stable", spec={"selector": {"app": "rec"}})
    service["metadata"]["annotations"] = {
        "argocd.argoproj.io/tracking-id": f"legacy:/Service:{SPACE}/recommender-stable"
    }
    source = {"repoURL": "https://git.example.com/old", "path": "charts/rec"}
    objects += [
        made("apps/v1", "Deployment", "web", spec={"template": template}),
        service,
        made("gateway.networking.k8s.io/v1", "HTTPRoute", "old", spec={"hostnames": [HOST]}),
        made(
            "argoproj.io/v1alpha1",
            "Application",
            "production-shop-recommender",
            "argocd",
            spec={"source": source},
        ),
    ]


def test_everything_of_others_that_a_first_sync_touches(plan, cluster):
    fill(cluster)
    text = plan("shop/recommender")
    assert "What a first sync does to what is there (production, http://127.0.0.1:" in text
    for effect in (*OTHERS, *TAKEN):
        assert effect in text


def test_an_adopted_namespace_keeps_its_pods_and_limits(plan, cluster):
    fill(cluster)
    adopt(Path())
    text = plan("shop/recommender")
    for effect in TAKEN:
        assert effect in text
    for words in ("denies", "quota", "memory limit", "Pod Security", "admission"):
        assert words not in text.partition("What a first sync does")[2]


def test_what_is_sluices_already_is_not_named(plan, cluster):
    """After the first sync nothing is new, and the pods of others stay."""
    folders = ("platform/shop", "platform/admission", "shop/recommender", "argocd")
    for folder in folders:
        cluster += [
            yaml.safe_load(file.read_text())
            for file in (CHECKOUT / "rendered/production" / folder).rglob("*.yaml")
        ]
    text = plan("shop/recommender").partition("What a first sync does")[2]
    assert [line for line in text.splitlines() if SPACE in line] == []


def test_the_comment_shows_the_report_of_another_run(plan, cluster, tmp_path):
    fill(cluster)
    document = json.loads(plan("shop/recommender", "--format", "json"))
    jsonschema.validate(document, json.loads(schema_text("plan")))
    report = tmp_path / "first-sync.json"
    report.write_text(json.dumps(document))
    comment = plan("--all", "--first-sync", str(report), "--format", "markdown")
    assert "### What a first sync does to what is there in production: " in comment
    assert f"- {SPACE}: denies all traffic of 5 other pods" in comment


def test_a_report_that_is_none_is_refused(plan, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    done = CliRunner().invoke(cli, ["plan", "--all", "--first-sync", str(tmp_path / "x.json")])
    assert done.exit_code == 2
    assert "not a report of a first sync" in done.output


def effects(objects: list[dict[str, Any]], standin, tmp_path) -> list[str]:
    server = connect(kubeconfig(tmp_path, standin.address), None)
    return [one.text for one in first_sync([Object.read(item) for item in objects], server)]


LAST = json.dumps({"data": {"service.slack": "x", "trigger.on-rollout-aborted": "y"}})


def test_applications_of_another_cluster_are_unknown(cluster, standin, tmp_path, monkeypatch):
    monkeypatch.delitem(KINDS, "/apis/argoproj.io/v1alpha1")
    names = [made("argoproj.io/v1alpha1", "Application", name, "argocd") for name in ("one", "two")]
    assert effects(names, standin, tmp_path) == [
        "Applications were not compared: Argo CD runs in another cluster"
    ]


def test_a_configuration_of_others_is_compared_key_by_key(cluster, standin, tmp_path):
    live = made(
        "v1",
        "ConfigMap",
        "notices",
        data={"service.slack": "x", "trigger.on-rollout-aborted": "y", "by-hand": "z"},
    )
    live["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": LAST}
    cluster.append(live)
    rendered = made("v1", "ConfigMap", "notices", data={"trigger.on-rollout-aborted": "mine"})
    (text,) = effects([rendered], standin, tmp_path)
    assert text == "takes over ConfigMap notices; replaces trigger.on-rollout-aborted; removes service.slack"
    rendered["metadata"]["annotations"] = {
        "argocd.argoproj.io/sync-options": "Prune=false,ServerSideApply=true"
    }
    (text,) = effects([rendered], standin, tmp_path)
    assert text == "takes over ConfigMap notices; replaces trigger.on-rollout-aborted"


def test_what_can_not_be_read_is_said(cluster, standin, tmp_path):
    kept = standin.reply
    standin.reply = lambda method, path: (
        status(403, "pods is forbidden") if path.endswith("/pods") else kept(method, path)
    )
    policy = made(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "default-deny",
        spec={"podSelector": {}, "policyTypes": ["Ingress"]},
    )
    assert effects([policy], standin, tmp_path) == ["Pod objects can't be listed: pods is forbidden"]


@pytest.mark.parametrize(
    ("selector", "ways", "words"),
    [
        ({}, ["Ingress"], "denies incoming traffic of 5 other pods"),
        ({"matchLabels": {"app": "web"}}, ["Egress"], "denies outgoing traffic of 5 other pods"),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, ["Ingress"], ""),
        ({"matchExpressions": [{"key": "sluice.dev/model", "operator": "Exists"}]}, ["Ingress"], ""),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, ["Ingress"], "denies incoming"),
    ],
)  # fmt: skip
def test_a_policy_denies_the_pods_that_it_selects(cluster, standin, tmp_path, selector, ways, words):
    cluster.append(pod("own", labels={"sluice.dev/model": "recommender"}))
    policy = made(
        "networking.k8s.io/v1", "NetworkPolicy", "deny", spec={"podSelector": selector, "policyTypes": ways}
    )
    found = effects([policy], standin, tmp_path)
    assert len(found) == bool(words)
    assert not words or found[0].startswith(words)


def test_hosts_of_every_kind_of_route():
    assert hosts_of("VirtualService", {"hosts": ["a.example"]}) == ["a.example"]
    assert hosts_of("Ingress", {"rules": [{"host": "a.example"}, {}]}) == ["a.example"]
    match = "Host(`a.example`, `b.example`) && (Path(`/x`) || HostRegexp(`c`))"
    assert hosts_of("IngressRoute", {"routes": [{"match": match}]}) == ["a.example", "b.example"]
