"""`sluice doctor`: each thing that can be missing is found by the real client, with its code and a command."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.cluster import diagnosis as codes
from generator.cluster.checkup import Checkup, Wanted
from generator.cluster.diagnosis import Diagnosis
from generator.cluster.required import references
from generator.cluster.server import Server, connect
from generator.lint import CODES, read_tree
from generator.pipeline.doctor import DoctorRequest, _wanted, diagnoses
from generator.pipeline.session import open_session
from tests.tools.http_server import listening
from tests.unit.cluster.status_standin import Table, kubeconfig, serving

CHECKOUT = Path(__file__).resolve().parents[3]
DEPLOYMENTS, STATEFULSETS = "/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
PLUGIN = "/api/v1/namespaces/argo-rollouts/configmaps/argo-rollouts-config"
GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces/gateways/gateways/public"
ROOT = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/sluice-production"
IMAGES = {
    "quay.io/argoproj/argo-rollouts:v1.10.0": ["--rollout-resync=30"],
    "quay.io/argoproj/argocd:v3.6.2@sha256:" + "0" * 64: [],
    "quay.io/argoproj/workflow-controller:v3.7.1": [],
    "quay.io/prometheus-operator/prometheus-operator:v0.86.0": [],
    "ghcr.io/external-secrets/external-secrets:v1.0.0": [],
}


@cache
def wanted() -> Wanted:
    """What the example repository requires of its production, whose Argo CD is in the same cluster."""
    session = open_session(CHECKOUT)
    found, elsewhere = _wanted(session, session.platform, "production")
    assert not elsewhere
    return found


def deployments(images: dict[str, list[str]]) -> dict[str, Any]:
    """What the API server lists: one Deployment for each image."""
    pods = [{"containers": [{"image": image, "args": args}]} for image, args in images.items()]
    return {"items": [{"spec": {"template": {"spec": pod}}} for pod in pods], "metadata": {}}


def plural(kind: str) -> str:
    return f"{kind.lower()}s"


@pytest.fixture
def table() -> Table:
    """A cluster that has everything."""
    kinds = {(str(item.body["apiVersion"]), item.kind) for item in wanted().objects}
    needed = references(wanted().objects)
    kinds |= {(one.api_version, one.kind) for one in needed}
    found: Table = {}
    for api_version, kind in sorted(kinds):
        path = f"/{'apis' if '/' in api_version else 'api'}/{api_version}"
        entry = {"name": plural(kind), "kind": kind, "namespaced": not kind.startswith("Cluster")}
        found.setdefault(path, {"resources": []})["resources"].append(entry)
    for one in needed:
        root = f"/{'apis' if '/' in one.api_version else 'api'}/{one.api_version}"
        scope = f"/namespaces/{one.namespace}" if one.namespace else ""
        found[f"{root}{scope}/{plural(one.kind)}/{one.name}"] = {"metadata": {"name": one.name}}
    found[GATEWAY] = {
        "spec": {"listeners": [{"name": "http"}]},
        "status": {"conditions": [{"type": "Programmed", "status": "True"}]},
    }
    for end in ("", "-projects", "-applications"):
        found[ROOT + end] = {"metadata": {}}
    location = "https://github.com/argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi/releases/download/v0.15.0/x"
    plugins = json.dumps([{"name": "argoproj-labs/gatewayAPI", "location": location}])
    return found | {
        "/version": {"gitVersion": "v1.36.1"},
        DEPLOYMENTS: deployments(IMAGES),
        STATEFULSETS: deployments({}),
        REVIEWS: {"status": {"allowed": True}},
        PLUGIN: {"data": {"trafficRouterPlugins": plugins}},
    }


def examined(table: Table, folder: Path, what: Wanted | None = None) -> list[Diagnosis]:
    with serving(table) as address:
        server = connect(kubeconfig(folder, main=address), None)
        return list(Checkup(server, what or wanted()).diagnoses())


def problems(found: list[Diagnosis]) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in found if one.state != "fine"]


def test_a_cluster_that_has_everything_is_fine_and_says_what_was_looked_at(
    table: Table, tmp_path: Path
) -> None:
    found = examined(table, tmp_path)
    assert problems(found) == []
    said = [one.message for one in found]
    assert {
        "Kubernetes 1.36",
        "Argo Rollouts 1.10",
        "Argo CD 3.6",
        "plugin argoproj-labs/gatewayAPI 0.15",
    } <= {*said}
    needed = references(wanted().objects)
    assert f"{len(needed)} of {len(needed)} objects that others create are there" in said


def without(images: str) -> dict[str, Any]:
    return deployments({image: args for image, args in IMAGES.items() if images not in image})


BROKEN: list[tuple[str, Any, str, str]] = [
    ("/version", {"gitVersion": "v1.28.9"}, codes.CONTROLLER, "Kubernetes is 1.28, and the platform file declares 1.36"),
    ("/apis/monitoring.coreos.com/v1", 404, codes.KIND, "does not serve monitoring.coreos.com/v1 PodMonitor"),
    (DEPLOYMENTS, without("argo-rollouts"), codes.CONTROLLER, "no Deployment or StatefulSet of Argo Rollouts was found"),
    (DEPLOYMENTS, deployments({**IMAGES, "quay.io/argoproj/argo-rollouts:v1.10.0": []}), codes.RESYNC, "every 900 s"),
    (DEPLOYMENTS, 403, codes.UNANSWERED, "which Argo CD is installed: said no"),
    (PLUGIN, 404, codes.PLUGIN, "is not in the ConfigMap argo-rollouts-config"),
    (PLUGIN, {"data": {"trafficRouterPlugins": ": ["}}, codes.PLUGIN, "is not in the ConfigMap"),
    (PLUGIN, 403, codes.UNANSWERED, "whether the plugin argoproj-labs/gatewayAPI is installed: said no"),
    (REVIEWS, {"status": {"allowed": False}}, codes.PERMISSION, "you may not get rollouts in risk-production"),
    (REVIEWS, 403, codes.UNANSWERED, "permissions: said no"),
    (GATEWAY, 404, codes.REFERENCE, "Gateway public in gateways is missing; HTTPRoute"),
    (GATEWAY, 403, codes.UNANSWERED, "whether Gateway public in gateways is there: said no"),
    (
        GATEWAY,
        {"status": {"conditions": [{"type": "Accepted", "status": "False", "message": "no such class"}]}},
        codes.GATEWAY,
        "Gateway public in gateways is not Accepted: no such class",
    ),
    (ROOT, 404, codes.ROOT, "Argo CD has no Application sluice-production in argocd"),
    (ROOT, 403, codes.UNANSWERED, "the Application sluice-production: said no"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "answer", "code", "words"), BROKEN, ids=range(len(BROKEN)))
def test_what_a_cluster_lacks_is_found(path, answer, code, words, table: Table, tmp_path: Path) -> None:
    table[path] = answer
    found = [one for one in examined(table, tmp_path) if one.state != "fine"]
    assert any(one.code == code and words in one.message for one in found), problems(found)
    assert {one.code for one in found} == {code}
    assert all(one.command for one in found)


def test_other_versions_are_named_with_the_way_to_declare_them(table: Table, tmp_path: Path) -> None:
    table[DEPLOYMENTS] = deployments({**{image: [] for image in IMAGES}, "x/argo-rollouts:v1.8.3": []})
    table[DEPLOYMENTS]["items"] = table[DEPLOYMENTS]["items"][1:]
    (found,) = (one for one in examined(table, tmp_path) if one.code == codes.CONTROLLER)
    assert found.message.startswith("Argo Rollouts is 1.8, and the platform file declares 1.10")
    assert '`controllers: {argo-rollouts: "1.8"}`' in found.message
    assert found.command.endswith("/argo-rollouts/releases/download/v1.10.0/install.yaml")


POD = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: one, namespace: shop}
spec:
  template:
    spec:
      imagePullSecrets: [{name: registry}]
      priorityClassName: urgent
      containers:
        - env:
            - {name: A, valueFrom: {secretKeyRef: {name: token, key: a}}}
            - {name: B, valueFrom: {secretKeyRef: {name: perhaps, key: a, optional: true}}}
          envFrom: [{configMapRef: {name: ours}}, {configMapRef: {name: theirs}}]
      volumes: [{name: v, persistentVolumeClaim: {claimName: data}}, {name: w, secret: {secretName: fetched}}]
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: ours, namespace: shop}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: any, namespace: shop}
spec: {secretStoreRef: {name: vault, kind: ClusterSecretStore}, target: {name: fetched}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argo-rollouts-notification-configmap, namespace: argo-rollouts}
data: {service.slack: "token: $slack-token"}
"""


