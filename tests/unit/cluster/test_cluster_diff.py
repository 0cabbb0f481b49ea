"""`sluice diff --cluster`: what a sync would change, asked of a STAND-IN for an API server that keeps objects.

It merges as server-side apply does, as far as these objects need it: mappings key by key, lists whose items have names
item by item, other lists as a whole; and like the real one it adds its own fields.
"""

from __future__ import annotations

import copy
import http.server
import json
import shutil
import threading
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.report.schemas import schema_text
from tests.unit.cluster.conftest import kubeconfig

CHECKOUT = Path(__file__).resolve().parents[3]


def merged(live, applied):
    if isinstance(live, dict) and isinstance(applied, dict):
        return {**live, **{key: merged(live.get(key), value) for key, value in applied.items()}}
    if isinstance(live, list) and isinstance(applied, list) and named(live) and named(applied):
        return list(merged({i["name"]: i for i in live}, {i["name"]: i for i in applied}).values())
    return applied


def named(items):
    """Whether every item has a name, and none has that of another."""
    names = [item.get("name") for item in items if isinstance(item, dict)]
    return len(names) == len(items) == len(set(names)) and None not in names


class Kept:
    """Objects by path, and what was asked."""

    def __init__(self) -> None:
        self.objects: dict[str, dict] = {}
        self.kinds: dict[str, dict[str, str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.refused: dict[str, tuple[int, str]] = {}
        self.address = ""

    def sync(self, folder: Path) -> None:
        """What Argo CD's client-side apply leaves, after the server and the controllers had their say."""
        for file in sorted(folder.glob("*.yaml")):
            body = yaml.safe_load(file.read_text())
            path = self.path(body)
            live = copy.deepcopy(body)
            live["metadata"] |= {
                "uid": "1",
                "resourceVersion": "7",
                "generation": 3,
                "managedFields": [{"manager": "argocd"}],
            }
            marked = live["metadata"].setdefault("annotations", {})
            marked["argocd.argoproj.io/tracking-id"] = f"app:{path}"  # applied like everything else
            marked["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps(live)
            if body["kind"] == "Service":
                live["spec"]["selector"]["rollouts-pod-template-hash"] = "5c9f"
            live["status"] = {"phase": "Healthy"}
            self.objects[path] = live

    def path(self, body: dict) -> str:
        group, plural = body["apiVersion"], body["kind"].lower() + "s"
        root = f"/apis/{group}" if "/" in group else f"/api/{group}"
        self.kinds.setdefault(root, {})[body["kind"]] = plural
        return f"{root}/namespaces/{body['metadata']['namespace']}/{plural}/{body['metadata']['name']}"

    def reply(self, method: str, path: str, body: dict | None) -> tuple[int, dict]:
        if path in self.kinds:
            served = [
                {"name": name, "kind": kind, "namespaced": True} for kind, name in self.kinds[path].items()
            ]
            return 200, {"resources": served}
        if path in self.refused and method == "PATCH":
            code, message = self.refused[path]
            return code, {"kind": "Status", "message": message}
        if method == "GET":
            return (200, self.objects[path]) if path in self.objects else (404, {"message": "not found"})
        wanted = merged(self.objects[path], body)
        if body["kind"] == "Service":  # its selector is atomic
            wanted["spec"]["selector"] = body["spec"]["selector"]
        wanted["metadata"]["managedFields"] = [{"manager": "argocd"}, {"manager": "sluice-diff"}]
        return 200, wanted


@pytest.fixture
def cluster():
    kept = Kept()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            given = self.rfile.read(int(self.headers.get("content-length", 0)))
            kept.asked.append((self.command, self.path))
            body = json.loads(given) if self.command == "PATCH" else None
            code, answer = kept.reply(self.command, self.path.partition("?")[0], body)
            text = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_PATCH(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing to tell."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        kept.address = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield kept
        listening.shutdown()
        thread.join()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    root = tmp_path / "repository"
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    monkeypatch.chdir(root)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")
    return root


@pytest.fixture
def diff(repository, cluster, tmp_path):
    """Run the command against what the rendered examples left in the cluster."""
    for model in ("shop/recommender", "risk/fraud", "support/ticket-classifier"):
        cluster.sync(CHECKOUT / "rendered/production" / model)
    config = kubeconfig(tmp_path, cluster.address)

    def run(*arguments: str):
        asked = ["diff", "--cluster", "--env", "production", "--kubeconfig", str(config), *arguments]
        done = CliRunner(env={"COLUMNS": "200"}).invoke(cli, asked)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


def change(root: Path, old: str, new: str) -> None:
    spec = root / "specs/shop/recommender.yaml"
    assert old in spec.read_text()
    spec.write_text(spec.read_text().replace(old, new))


def live(cluster: Kept, kind: str) -> dict:
    return next(
        o for o in cluster.objects.values() if o["kind"] == kind and o["metadata"]["name"] == "recommender"
    )


def told(done) -> list[str]:
    return [line.strip() for line in done.output.splitlines()]


def test_a_cluster_in_sync_does_not_differ(diff, cluster):
    done = diff("--exit-code")
    assert done.output == f"nothing differs from the cluster at {cluster.address}\n"
    assert done.exit_code == 0
    assert all("dryRun=All" in path for method, path in cluster.asked if method != "GET")
    assert len([method for method, _ in cluster.asked if method == "PATCH"]) > 30


def test_a_running_canary_and_an_autoscaler_are_no_difference(diff, cluster):
    for rule in live(cluster, "HTTPRoute")["spec"]["rules"]:
        for backend, weight in zip(rule.get("backendRefs", []), (95, 5), strict=False):
            backend["weight"] = weight
    live(cluster, "Rollout")["spec"]["replicas"] = 9
    assert "nothing differs" in diff("shop").output


def test_a_change_is_told_in_words(diff, cluster, repository):
    change(repository, "weight: 5%, hold: 60m", "weight: 3%, hold: 45m")
    change(repository, "drop: 10%", "drop: 20%")
    lines = told(diff("shop/recommender"))
    assert "live Rollout recommender weight at steps[0]: 5 → 3 (stricter)" in lines
    assert "live Rollout recommender hold at steps[1]: 1h → 45m (looser)" in lines
    assert any(
        line.startswith("live AnalysisTemplate recommender-guards query of ctr: text of") for line in lines
    )
    assert not any(
        "sluice.dev/bundle" in line or "managedFields" in line or "status" in line for line in lines
    )
    assert diff("shop/recommender", "--exit-code").exit_code == 1


def test_what_somebody_edited_in_the_cluster_shows(diff, cluster):
    live(cluster, "Rollout")["spec"]["strategy"]["canary"]["steps"][0]["setWeight"] = 80
    live(cluster, "Rollout")["spec"]["template"]["spec"]["containers"][0]["image"] = "evil.example.com/x:1"
    lines = told(diff("shop/recommender"))
    assert "live Rollout recommender weight at steps[0]: 80 → 5 (stricter)" in lines
    assert any(line.startswith("live Rollout recommender image: evil.example.com/x:1 → ") for line in lines)


def test_what_a_sync_makes_looser_is_marked(diff, cluster, repository):
    change(repository, "  - {metric: slow-rate", "  # - {metric: slow-rate")
    lines = told(diff("shop/recommender"))
    (removed,) = [
        line for line in lines if " guard slow-rate: removed" in line and "recommender-guards" in line
    ]
    assert removed.endswith("(looser)")
    found = json.loads(diff("shop/recommender", "--format", "json").output)["differences"][0]["changes"]
    assert {one["direction"] for one in found if one["field"] == "guard slow-rate"} == {"looser"}


def test_what_git_has_no_more_is_found(diff, cluster, repository):
    """Server-side apply keeps what another manager wrote; the last client-side apply shows what it was."""
    change(repository, "  traffic:", "  replicas: 3\n  traffic:")
    for obj in (live(cluster, "Rollout"),):
        key = "kubectl.kubernetes.io/last-applied-configuration"
        last = json.loads(obj["metadata"]["annotations"][key])
        last["metadata"]["annotations"]["team.example.com/old"] = "yes"
        obj["metadata"]["annotations"] |= {key: json.dumps(last), "team.example.com/old": "yes"}
    lines = told(diff("shop/recommender"))
    assert "live Rollout recommender metadata.annotations.team.example.com/old: removed, was yes" in lines


def test_objects_that_are_not_there_and_a_model_that_is_new(diff, cluster):
    gone = [path for path, body in cluster.objects.items() if body["kind"] == "PodMonitor"]
    for path in gone:
        del cluster.objects[path]
    assert "live PodMonitor recommender: added, it is not in the cluster yet" in told(diff("shop"))
    cluster.objects.clear()
    document = json.loads(diff("support", "--format", "json").output)
    jsonschema.validate(document, json.loads(schema_text("diff")))
    assert [found["status"] for found in document["differences"]] == ["added"]
    assert document["against"] == {"cluster": cluster.address, "environment": "production"}


def test_a_refusal_is_told_with_the_servers_words(diff, cluster):
    path = next(path for path, body in cluster.objects.items() if body is live(cluster, "Rollout"))
    cluster.refused[path] = (422, "spec.strategy: Invalid value")
    done = diff("shop")
    assert done.exit_code == 1
    assert (
        "Rollout shop-production/recommender: the cluster refuses it: spec.strategy: Invalid value"
        in done.output
    )


def test_usage(repository, tmp_path):
    def run(*arguments: str):
        return CliRunner(env={"COLUMNS": "200"}).invoke(cli, ["diff", *arguments])

    assert "of the cluster with --env: staging, production" in run("--cluster").output
    assert "did you mean `production`" in run("--cluster", "--env", "productoin").output
    assert "need --cluster" in run("--env", "staging").output
    assert "choose one of" in run("--cluster", "--against", "HEAD").output
    nowhere = run("--cluster", "--env", "staging", "--kubeconfig", str(tmp_path / "missing"))
    assert (nowhere.exit_code, "no cluster is configured" in nowhere.output) == (2, True)
