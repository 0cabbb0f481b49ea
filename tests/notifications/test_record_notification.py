"""The notification of a release that ended, through the engine of the controllers: its record is the cluster's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from tests.notifications.test_notifications import judge, load, run
from tests.unit.cluster.ended_standin import Ended
from tests.unit.cluster.status_standin import ARGO, kubeconfig, serving

PLATFORM = """\
  notifications:
    record: {host: HOST, url: "https://api.example.com/start", token: record-token}
"""
OWN = "specs/shop/recommender.staging.record.json"


@pytest.fixture(scope="module", params=["github", "gitlab"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp(request.param) / "demo"
    run("init", str(root))
    platform = root / "specs/platform.yaml"
    platform.write_text(platform.read_text() + PLATFORM.replace("HOST", request.param))
    run("render", "--root", str(root))
    return root


def sent(root: Path, trigger: str, ended: Ended) -> dict[str, Any]:
    config = load(root / "rendered", "staging/platform/notifications/configmap-notifications.yaml")["data"]
    (found,) = judge(config, trigger, rollout=ended.rollout_at_event, analysisRuns=ended.runs_at_event)[
        "sent"
    ]
    body: dict[str, Any] = json.loads(found["webhook"]["record"]["body"])
    return body


def record(root: Path, *arguments: str) -> dict[str, Any]:
    (root / OWN).unlink(missing_ok=True)
    done = CliRunner().invoke(cli, ["record", *arguments, "--root", str(root)])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads((root / OWN).read_text())
    return found


@pytest.mark.parametrize(
    ("trigger", "changes"),
    [
        ("on-rollout-completed", {}),
        ("on-rollout-completed", {"full": 4}),
        ("on-rollout-completed", {"revision": "1"}),
        ("on-rollout-aborted", {"abort_at": 5}),
    ],
)
def test_the_record_of_a_notification_is_that_of_the_cluster(
    root: Path, trigger: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    rendered = yaml.safe_load((root / "rendered/staging/shop/recommender/rollout-main.yaml").read_text())
    ended = Ended(rendered, **changes)
    body = sent(root, trigger, ended)
    inner = body.get("client_payload", body)
    assert inner["schema"] == "sluice/ended/v1"
    assert "ResolvedPrometheusQuery" not in json.dumps(body)
    assert "last-applied" not in json.dumps(body)
    assert len(json.dumps(body)) < 30_000  # GitHub takes 65,535 characters
    inner["at"] = ended.end  # the engine's clock
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body))
    told = record(root, "--from-notification", str(file))
    namespace = told["rollout"]["namespace"]
    table = {
        f"{ARGO}/namespaces/{namespace}/rollouts/recommender": ended.rollout,
        f"{ARGO}/namespaces/{namespace}/analysisruns": ended.runs,
    }
    with serving(table) as address:
        config = str(kubeconfig(tmp_path, main=address))
        read = record(root, "shop/recommender", "--env", "staging", "--cluster", "--kubeconfig", config)
    assert told == read


def test_the_team_need_not_subscribe(root: Path) -> None:
    rollout = load(root / "rendered", "staging/shop/recommender/rollout-main.yaml")
    prefix = "notifications.argoproj.io/subscribe."
    found = {key.removeprefix(prefix) for key in rollout["metadata"]["annotations"] if key.startswith(prefix)}
    assert found == {"on-rollout-aborted.record", "on-rollout-completed.record"}
    shutil.rmtree(root / "rendered")
    run("render", "--root", str(root))