@pytest.fixture
def asked(monkeypatch) -> list[tuple[str, str]]:
    """Paths of all requests, with the type of the answer that is accepted."""
    found: list[tuple[str, str]] = []
    request = Server.request

    def spied(self, method, path, *rest, accept="application/json"):
        found.append((path, accept))
        return request(self, method, path, *rest, accept=accept)

    monkeypatch.setattr(Server, "request", spied)
    return found


def test_references_are_what_others_must_create(tmp_path: Path, asked: list[tuple[str, str]]) -> None:
    (tmp_path / "all.yaml").write_text(POD)
    objects = read_tree(tmp_path).objects
    assert {str(one) for one in references(objects)} == {
        "Secret registry in shop",
        "PriorityClass urgent",
        "Secret token in shop",
        "ConfigMap theirs in shop",
        "PersistentVolumeClaim data in shop",
        "ClusterSecretStore vault",
        "Secret argo-rollouts-notification-secret in argo-rollouts",
    }
    what = Wanted("production", objects, wanted().versions)
    core = [
        {"name": plural(kind), "kind": kind, "namespaced": True}
        for kind in ("Secret", "ConfigMap", "PersistentVolumeClaim")
    ]
    notices = "/api/v1/namespaces/argo-rollouts/configmaps/argo-rollouts-notification-configmap"
    table: Table = {
        "/version": {"gitVersion": "v1.36.0"}, "/api/v1": {"resources": core}, DEPLOYMENTS: deployments(IMAGES),
        STATEFULSETS: deployments({}), REVIEWS: {"status": {"allowed": True}}, notices: {"metadata": {"labels": {}}},
    }  # fmt: skip
    found = examined(table, tmp_path, what)
    secrets = {accept for path, accept in asked if "/secrets/" in path}
    # Never what is in them.
    assert secrets == {"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"}
    commands = {
        one.message.partition(" is missing")[0]: one.command for one in found if one.code == codes.REFERENCE
    }
    assert commands["Secret registry in shop"].startswith(
        "kubectl -n shop create secret docker-registry registry --d"
    )
    assert commands["Secret token in shop"].startswith(
        "kubectl -n shop create secret generic token --from-literal="
    )
    assert "kubectl get priorityclass urgent" in commands.values()
    assert [one.message for one in found if one.code == codes.NOTIFICATIONS] == [
        "the ConfigMap argo-rollouts-notification-configmap in argo-rollouts is not Sluice's; a sync replaces it"
    ]


