"""The gate Workflow, property by property, and run from end to end by a stand-in for its controller."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.gates.document import Evidence, parse_evidence
from generator.gates.staging import mounted_inputs, staged_files
from generator.lint.objects import Object
from generator.lint.shapes import workflow_refusals
from generator.plan.names import gate_workflow
from generator.spec.gates import gate_of
from tests.gates.ranker import CUSTOM, REPORT, Case
from tests.gates.tables import MODEL


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return Case(tmp_path_factory.mktemp("case")).workflow


def templates(workflow: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {template["name"]: template for template in workflow["spec"]["templates"]}


def containers(workflow: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: item["container"] for name, item in templates(workflow).items() if "container" in item}


def flaws(workflow: dict[str, Any]) -> list[str]:
    return [message for _, message in workflow_refusals(Object.read(workflow))]


def test_the_models_of_argo_workflows_take_it_and_know_every_field(workflow):
    assert flaws(workflow) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda w: w["spec"].update(failFast=False),
        lambda w: templates(w)["gates"]["dag"].update(failfast=False),
        lambda w: templates(w)["scipy"].update(activeDeadlineSeconds=[3600]),
        lambda w: templates(w)["verdict"]["container"].pop("image"),
        lambda w: templates(w)["verdict"]["retryStrategy"].update(limits="2"),
        lambda w: w["spec"]["synchronization"].update(mutex3=[]),
        lambda w: w["spec"]["arguments"]["parameters"].append({"value": "x"}),
    ],
)
def test_a_field_that_nobody_knows_or_of_another_type_is_told(spoil, workflow):
    spoiled = json.loads(json.dumps(workflow))
    spoil(spoiled)
    assert flaws(spoiled)


def test_all_gates_run_and_the_verdict_is_the_only_leaf(workflow):
    dag = templates(workflow)["gates"]["dag"]
    assert dag["failFast"] is False
    tasks = {task["name"]: task for task in dag["tasks"]}
    assert list(tasks) == ["unit-tests", "drift", "toxicity", "verdict"]
    assert [name for name, task in tasks.items() if "depends" in task] == ["verdict"]
    for name in ("unit-tests", "drift", "toxicity"):
        assert f"({name}.Succeeded || {name}.Failed || {name}.Errored)" in tasks["verdict"]["depends"]
    assert workflow["spec"]["entrypoint"] == "gates"
    assert "onExit" not in workflow["spec"]


def test_one_container_a_tool(workflow):
    assert set(containers(workflow)) == {"sluice", "scipy", "own-toxicity", "verdict"}
    commands = {name: item.get("command") for name, item in containers(workflow).items()}
    assert commands == {
        "sluice": ["sluice", "gates", "judge"],
        "scipy": ["sluice", "gates", "judge"],
        "own-toxicity": None,
        "verdict": ["sluice", "gates", "verdict"],
    }
    assert containers(workflow)["own-toxicity"]["image"] == CUSTOM


def test_a_verdict_is_never_tried_again_and_the_infrastructure_is(workflow):
    for name in containers(workflow):
        retry = templates(workflow)[name]["retryStrategy"]
        assert (retry["limit"], retry["retryPolicy"]) == ("2", "Always"), name
        final = set(re.findall(r"lastRetry\.exitCode != '(\d+)'", retry["expression"]))
        assert final == ({"10"} if name == "verdict" else {"10", "11"}), name
        assert " || " not in retry["expression"]


def test_deadlines(workflow):
    assert workflow["spec"]["activeDeadlineSeconds"] == 7200
    assert {name: templates(workflow)[name]["activeDeadlineSeconds"] for name in containers(workflow)} == {
        "sluice": 3600, "scipy": 3600, "own-toxicity": 3600, "verdict": 600,
    }  # fmt: skip


def test_one_run_at_a_time_for_a_model(workflow):
    assert workflow["spec"]["synchronization"] == {"mutexes": [{"name": "ranker-gates"}]}


def test_pod_security_restricted(workflow):
    """Every field that the profile asks for (kubernetes.io, Pod Security Standards)."""
    pod = workflow["spec"]["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] > 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    for name, container in containers(workflow).items():
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False, name
        assert own["capabilities"] == {"drop": ["ALL"]}, name
        assert own["readOnlyRootFilesystem"] is True, name
    allowed = {"emptyDir", "persistentVolumeClaim"}
    assert all(set(volume) - {"name"} <= allowed for volume in workflow["spec"]["volumes"])
    assert workflow["spec"]["automountServiceAccountToken"] is False
    assert workflow["spec"]["executor"] == {"serviceAccountName": "sluice-gates"}


def test_outputs_have_defaults_and_nothing_that_was_not_said_passes(workflow):
    for name in containers(workflow):
        (parameter,) = templates(workflow)[name]["outputs"]["parameters"]
        assert parameter["valueFrom"]["default"] == "none", name
        assert "artifacts" not in templates(workflow)[name]["outputs"], name


def test_it_is_called_by_the_gate_key_and_the_waivers(case):
    plan, name = case.planned.plan, case.workflow["metadata"]["name"]
    assert name == gate_workflow(plan) == f"ranker-gates-{plan.gate_key[:10]}"
    lock = case.root / "specs/shop/ranker.lock.yaml"
    lock.write_text(lock.read_text().replace(MODEL, "sha256:" + "9" * 64))
    other = case.planned.plan
    assert gate_workflow(other) != name
    waiver = "    - {model: shop/ranker, gate: drift, kind: drift, reason: known, approvedBy: model-risk, "
    waiver += f"until: 2027-01-31, digest: 'sha256:{'9' * 64}'}}\n"
    platform = case.root / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("  waivers:\n", f"  waivers:\n{waiver}", 1))
    waived = case.planned.plan
    assert waived.gate_key == other.gate_key
    assert gate_workflow(waived) not in {name, gate_workflow(other)}


@pytest.mark.parametrize(
    ("gates", "found"),
    [
        ("{}", {"volume": "gate-inputs"}),
        ("{inputs: {claim: other}}", {"volume": "other"}),
        ('{inputs: {url: "https://store.example.com/{digest}.tgz"}}', {"http": {"url": "https://store.example.com/%s.tgz"}}),
        ('{inputs: {s3: "gates/{digest}.tgz"}, artifacts: true}', {"s3": {"key": "gates/%s.tgz"}}),
        ("{secret: tracking}", {"volume": "gate-inputs", "secret": "tracking"}),
    ],
)  # fmt: skip
def test_where_pods_find_their_inputs(gates: str, found: dict[str, Any], tmp_path: Path):
    workflow = Case(tmp_path, f"  gates: {gates}\n").workflow
    assert flaws(workflow) == []
    hexadecimal = MODEL.removeprefix("sha256:")
    volumes = {volume["name"]: volume for volume in workflow["spec"]["volumes"]}
    template = templates(workflow)["scipy"]
    if "volume" in found:
        claim = {"claimName": found["volume"], "readOnly": True}
        assert volumes["inputs"]["persistentVolumeClaim"] == claim
        mounted = {"name": "inputs", "mountPath": "/inputs", "readOnly": True}
        for name, container in containers(workflow).items():
            assert (mounted in container["volumeMounts"]) == (name != "verdict"), name
    else:
        (artifact,) = template["inputs"]["artifacts"]
        assert artifact["path"] == f"/inputs/{hexadecimal}"
        wanted = {key: {k: v % hexadecimal for k, v in value.items()} for key, value in found.items()}
        assert {key: artifact[key] for key in wanted} == wanted
        assert "inputs" not in volumes
    assert ("artifacts" in template["outputs"]) == ("artifacts" in gates)
    for name, container in containers(workflow).items():
        wanted = [{"secretRef": {"name": "tracking"}}] if "secret" in found and name != "verdict" else None
        assert container.get("envFrom") == wanted, name


def read(text: str):
    evidence = Evidence("e", "shop/ranker")
    parse_evidence(text.encode(), evidence)
    assert not evidence.findings
    return evidence.content


@pytest.mark.slow
def test_from_end_to_end(case):
    ran = case.run()
    assert (ran.phase, ran.codes) == (
        "Succeeded",
        {"unit-tests": [0], "drift": [0], "toxicity": [0], "verdict": [0]},
    )
    content = read(ran.outputs["verdict"])
    assert {entry.name: entry.verdict for entry in content.predicate.gates} == dict.fromkeys(
        ("drift", "toxicity", "unit-tests"), "pass"
    )
    assert content.predicate.gate_keys == [case.planned.plan.gate_key]
    assert f"sha256:{content.subject[0].digest.sha256}" == MODEL
    assert content.predicate.data == dict(case.planned.plan.data)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "custom", "codes", "verdicts"),
    [
        (lambda c: (c.folder / "reports/junit.xml").unlink(), (0, REPORT), {"unit-tests": [11]}, {"unit-tests": "inconclusive"}),
        (lambda c: (c.folder / "now.csv").write_text("amount,hour\n1,2\n"), (0, REPORT), {"drift": [11]}, {"drift": "inconclusive"}),
        (lambda c: shutil.rmtree(c.folder), (0, REPORT), {"drift": [11], "unit-tests": [11]}, {"drift": "inconclusive", "unit-tests": "inconclusive"}),
        (lambda c: None, (137, None), {"toxicity": [137, 137, 137]}, {"toxicity": "inconclusive"}),
        (lambda c: None, (0, None), {}, {"toxicity": "inconclusive"}),
        (lambda c: None, (0, {**REPORT, "model": "sha256:" + "7" * 64}), {}, {"toxicity": "inconclusive"}),
        (lambda c: None, (0, {**REPORT, "measures": [{**REPORT["measures"][0], "value": 0.03}]}), {}, {"toxicity": "fail"}),
    ],
)  # fmt: skip
def test_whatever_is_missing_or_wrong_fails_the_whole(spoil, custom, codes, verdicts, case):
    spoil(case)
    code, report = custom
    ran = case.run(custom=lambda _: (code, report and json.dumps(report)))
    assert ran.phase == "Failed"
    assert ran.codes == {"unit-tests": [0], "drift": [0], "toxicity": [0], "verdict": [10], **codes}
    content = read(ran.outputs["verdict"])
    want = dict.fromkeys(("drift", "toxicity", "unit-tests"), "pass") | verdicts
    assert {entry.name: entry.verdict for entry in content.predicate.gates} == want


def test_staged_inputs_are_what_containers_find(case, tmp_path):
    files = tmp_path / "made"
    case.folder.rename(files)
    (files / "unrelated.bin").write_bytes(b"x" * 10)

    def stage(*more: str):
        return CliRunner().invoke(cli, ["gates", "stage", "shop/ranker", "--root", str(case.root), "--to", str(case.inputs), "--from", str(files), *more]
        )  # fmt: skip

    done = stage()
    assert done.exit_code == 0, done.output
    left = sorted(
        path.relative_to(case.folder).as_posix() for path in case.folder.rglob("*") if path.is_file()
    )
    assert left == ["now.csv", "reports/junit.xml", "train.csv"]
    source, copy = (folder / "reports" / "junit.xml" for folder in (files, case.folder))
    assert source.stat().st_mtime == copy.stat().st_mtime
    assert stage("--archive").exit_code == 0
    with tarfile.open(case.inputs / f"{case.folder.name}.tgz") as tar:
        assert {name.split("/")[0] for name in tar.getnames()} == {case.folder.name}
    (files / "now.csv").write_text("amount,hour\n1,2\n")
    other = stage()
    assert (other.exit_code, "not the locked data set" in other.output) == (1, True)
    assert len((case.folder / "now.csv").read_text()) > 20
    (files / "reports" / "junit.xml").unlink()
    gone = stage()
    assert (gone.exit_code, "reports/junit.xml is missing" in gone.output) == (1, True)


@pytest.mark.parametrize("name", ["dvc:../secret.csv", "dvc:/etc/passwd", "s3://x/../../y.csv"])
def test_nothing_is_staged_outside_of_its_folder(name, case):
    config = {
        "name": "d",
        "drift": {"reference": name, "current": name, "features": ["a"]},
        "tool": "ks",
        "alpha": 0.05,
    }
    found = staged_files([gate_of(config)], mounted_inputs(case.inputs, case.planned.source.lock))
    assert (found.files, len(found.problems)) == ({}, 1)
    assert "outside the folder" in found.problems[0]
