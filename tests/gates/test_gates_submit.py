"""Gates in the cluster: submitted, and their evidence brought back; against a stand-in for the servers."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.gates.adapters import Outcome
from generator.gates.adapters import drift as drift_adapter
from generator.gates.adapters import tests as tests_adapter
from generator.gates.document import evidence_bytes, own_digest, read_evidence
from generator.gates.inputs import text_source
from generator.gates.junit import parse
from generator.gates.measures import measure
from generator.gates.pod import ReleaseInfo, conclude, parameter
from generator.gates.run import entry_of
from generator.plan.gates import gate_from
from generator.plan.names import gate_workflow
from generator.plan.resolve import Planned
from generator.plan.values import Gate
from generator.render.outputs.gates import _release
from generator.source.canonical import canonical_document
from generator.spec.evidence import Source
from tests.gates.ranker import REPORT, Case
from tests.gates.tables import report_of
from tests.gates.workflow_server_standin import Cluster, serving

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def cluster():
    with serving() as made:
        yield made


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def call(cluster: Cluster, way: str, case: Case, *arguments: str):
    variables = {"KUBECONFIG": "", "ARGO_SERVER": "", "ARGO_TOKEN": cluster.token}
    config = case.root / "kubeconfig"
    config.write_text(cluster.kubeconfig)
    if way == "argo":
        variables["ARGO_SERVER"] = cluster.address
    else:
        variables["KUBECONFIG"] = str(config)
    (name, spec), rest = arguments[:2], arguments[2:]
    line = [name, spec, "--env", "production", "--root", str(case.root), *rest]
    return CliRunner().invoke(cli, ["gates", *line], env=variables)


def outcome(planned: Planned, gate: Gate, value: float | None) -> Outcome:
    """What a container finds: the gate passes, or misses its threshold with this value."""
    if value is not None:
        return Outcome("tool", "1", "data", (), (measure("m", value, "atMost", 0.5),))
    if gate.kind == "tests":
        cases = "".join(f'<testcase name="t{number}"/>' for number in range(25))
        report = f"<testsuite>{cases}</testsuite>"
        measures = tests_adapter.measures_from_report(gate.spec, parse(report.encode()))
        return Outcome("junit", "xml", "digest", (text_source("report", gate.spec.junit, report),), measures)
    feature = {"distance": 0.01, "p": 1.0, "rows": [2000, 2000], "missing": [0.0, 0.0]}
    report = {"features": dict.fromkeys(gate.spec.drift.features, feature)}
    windows = (gate.spec.drift.reference, gate.spec.drift.current)
    sources = tuple(Source(role="data", path=ref, digest=dict(planned.plan.data)[ref]) for ref in windows)
    return Outcome.of(
        report_of(gate, {}), "data", sources, drift_adapter.measures_from_report(gate.spec, report)
    )


def concluded_document(case: Case, **values: float) -> str:
    """What the verdict of this model's Workflow leaves when its gates find these values (at most 0.5); without one they pass."""
    planned = case.planned
    release = ReleaseInfo.model_validate(_release(planned.plan))
    said = {}
    for gate in planned.plan.gates:
        found = outcome(planned, gate, values.get(gate.name)) if gate.kind != "custom" else None
        said[gate.name] = (
            parameter(entry_of(gate, found, lambda: NOW)).decode() if found else json.dumps(REPORT)
        )
    gates = [gate_from(gate.config) for gate in planned.plan.gates]
    return evidence_bytes(conclude(release, gates, said, lambda: NOW)).decode()


def end(cluster: Cluster, case: Case, text: str | None, phase: str = "Succeeded", **status: object) -> None:
    """What the controller writes into the object: a Retry node and its pod, both with the outputs.

    The executor takes the last newline off an output parameter, as a real one did.
    """
    plan = case.planned.plan
    value = text.removesuffix("\n") if text is not None else None
    outputs = {"parameters": [{"name": "evidence", "value": value}]} if text is not None else {}
    nodes = {
        "n": {"id": "n", "type": "DAG", "templateName": "gates", "phase": phase, "finishedAt": "2026-11-23T12:00:09Z"},
        "n-1": {"id": "n-1", "type": "Retry", "templateName": "verdict", "phase": phase, "outputs": outputs, "finishedAt": "2026-11-23T12:00:05Z"},
        "n-2": {"id": "n-2", "type": "Pod", "templateName": "verdict", "phase": phase, "outputs": outputs, "finishedAt": "2026-11-23T12:00:05Z"},
        "n-3": {"id": "n-3", "type": "Pod", "templateName": "scipy", "phase": "Succeeded", "outputs": {"parameters": [{"name": "evidence", "value": "{}"}]}, "finishedAt": None},
    }  # fmt: skip
    key = (plan.identity.namespace, gate_workflow(plan))
    workflow = cluster.workflows.setdefault(key, case.workflow)
    workflow["status"] = {"phase": phase, "finishedAt": None, "nodes": nodes, **status}


