"""`sluice record --cluster` against a stand-in API server; the real controllers are in tests/cluster."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.gates.records import read_record
from generator.spec.release_record import RecordFile
from tests.unit.cluster.ended_standin import Ended
from tests.unit.cluster.status_standin import ARGO, Table, kubeconfig, serving

CHECKOUT = Path(__file__).resolve().parents[3]
NAME, MODEL = "shop/recommender", "staging/shop/recommender"
ROLLOUT = f"{ARGO}/namespaces/shop-staging/rollouts/recommender"
RUNS = f"{ARGO}/namespaces/shop-staging/analysisruns"
EVIDENCE = [2, 5, 9]  # the analyses of the three weight steps


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(CHECKOUT / "specs", tmp_path / "repository" / "specs")
    shutil.copytree(CHECKOUT / "rendered" / MODEL, tmp_path / "repository" / "rendered" / MODEL)
    return tmp_path / "repository"


@pytest.fixture
def rendered(root: Path) -> dict[str, Any]:
    body: dict[str, Any] = yaml.safe_load((root / "rendered" / MODEL / "rollout-main.yaml").read_text())
    return body


def run(root: Path, table: Table, *arguments: str) -> Any:
    with serving(table) as address:
        config = str(kubeconfig(root.parent, main=address))
        command = [
            "record",
            NAME,
            "--env",
            "staging",
            "--cluster",
            "--kubeconfig",
            config,
            "--root",
            str(root),
        ]
        done = CliRunner().invoke(cli, [*command, *arguments])
    assert done.exit_code != 3, done.output
    return done


def record(root: Path, ended: Ended) -> RecordFile:
    done = run(root, {ROLLOUT: ended.rollout, RUNS: ended.runs})
    assert done.exit_code == 0, done.output
    read = read_record(root / "specs/shop/recommender.staging.record.json", root, NAME, "staging")
    assert not read.findings
    assert read.content is not None
    return read.content


def test_a_release_that_passed(root: Path, rendered: dict[str, Any]) -> None:
    found = record(root, Ended(rendered))
    assert (found.verdict, found.reasons, found.steps.skipped) == ("passed", [], [])
    assert [(step.weight, step.canary) for step in found.traffic] == [
        (5, 108_000),
        (25, 180_000),
        (50, 360_000),
    ]
    assert found.traffic[0].stable == 108_000 * 19
    assert found.exposed == 648_000
    assert found.power.seen is not None
    assert found.power.seen > 0.99
    assert set(found.power.by_guard) == {"ctr", "error-rate", "slow-rate"}
    assert found.power.promised["ctr"] == rendered["metadata"]["annotations"]["sluice.dev/power.ctr"]
    assert found.subject.bundle == rendered["metadata"]["annotations"]["sluice.dev/bundle"]
    assert [run.kind for run in found.runs] == ["background", "step", "step", "step"]
    assert {(m.successful, m.last) for m in found.runs[0].metrics} == {(90, "[0.2]")}  # until the end
    assert found.controllers["argo-rollouts"] == "1.10"
    assert found.subject.release_key.startswith("sha256:")


def test_fewer_requests_are_less_power(root: Path, rendered: dict[str, Any]) -> None:
    few = record(root, Ended(rendered, rps=2.0))
    assert few.verdict == "weak"
    assert few.power.seen is not None
    assert few.power.seen < 0.2
    assert "less than 50%" in few.reasons[0]


@pytest.mark.parametrize(
    ("changes", "verdict", "skipped", "full", "reason"),
    [
        ({"revision": "1"}, "weak", [], False, "first release"),
        ({"rps": 0.0}, "weak", [], False, "power with the traffic that came is 0%"),
        ({"skipped": [4]}, "weak", [4], False, "steps were skipped or cut short: 4"),
        ({"skipped": [5]}, "weak", [5], False, "steps were skipped or cut short: 5"),
        ({"skipped": [8, 9]}, "weak", [8, 9], True, "promote --full"),
        ({"full": 1}, "weak", [1, 2, 4, 5, 8, 9], True, "promote --full"),
        ({"full": 4}, "weak", [4, 5, 8, 9], True, "promote --full"),
        ({"abort_at": 5}, "aborted", [], False, "ctr: Failed"),
        ({"undecided": 5}, "inconclusive", [], False, "was inconclusive"),
    ],
)
def test_what_happened_is_what_the_record_says(
    root: Path, rendered: dict[str, Any], changes: dict[str, Any], verdict: str, skipped: list[int], full: bool, reason: str
) -> None:  # fmt: skip
    found = record(root, Ended(rendered, **changes))
    assert (found.verdict, found.steps.skipped, found.steps.promote_full) == (verdict, skipped, full)
    assert any(reason in text for text in found.reasons), found.reasons


def test_runs_of_another_revision_do_not_count(root: Path, rendered: dict[str, Any]) -> None:
    ended = Ended(rendered)
    for item in ended.runs:
        item["metadata"]["annotations"]["rollout.argoproj.io/revision"] = "1"
    found = record(root, ended)
    assert (found.verdict, found.runs) == ("weak", [])
    assert "nothing was analysed" in found.reasons


def test_the_power_of_another_bundle_is_unknown(root: Path, rendered: dict[str, Any]) -> None:
    rendered["metadata"]["annotations"]["sluice.dev/bundle"] = "0123456789abcdef"
    found = record(root, Ended(rendered))
    assert found.verdict == "weak"
    assert found.power.seen is None
    assert "and 0123456789abcdef ran" in found.reasons[0]


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Progressing", "stableRS": "5f6c7d8e9"},
        {"phase": "Paused", "stableRS": "5f6c7d8e9"},
        {"phase": "Degraded"},
        {"observedGeneration": "6"},
        {"stableRS": "5f6c7d8e9"},
        {"currentPodHash": "", "stableRS": ""},
    ],
)
def test_healthy_alone_is_not_the_end(root: Path, rendered: dict[str, Any], status: dict[str, Any]) -> None:
    ended = Ended(rendered)
    body = ended.rollout
    done = run(root, {ROLLOUT: {**body, "status": {**body["status"], **status}}, RUNS: ended.runs})
    assert done.exit_code == 1  # no fault: it may end later
    assert "has not ended" in done.output
    assert not (root / "specs/shop/recommender.staging.record.json").exists()


def test_an_older_record_never_replaces_a_newer_one(root: Path, rendered: dict[str, Any]) -> None:
    newer = Ended(rendered, revision="3")
    record(root, newer)
    older = Ended(rendered, revision="2", abort_at=5)
    done = run(root, {ROLLOUT: older.rollout, RUNS: older.runs})
    assert done.output.startswith("kept specs/shop/recommender.staging.record.json: passed, revision 3")
    again = run(root, {ROLLOUT: newer.rollout, RUNS: newer.runs})
    assert again.output.startswith("kept")
    aborted = Ended(rendered, revision="4", abort_at=2)
    done = run(root, {ROLLOUT: aborted.rollout, RUNS: aborted.runs})
    assert done.output.startswith("wrote specs/shop/recommender.staging.record.json: aborted, revision 4")


@pytest.mark.parametrize(
    ("table", "context", "messages"),
    [
        ({ROLLOUT: 403}, "main", ("refuses the request: said no", "let its user get and list rollouts, analysisruns")),
        ({ROLLOUT: 401}, "main", ("authentication at", "the token has expired, or is one of another cluster")),
        ({}, "other", ("no cluster is configured by", "its contexts: main; `kubectl config rename-context`")),
        ({ROLLOUT: "production"}, "main", ("is one of production, not of staging", "--context NAME")),
    ],
)  # fmt: skip
def test_what_goes_wrong_with_a_cluster_is_said_with_the_way(
    root: Path, rendered: dict[str, Any], table: Table, context: str, messages: tuple[str, str]
) -> None:
    if table.get(ROLLOUT) == "production":  # a context of another cluster, whose namespace has the same name
        rendered["spec"]["template"]["metadata"]["labels"]["sluice.dev/environment"] = "production"
        ended = Ended(rendered)
        table = {ROLLOUT: ended.rollout, RUNS: ended.runs}
    done = run(root, table, "--context", context)
    assert done.exit_code == 2
    assert all(message in done.output for message in messages), done.output
    assert not (root / "specs/shop/recommender.staging.record.json").exists()


def test_a_kubeconfig_may_have_no_current_context(root: Path, tmp_path: Path) -> None:
    config = kubeconfig(tmp_path, staging="http://127.0.0.1:1", eu="http://127.0.0.1:1")
    config.write_text(config.read_text().replace("current-context: staging", ""))
    command = [
        "record",
        NAME,
        "--env",
        "staging",
        "--cluster",
        "--kubeconfig",
        str(config),
        "--root",
        str(root),
    ]
    done = CliRunner().invoke(cli, [*command, "--context", "production"])
    assert (done.exit_code, "its contexts: staging, eu; " in done.output) == (2, True), done.output


def test_a_server_that_is_not_there_is_said_with_the_way(root: Path, tmp_path: Path) -> None:
    config = str(kubeconfig(tmp_path, main="http://127.0.0.1:1"))
    command = ["record", NAME, "--env", "staging", "--cluster", "--kubeconfig", config, "--root", str(root)]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 2
    assert "can't be reached: Connection refused; check the server of this context" in done.output


def test_no_rollout_and_no_choice_are_said(root: Path) -> None:
    missing = run(root, {})
    assert missing.exit_code == 1
    assert "no Rollout recommender in the namespace shop-staging" in missing.output
    both = run(root, {}, "--from-notification", "x")
    assert both.exit_code == 2
    assert "choose one" in both.output


@pytest.mark.parametrize("body", ["{}", "[]", '{"schema": "sluice/ended/v1"}', '{"schema": "sluice/ended/v1", "rollout": {"metadata": {}}}', '{"schema": "sluice/ended/v1", "event": "completed", "at": "now", "rollout": {"metadata": {"name": "x"}, "spec": []}}'])  # fmt: skip
def test_what_is_no_notification_is_refused(root: Path, body: str, tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text(body)
    done = CliRunner().invoke(cli, ["record", "--from-notification", str(file), "--root", str(root)])
    assert done.exit_code == 2, done.output


def test_a_record_is_validated_with_its_spec(root: Path, rendered: dict[str, Any]) -> None:
    record(root, Ended(rendered))
    path = root / "specs/shop/recommender.staging.record.json"
    document = json.loads(path.read_text())
    path.write_text(path.read_text().replace('"exposed": 648000', '"exposed": 648001'))
    assert document["exposed"] == 648_000
    done = CliRunner().invoke(cli, ["validate", NAME, "--root", str(root)])
    assert "RECD102" in done.output
