"""`sluice status` against a stand-in API server with objects in the shape that the controllers leave."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.report.schemas import schema_text
from tests.unit.cluster.status_standin import (
    ARGO,
    HASH,
    OLD,
    Table,
    analysis_run,
    application,
    kubeconfig,
    replica_set,
    result,
    rollout,
    serving,
)

CHECKOUT = Path(__file__).resolve().parents[3]
NAME = "shop/recommender"
OTHER = "sha256:" + "0" * 64
ROLLOUT = f"{ARGO}/namespaces/shop-production/rollouts/recommender"
SETS = "/apis/apps/v1/namespaces/shop-production/replicasets"
RUNS = f"{ARGO}/namespaces/shop-production/analysisruns"
APPLICATION = f"{ARGO}/namespaces/argocd/applications/production-shop-recommender"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(CHECKOUT / "specs", tmp_path / "repository" / "specs")
    return tmp_path / "repository"


@pytest.fixture
def plan(root: Path):
    repository = Repository(root)
    entry = next(entry for entry in repository.entries if entry.name == NAME)
    return next(
        p.plan
        for p in resolve(repository, entry, no_digest).plans
        if p.plan.identity.environment == "production"
    )


@pytest.fixture
def table(plan) -> Table:
    """A canary at 5 % with one guard that has looked."""
    return {
        ROLLOUT: rollout(plan),
        SETS: [replica_set(HASH, plan.version.label, plan.version.digest, 1), replica_set(OLD, "11", OTHER)],
        RUNS: [
            {**analysis_run("r-1", "1", "2026-11-25T09:00:00Z", result("ctr", "Failed", "[9.9]")), "of": "another"},
            analysis_run("r-2", "2", "2026-11-25T10:00:00Z", result("ctr", "Running", "[0.3]"), result("slow-rate", "Running", "[0.1]")),
            analysis_run("r-2-1", "2", "2026-11-25T11:00:00Z", result("ctr", "Successful", "[0.4]")),
        ],
        APPLICATION: application(),
    }  # fmt: skip


def run(root: Path, *arguments: str):
    done = CliRunner(env={"COLUMNS": "200"}).invoke(
        cli, ["status", *map(str, arguments), "--root", str(root)]
    )
    assert done.exit_code != 3, done.output
    return done


def asked(root: Path, table: Table, *arguments: str):
    with serving(table) as address:
        config = kubeconfig(root, main=address)
        return run(root, NAME, "--env", "production", "--cluster", "--kubeconfig", config, *arguments)


def told(root: Path, table: Table):
    done = asked(root, table, "--format", "json")
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads(schema_text("status")))
    return document["models"][0], done.exit_code


def test_without_a_cluster_only_git_is_told_and_no_client_is_imported(root: Path, plan) -> None:
    done = run(root)
    assert done.exit_code == 0
    said = f"version {plan.version.label} ({plan.version.digest[:19]}), image by tag"
    assert f"shop/recommender in production\n  git       {said}\n" in done.stdout
    assert "cluster" not in done.stdout
    code = "import sys; from generator.cli.main import cli; import generator.cli.status; print('kubernetes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_release_in_the_middle_of_its_steps(root: Path, table: Table) -> None:
    row, code = told(root, table)
    assert code == 0
    assert row["argocd"] == {
        "sync": "Synced",
        "health": "Progressing",
        "revision": "0123456789abcdef0123",
        "error": "",
    }
    cluster = row["cluster"]
    assert {key: cluster[key] for key in ("phase", "step", "steps", "weight", "aborted")} == {
        "phase": "Progressing", "step": 1, "steps": 4, "weight": 5, "aborted": False,
    }  # fmt: skip
    assert (cluster["stable"]["version"], cluster["wanted"]["version"]) == ("11", "12")
    assert [(v["metric"], v["phase"], v["value"], v["run"]) for v in cluster["verdicts"]] == [
        ("ctr", "Successful", "[0.4]", "r-2-1"),
        ("slow-rate", "Running", "[0.1]", "r-2"),
    ]
    assert row["differs"] == ""
    assert [item["command"] for item in row["commands"]] == [
        "kubectl argo rollouts abort recommender --namespace shop-production"
    ]
    text = asked(root, table).stdout
    assert "step 2 of 4, 5% of traffic to the new version" in text
    assert "stable 11 (4/4 pods), new 12" in text


def test_an_approval_is_asked_for_by_the_exact_command(root: Path, table: Table) -> None:
    table[ROLLOUT]["status"] |= {
        "phase": "Paused", "message": "CanaryPauseStep", "currentStepIndex": 2, "pauseConditions": [{"reason": "CanaryPauseStep"}],
    }  # fmt: skip
    row, code = told(root, table)
    assert (code, [item["command"].split()[3] for item in row["commands"]]) == (0, ["promote", "abort"])
    table[ROLLOUT]["status"]["currentStepIndex"] = 1  # a pause that ends by itself
    assert [item["command"].split()[3] for item in told(root, table)[0]["commands"]] == ["abort"]


def test_missing_proof_waits_for_a_person(root: Path, table: Table) -> None:
    table[ROLLOUT]["status"] |= {
        "phase": "Paused",
        "pauseConditions": [{"reason": "InconclusiveAnalysisRun"}],
    }
    row, _ = told(root, table)
    assert row["commands"][0]["what"] == "continue without enough evidence"


def test_an_abort_exits_with_one_and_names_the_way_back(root: Path, table: Table) -> None:
    message = 'RolloutAborted: Rollout aborted update to revision 2: Metric "ctr" assessed Failed'
    table[ROLLOUT]["status"] |= {
        "phase": "Degraded",
        "abort": True,
        "message": message,
        "currentStepIndex": 0,
    }
    table[RUNS][2]["status"]["metricResults"] = [result("ctr", "Failed", "[4.2]", "assessed Failed due to failed (1) > failureLimit (0)")]  # fmt: skip
    done = asked(root, table)
    assert done.exit_code == 1
    assert f"cluster   Degraded: {message}" in done.stdout
    assert "verdict   ctr Failed [4.2]: assessed Failed due to failed (1) > failureLimit (0)" in done.stdout
    assert "sluice revert shop/recommender --reason TEXT" in done.stdout
    assert "kubectl argo rollouts retry rollout recommender --namespace shop-production" in done.stdout


def test_a_cluster_behind_git_is_told(root: Path, table: Table) -> None:
    table[ROLLOUT]["spec"]["template"] = {"metadata": {"labels": {"app.kubernetes.io/version": "11"}}}
    table[APPLICATION] = application(
        "OutOfSync", "Healthy", phase="Failed", message="one or more\nobjects failed"
    )
    row, _ = told(root, table)
    assert row["differs"] == "the cluster still has 11"
    assert row["argocd"]["error"] == "one or more objects failed"


def test_nothing_is_there_yet(root: Path) -> None:
    row, code = told(root, {})
    assert (code, row["cluster"], row["argocd"]) == (0, None, None)
    assert row["differs"] == "no Rollout in the cluster"
    assert [item["command"] for item in row["commands"]] == ["argocd app sync production-shop-recommender"]


def test_a_change_that_the_controller_has_not_seen_is_not_healthy(root: Path, table: Table) -> None:
    table[ROLLOUT]["status"] |= {"phase": "Healthy", "observedGeneration": "3"}
    assert told(root, table)[0]["cluster"]["phase"] == "Progressing"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"metadata": {}},
        {
            "metadata": {},
            "status": {"canary": None, "pauseConditions": None},
            "spec": {"strategy": {"blueGreen": {}}},
        },
    ],
)
def test_objects_that_say_little(root: Path, table: Table, body: dict[str, object]) -> None:
    table[ROLLOUT] = {"metadata": {"generation": 1}, **body}
    assert told(root, table)[0]["cluster"]["step"] is None


def test_a_server_that_refuses_says_so(root: Path, table: Table) -> None:
    table[ROLLOUT] = 403
    done = asked(root, table)
    assert (done.exit_code, "said no" in done.stderr) == (2, True)
    table[ROLLOUT], table[APPLICATION] = rollout_of(table), 403
    assert asked(root, table).exit_code == 2


def rollout_of(table: Table) -> int:
    """Whatever else: an unknown failure of the server."""
    del table
    return 500


def test_who_may_not_see_argo_cd_still_sees_the_rollout(root: Path, table: Table) -> None:
    table[APPLICATION] = 403
    row, code = told(root, table)
    assert (code, row["argocd"], row["cluster"]["weight"]) == (0, None, 5)


def test_no_answer_at_all(root: Path) -> None:
    config = kubeconfig(root, main="http://127.0.0.1:1")
    done = run(root, NAME, "--cluster", "--kubeconfig", config)
    assert (done.exit_code, "can't be reached" in done.stderr) == (2, True)


def test_each_environment_may_have_a_context_of_its_own(root: Path, table: Table) -> None:
    with serving(table) as here, serving({}) as there:
        config = kubeconfig(root, there=there, here=here)
        done = run(
            root,
            NAME,
            "--cluster",
            "--kubeconfig",
            config,
            "--context",
            "production=here",
            "--format",
            "json",
        )
        rows = {row["environment"]: row["cluster"] for row in json.loads(done.stdout)["models"]}
        assert (rows["staging"], rows["production"]["weight"]) == (None, 5)
        wrong = run(root, NAME, "--cluster", "--kubeconfig", config, "--context", "moon=here")
        assert (wrong.exit_code, "unknown environment moon" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ({"phase": "Healthy", "message": "", "canary": {"weights": {"canary": {"weight": 0}}}}, 0),
        ({"phase": "Degraded", "abort": True}, 1),
    ],
)
def test_watch_tells_each_change_once_and_ends_with_the_release(
    root: Path, table: Table, ending: dict[str, object], code: int
) -> None:
    looks = []

    def look(path: str) -> None:
        looks.append(path)
        if looks.count(ROLLOUT) == 3 and path == ROLLOUT:
            table[ROLLOUT]["status"]["canary"]["weights"]["canary"]["weight"] = 25
        if looks.count(ROLLOUT) == 5 and path == ROLLOUT:
            table[ROLLOUT]["status"] |= ending

    with serving(table, look) as address:
        config = kubeconfig(root, main=address)
        done = run(
            root,
            NAME,
            "--env",
            "production",
            "--cluster",
            "--kubeconfig",
            config,
            "--watch",
            "--interval",
            "0.1",
        )
    assert done.exit_code == code
    assert done.stdout.count("shop/recommender in production") == 3
    assert done.stdout.index(" 5% of traffic") < done.stdout.index("25% of traffic")
    assert looks.count(ROLLOUT) == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["--watch"],
        ["--context", "x"],
        ["--env", "moon"],
        ["shop/none"],
        ["--cluster", "--kubeconfig", "/nonexistent"],
    ],
)
def test_wrong_usage(root: Path, arguments: list[str]) -> None:
    assert run(root, *arguments).exit_code == 2