def evidence(case: Case):
    return read_evidence(case.root / "specs/shop/ranker.evidence.json", case.root, "shop/ranker")


@pytest.mark.parametrize("way", ["argo", "kubernetes"])
def test_submitted_once_for_a_gate_key(way, cluster, case):
    first = call(cluster, way, case, "submit", "shop/ranker")
    assert (first.exit_code, "submitted" in first.output) == (0, True), first.output
    (sent,) = cluster.workflows.values()
    assert sent["spec"] == case.workflow["spec"]
    assert sent["metadata"]["name"] == case.workflow["metadata"]["name"]
    method, path, _ = cluster.asked[0]
    assert method == "POST"
    assert path.startswith("/api/v1/workflows/shop-production" if way == "argo" else "/apis/argoproj.io/v1alpha1/namespaces/shop-production/workflows?")  # fmt: skip
    assert way == "argo" or "fieldValidation=Strict" in path
    again = call(cluster, way, case, "submit", "shop/ranker")
    assert (again.exit_code, "already there, pending" in again.output) == (0, True)
    end(cluster, case, None, "Failed")
    waited = call(cluster, way, case, "submit", "shop/ranker", "--wait", "0")
    assert (waited.exit_code, waited.output.splitlines()[-1].endswith(": Failed")) == (1, True)


@pytest.mark.parametrize("way", ["argo", "kubernetes"])
def test_fetched_evidence_lies_in_git(way, cluster, case):
    cluster.token = "secret-token"
    end(cluster, case, concluded_document(case))
    done = call(cluster, way, case, "fetch", "shop/ranker")
    assert done.exit_code == 0, done.output
    content = evidence(case).content
    assert {entry.name: entry.verdict for entry in content.predicate.gates} == dict.fromkeys(("unit-tests", "drift", "toxicity"), "pass")  # fmt: skip
    check = CliRunner().invoke(cli, ["gates", "check", "shop/ranker", "--root", str(case.root)], env={"SOURCE_DATE_EPOCH": "1795521600"})  # fmt: skip
    assert check.exit_code == 0, check.output
    assert {header for _, _, header in cluster.asked} == {"Bearer secret-token"}
    assert "secret-token" not in done.output


def test_a_failed_gate_is_fetched_too_and_ends_with_1(cluster, case):
    end(cluster, case, concluded_document(case, drift=0.9), "Failed")
    done = call(cluster, "argo", case, "fetch", "shop/ranker")
    assert done.exit_code == 1
    assert {e.name: e.verdict for e in evidence(case).content.predicate.gates}["drift"] == "fail"


