"""Notifications as the engine of both controllers reads them: every text is made from a real shape of objects."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.pipeline.revert_requests import from_webhook
from tests.tools.programs import notifications_engine

PLATFORM = """\
  notifications:
    prometheus: https://prometheus.example.com
    slack: {token: slack-token}
    email: {host: smtp.example.com, from: "Sluice <sluice@example.com>", username: mail-user, password: mail-password}
    webhooks: {pager: {url: "https://pager.example.com/hook", token: pager-token}}
    revert: {host: HOST, url: "https://api.example.com/start", token: revert-token}
"""
SECRET = {
    name: base64.b64encode(b"filled-in").decode()
    for name in ("slack-token", "mail-user", "mail-password", "pager-token", "revert-token")
}
QUERY = 'sum(rate(requests{pod=~"canary-.*"}[5m])) > 0 & more'
MESSAGE = 'assessed Failed due to failed (1) > failureLimit (0): "quoted"\\ and\nnew line'


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The repository of `sluice init` with notifications, for both hosts of a revert."""
    found = {}
    for host in ("github", "gitlab"):
        root = tmp_path_factory.mktemp(host) / "demo"
        run("init", str(root))
        platform = root / "specs/platform.yaml"
        text = platform.read_text() + PLATFORM.replace("HOST", host)
        notify = "      notify: {slack: [shop-ml, oncall], email: [shop-ml@example.com], webhooks: [pager]}\n"
        owners = "      owners: [shop-ml@example.com]\n"
        platform.write_text(text.replace(owners, owners + notify))
        run("render", "--root", str(root))
        found[host] = root / "rendered"
    return found