@contextmanager
def prometheus(answers: Callable[[str], bool], flags: dict[str, str] | None) -> Iterator[str]:
    """A STAND-IN for a Prometheus: each query has one series or none."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            query = parse_qs(body).get("query", [""])[0]
            result: Any = [{"metric": {}, "value": [0, "1"]}] if query and answers(query) else []
            found = {"result": result} if query else flags
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps({"status": "success", "data": found}).encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    with listening(Handler) as address:
        yield address


def rare(query: str) -> bool:
    return "count_over_time" in query


KEPT = {"storage.tsdb.retention.time": "31d"}
SCRAPES: list[tuple[Callable[[str], bool], dict[str, str] | None, set[str]]] = [
    (lambda query: not rare(query), KEPT, set()),
    (lambda query: rare(query) or "== 1" in query, KEPT, {codes.SCRAPING}),
    (lambda query: "== 1" not in query and not rare(query), KEPT, {codes.SCRAPING}),
    (lambda query: "rollout_info" not in query and not rare(query), KEPT, {codes.SCRAPING}),
    (lambda query: True, KEPT, {codes.INTERVAL}),
    (lambda query: not rare(query), {"storage.tsdb.retention.time": "2w1d"}, {codes.RETENTION}),
    (lambda query: not rare(query), {"storage.tsdb.retention.time": "0s"}, {codes.RETENTION}),
    (lambda query: not rare(query), {"storage.tsdb.retention.size": "9GB"}, set()),
    (lambda query: not rare(query), None, {codes.UNANSWERED}),
]


@pytest.fixture(scope="module")
def session():
    return open_session(CHECKOUT)


@pytest.mark.parametrize(("answers", "flags", "expected"), SCRAPES, ids=range(len(SCRAPES)))
def test_what_a_prometheus_lacks_is_found(answers, flags, expected, session, monkeypatch) -> None:
    monkeypatch.setattr("generator.pipeline.doctor._repository", lambda *_: ())
    with prometheus(answers, flags) as address:
        found = [*diagnoses(session, DoctorRequest(["production"], None, address))]
    assert {one.code for one in found if one.scope == "production"} - {""} == expected


def test_a_server_that_does_not_answer_is_never_fine(session, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("generator.pipeline.doctor._repository", lambda *_: ())
    config = kubeconfig(tmp_path, main="http://127.0.0.1:9")
    arguments = [
        "doctor",
        "--root",
        CHECKOUT,
        "--cluster",
        "--kubeconfig",
        config,
        "--prometheus",
        "http://127.0.0.1:9",
    ]
    done = CliRunner().invoke(cli, [*map(str, arguments), "--env", "staging", "--format", "json"])
    found = json.loads(done.stdout)
    assert (done.exit_code, found["ok"]) == (1, False)
    own = [one for one in found["diagnoses"] if one["scope"] == "staging"]
    assert [(one["state"], one["code"], one["severity"]) for one in own] == [
        ("unknown", "DOC101", "error")
    ] * 2


def test_a_repository_without_git_owners_and_ci(tmp_path: Path) -> None:
    root = tmp_path / "models"
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    (root / "specs" / "shop" / "recommender.lock.yaml").unlink()
    found = [one for one in diagnoses(open_session(root), DoctorRequest([])) if one.state != "fine"]
    assert {one.code: one.command for one in found if one.code != codes.MACHINE} == {
        codes.PLANS: "sluice validate shop/recommender",
        codes.RENDERED: "sluice render",
        codes.GIT: "git init && git add --all && git commit",
        codes.OWNERS: "sluice codeowners",
        codes.CI: "sluice ci github",
    }
    for arguments in (
        ["init", "-qb", "main"],
        ["remote", "add", "origin", "git@git.example.com:acme/models"],
    ):
        subprocess.run(["git", "-C", root, *arguments], check=True)
    found = [one for one in diagnoses(open_session(root), DoctorRequest([])) if one.code == codes.GIT]
    assert [one.command for one in found] == ["git fetch origin main"]  # another spelling of the same address


def test_text_names_code_and_command(monkeypatch) -> None:
    made = [
        codes.fine("repository", "fine words"),
        codes.lacks(
            "production", codes.ROOT, "no Application", "kubectl apply -f bootstrap/production.yaml", "a.yaml"
        ),
        codes.unknown("production", "who knows", "kubectl version"),
    ]
    monkeypatch.setattr("generator.pipeline.doctor.diagnoses", lambda *_: made)
    done = CliRunner().invoke(cli, ["doctor", "--root", str(CHECKOUT)])
    assert done.exit_code == 1
    assert done.stdout == (
        "repository\n  ok       fine words\n\n"
        "production\n"
        "  error    DOC208 no Application\n           a.yaml\n           kubectl apply -f bootstrap/production.yaml\n"
        "  ?        DOC101 who knows\n           kubectl version\n\n"
        "1 problem, 1 question without an answer\n"
    )
    assert "--cluster" in done.stderr


def test_every_code_is_tripped_here() -> None:
    """Their examples need a cluster: what each looks like is in these tests."""
    text = Path(__file__).read_text()
    names = {value: name for name, value in vars(codes).items() if isinstance(value, str) and value in CODES}
    assert {code for code in CODES if code.startswith("DOC")} == {*names}
    assert [name for name in names.values() if f"codes.{name}" not in text] == []