def test_packed_nodes_are_unpacked_and_offloaded_ones_are_told(cluster, case):
    end(cluster, case, concluded_document(case))
    (workflow,) = cluster.workflows.values()
    nodes = workflow["status"].pop("nodes")
    packed = base64.b64encode(gzip.compress(json.dumps(nodes).encode())).decode()
    workflow["status"]["compressedNodes"] = packed
    assert call(cluster, "kubernetes", case, "fetch", "shop/ranker").exit_code == 0
    workflow["status"]["compressedNodes"] = packed[: len(packed) // 8 * 4]
    broken = call(cluster, "kubernetes", case, "fetch", "shop/ranker")
    assert (broken.exit_code, "can't be unpacked" in broken.output) == (2, True)
    workflow["status"]["offloadNodeStatusVersion"] = "fnv:1"
    told = call(cluster, "kubernetes", case, "fetch", "shop/ranker")
    assert (told.exit_code, "--server" in told.output) == (2, True)


def forged(text: str, edit) -> str:
    """An edit by someone who makes the digests right again."""
    data = json.loads(text)
    edit(data)
    for entry in data["predicate"]["gates"]:
        entry["digest"] = own_digest(entry)
    data["digest"] = own_digest(data)
    return canonical_document(data)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: d["subject"][0].update(name="shop/other"), "it is about shop/other"),
        (lambda d: d["subject"][0]["digest"].update(sha256="4" * 64), "the lock pins"),
        (lambda d: d["predicate"].update(gateKeys=["5" * 64]), "the gate key 555555555555"),
        (
            lambda d: d["predicate"]["data"].update({"dvc:now.csv": "sha256:" + "6" * 64}),
            "not those of the lock",
        ),
        (lambda d: d["predicate"]["gates"].pop(), "exactly those of this model"),
        (
            lambda d: d["predicate"]["gates"][0].update(configuration="sha256:" + "7" * 64),
            "exactly those of this model",
        ),
        (
            lambda d: d["predicate"]["gates"][0]["measures"][0].update(value=0.9),
            "although its number misses the threshold",
        ),
    ],
)
def test_evidence_of_something_else_is_refused_and_nothing_is_written(edit, said, cluster, case):
    end(cluster, case, forged(concluded_document(case), edit))
    done = call(cluster, "argo", case, "fetch", "shop/ranker")
    assert (done.exit_code, said in " ".join(done.output.split())) == (1, True), done.output
    assert not evidence(case).exists


def test_an_edited_digit_is_refused(cluster, case):
    end(cluster, case, concluded_document(case).replace('"threshold": 0.1', '"threshold": 0.6', 1))
    done = call(cluster, "argo", case, "fetch", "shop/ranker")
    assert (done.exit_code, "EVID102" in done.output) == (1, True), done.output
    assert not evidence(case).exists


@pytest.mark.parametrize("text", ["", "none", None])
def test_no_evidence_says_what_the_controller_says(text, cluster, case):
    end(cluster, case, text, "Error", message="pod deleted")
    done = call(cluster, "argo", case, "fetch", "shop/ranker")
    assert (done.exit_code, "without evidence: pod deleted" in done.output) == (2, True)


@pytest.mark.parametrize("way", ["argo", "kubernetes"])
def test_what_can_go_wrong_is_one_sentence(way, cluster, case):
    gone = call(cluster, way, case, "fetch", "shop/ranker")
    assert (gone.exit_code, "sluice gates submit" in gone.output) == (2, True)
    end(cluster, case, None, "Running")
    running = call(cluster, way, case, "fetch", "shop/ranker")
    assert (running.exit_code, "is still running" in running.output) == (2, True)
    asked = cluster.token
    cluster.token = "another"
    refused = CliRunner().invoke(
        cli,
        [
            "gates",
            "fetch",
            "shop/ranker",
            "--env",
            "production",
            "--root",
            str(case.root),
            "--server",
            cluster.address,
        ],
        env={"ARGO_TOKEN": asked},
    )
    assert (refused.exit_code, "refuses the request (HTTP 401): token not valid" in refused.output) == (
        2,
        True,
    )
    for text in (gone.output, running.output, refused.output):
        assert "Traceback" not in text


def test_nobody_there(case):
    with serving() as gone:
        pass
    for way in ("argo", "kubernetes"):
        done = call(gone, way, case, "submit", "shop/ranker")
        assert (done.exit_code, "can't be reached" in done.output) == (2, True), done.output
    lost = CliRunner().invoke(cli, ["gates", "submit", "shop/ranker", "--env", "production", "--root", str(case.root)], env={"KUBECONFIG": str(case.root / "none")})  # fmt: skip
    assert (lost.exit_code, "no usable kubeconfig" in lost.output) == (2, True), lost.output


def test_gates_that_only_git_enforces_are_not_submitted(cluster, case):
    platform = case.root / "specs/platform.yaml"
    platform.write_text(
        platform.read_text().replace("      ceilings:\n", "      evidence: [git]\n      ceilings:\n", 1)
    )
    done = call(cluster, "argo", case, "submit", "shop/ranker")
    assert (done.exit_code, "no gates that run in the cluster" in done.output) == (2, True), done.output
    assert cluster.asked == []