def run(*arguments: str) -> str:
    done = CliRunner(env={"SOURCE_DATE_EPOCH": "1795392000"}).invoke(cli, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


def load(tree: Path, path: str) -> Any:
    return yaml.safe_load((tree / path).read_text())


def judge(config: dict[str, str], trigger: str, **variables: Any) -> dict[str, Any]:
    asked = json.dumps({"config": config, "secret": SECRET, "trigger": trigger, "vars": variables})
    done = subprocess.run([notifications_engine()], input=asked, capture_output=True, text=True, timeout=60)
    answer = json.loads(done.stdout)
    assert answer["error"] == "", answer
    return answer


@pytest.fixture
def config(trees: dict[str, Path]) -> dict[str, str]:
    data: dict[str, str] = load(
        trees["github"], "staging/platform/notifications/configmap-notifications.yaml"
    )["data"]
    return data


@pytest.fixture
def rollout(trees: dict[str, Path]) -> Any:
    body = load(trees["github"], "production/shop/recommender/rollout-main.yaml")
    return {
        **body,
        "status": {"message": "RolloutAborted: Rollout aborted update to revision 2", "currentStepIndex": 1},
    }


def analysis(phase: str, name: str = "ctr", message: str = MESSAGE) -> dict[str, Any]:
    measurements = [{"value": "[0]", "phase": "Successful"}, {"value": "[4.21]", "phase": phase}]
    result = {
        "name": name,
        "phase": phase,
        "message": message,
        "measurements": measurements,
        "metadata": {"ResolvedPrometheusQuery": QUERY},
    }
    return {
        "metadata": {"name": "r-2"},
        "status": {"phase": phase, "metricResults": [result, {"name": "quiet", "phase": "Successful"}]},
    }


def test_services_are_known_to_the_engine_and_secrets_stand_only_as_keys(config: dict[str, str]) -> None:
    answer = judge(
        config,
        "on-rollout-completed",
        rollout={
            "metadata": {"labels": {}, "annotations": {}},
            "spec": {"template": {"metadata": {"labels": {}, "annotations": {}}}},
            "status": {},
        },
    )
    assert answer["services"] == ["email", "pager", "revert", "slack"]
    for key, text in config.items():
        if key.startswith("service."):
            assert "$" in text
            assert "filled-in" not in text


def test_an_abort_says_which_guard_value_threshold_query_and_what_to_do(
    config: dict[str, str], rollout: Any
) -> None:
    (sent,) = judge(config, "on-rollout-aborted", rollout=rollout, analysisRuns=[analysis("Failed")])["sent"]
    lines = sent["message"].splitlines()
    version = rollout["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"]
    assert (
        lines[0]
        == f"Rolled back: shop/recommender {version} in production. Live requests are back on the stable version."
    )
    assert lines[1].startswith(
        "Guard ctr: Failed, last value [4.21] (assessed Failed due to failed (1) > failureLimit (0)"
    )
    assert "It stops a release for: ctr: a drop of 10% from the 4% baseline, compared with stable" in lines
    query = next(line for line in lines if line.startswith("Query: "))
    assert parse_qs(urlsplit(query.removeprefix("Query: ")).query)["g0.expr"] == [QUERY]
    assert lines[-1].startswith(
        f"What to do now: git still has {version}. `sluice revert shop/recommender --reason TEXT`"
    )
    assert "quiet" not in sent["message"]
    assert sent["email"]["subject"] == f"Rolled back: shop/recommender {version} in production"


@pytest.mark.parametrize("host", ["github", "gitlab"])
@pytest.mark.parametrize("runs", [None, [], [analysis("Error")], [analysis("Failed"), {"status": {}}]])
def test_the_webhook_of_an_abort_is_what_revert_reads(
    trees: dict[str, Path], rollout: Any, host: str, runs: Any, tmp_path: Path
) -> None:
    data = load(trees[host], "staging/platform/notifications/configmap-notifications.yaml")["data"]
    (sent,) = judge(data, "on-rollout-aborted", rollout=rollout, analysisRuns=runs)["sent"]
    file = tmp_path / "body.json"
    file.write_text(sent["webhook"]["revert"]["body"])
    body = json.loads(file.read_text())
    assert (body.get("event_type") == "sluice-abort") == (host == "github")
    (asked,) = from_webhook(str(file)).requests
    assert not asked.halt
    assert asked.model == "shop/recommender"
    assert asked.digest == rollout["spec"]["template"]["metadata"]["annotations"]["sluice.dev/model-digest"]
    assert asked.reason.startswith(
        "aborted in production: guard ctr" if runs else "aborted in production: RolloutAborted"
    )
    assert sent["webhook"]["revert"]["method"] == "POST"


def test_the_token_of_a_revert_is_where_each_host_wants_it(trees: dict[str, Path]) -> None:
    services = {
        host: load(tree, "staging/platform/notifications/configmap-notifications.yaml")["data"][
            "service.webhook.revert"
        ]
        for host, tree in trees.items()
    }
    assert {"name": "Authorization", "value": "Bearer $revert-token"} in yaml.safe_load(services["github"])[
        "headers"
    ]
    assert yaml.safe_load(services["gitlab"])["url"] == "https://api.example.com/start?token=$revert-token"


@pytest.mark.parametrize(
    "trigger", ["on-rollout-aborted", "on-analysis-run-inconclusive", "on-rollout-completed"]
)
def test_every_webhook_of_a_team_gets_json(config: dict[str, str], rollout: Any, trigger: str) -> None:
    (sent,) = judge(config, trigger, rollout=rollout, analysisRuns=[analysis("Inconclusive")])["sent"]
    body = json.loads(sent["webhook"]["pager"]["body"])
    assert (body["schema"], body["model"], body["environment"]) == (
        "sluice/notice/v1",
        "shop/recommender",
        "production",
    )
    assert sent["message"].count("\n") >= 2


def test_only_a_pause_that_a_person_ends_is_told(config: dict[str, str], rollout: Any) -> None:
    def told(steps: list[Any], index: int | None) -> bool:
        body = json.loads(json.dumps(rollout))
        body["spec"]["strategy"] = {"canary": {"steps": steps}}
        body["status"] = {} if index is None else {"currentStepIndex": index}
        return _triggered(config, body)

    steps = [{"setWeight": 5}, {"pause": {"duration": "1h"}}, {"pause": {}}]
    assert [told(steps, index) for index in (None, 0, 1, 2)] == [False, False, False, True]
    blue = {**rollout, "spec": {**rollout["spec"], "strategy": {"blueGreen": {"activeService": "a"}}}}
    assert _triggered(config, blue)


def _triggered(config: dict[str, str], rollout: Any) -> bool:
    return bool(judge(config, "on-rollout-paused", rollout=rollout)["sent"])


def test_teams_are_subscribed_where_the_controllers_look(trees: dict[str, Path]) -> None:
    tree = trees["github"]
    annotations = load(tree, "production/shop/recommender/rollout-main.yaml")["metadata"]["annotations"]
    prefix = "notifications.argoproj.io/subscribe."
    assert annotations[f"{prefix}on-rollout-aborted.slack"] == "shop-ml;oncall"
    assert annotations[f"{prefix}on-rollout-aborted.email"] == "shop-ml@example.com"
    assert (
        annotations[f"{prefix}on-rollout-aborted.pager"]
        == annotations[f"{prefix}on-rollout-aborted.revert"]
        == ""
    )
    assert f"{prefix}on-rollout-completed.revert" not in annotations
    project = load(tree, "production/argocd/projects/shop/appproject.yaml")["metadata"]["annotations"]
    assert project[f"{prefix}on-sync-failed.slack"] == "shop-ml;oncall"
    other = load(tree, "production/support/ticket-classifier/rollout-main.yaml")["metadata"]["annotations"]
    assert [key for key in other if key.startswith(prefix)] == [f"{prefix}on-rollout-aborted.revert"]


def test_every_subscription_has_its_trigger(trees: dict[str, Path]) -> None:
    tree = trees["github"]
    for objects, path in (
        ("production/shop/recommender/rollout-main.yaml", "platform"),
        ("production/argocd/projects/shop/appproject.yaml", "argocd"),
    ):
        data = load(tree, f"staging/{path}/notifications/configmap-notifications.yaml")["data"]
        for key in load(tree, objects)["metadata"]["annotations"]:
            if key.startswith("notifications.argoproj.io/"):
                trigger, service = key.removeprefix("notifications.argoproj.io/subscribe.").split(".")
                assert f"trigger.{trigger}" in data
                assert f"service.{service}" in data or f"service.webhook.{service}" in data


@pytest.mark.parametrize(
    ("trigger", "status", "notified"),
    [
        ("on-sync-failed", {"operationState": {"phase": "Failed", "message": "one object"}}, True),
        ("on-sync-failed", {"operationState": {"phase": "Succeeded"}}, False),
        ("on-sync-failed", {}, False),
        ("on-health-degraded", {"health": {"status": "Degraded"}}, True),
        ("on-health-degraded", {"health": {"status": "Healthy"}}, False),
    ],
)
def test_argo_cd_tells_of_failed_syncs_and_degraded_models(
    trees: dict[str, Path], trigger: str, status: Any, notified: bool
) -> None:
    data = load(trees["github"], "staging/argocd/notifications/configmap-notifications.yaml")["data"]
    app = {
        "metadata": {"name": "production-shop-recommender"},
        "spec": {"project": "production-shop"},
        "status": status,
    }
    sent = judge(data, trigger, app=app)["sent"]
    assert bool(sent) is notified
    if notified:
        assert sent[0]["message"].startswith("production-shop-recommender (project production-shop): ")
        assert json.loads(sent[0]["webhook"]["pager"]["body"])["schema"] == "sluice/notice/v1"
        assert "revert" not in sent[0]["webhook"]


def test_each_controller_is_configured_once(trees: dict[str, Path]) -> None:
    found = sorted(
        path.relative_to(trees["github"]).as_posix() for path in trees["github"].rglob("*notifications.yaml")
    )
    assert found == [
        "staging/argocd/notifications/configmap-notifications.yaml",
        "staging/platform/notifications/configmap-notifications.yaml",
    ]
    project = load(trees["github"], "staging/argocd/platform/appproject.yaml")["spec"]
    assert "argo-rollouts" in [item["namespace"] for item in project["destinations"]]
    assert {"group": "", "kind": "ConfigMap"} in project["namespaceResourceWhitelist"]


def test_without_notifications_nothing_is_rendered(tmp_path: Path) -> None:
    run("init", str(tmp_path / "demo"))
    run("render", "--root", str(tmp_path / "demo"))
    assert not list((tmp_path / "demo").rglob("*notifications*"))
    rollout = (tmp_path / "demo/rendered/production/shop/recommender/rollout-main.yaml").read_text()
    assert "notifications.argoproj.io" not in rollout
