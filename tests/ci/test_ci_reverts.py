"""What both hosts do after the notification of an abort or a failed watch; see `runner.py` for its stand-ins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.ci.demo import Demo, git
from tests.ci.jobs import MODEL, REVERT, good, pushes, runner


def aborted(demo: Demo, scratch: Path) -> Path:
    """Two merged versions of a model, and the notification that the second was aborted."""
    lock, spec = demo.root / f"specs/{MODEL}.lock.yaml", demo.root / f"specs/{MODEL}.yaml"
    demo.git("checkout", "--quiet", "main")
    old = yaml.safe_load(lock.read_text())["model"]["digest"]
    bad = "sha256:" + "b" * 64
    lock.write_text(lock.read_text().replace(old, bad))
    demo.sluice("render")
    demo.commit("A new version")
    assert spec.exists()
    payload = {
        "schema": "sluice/abort/v1",
        "model": MODEL,
        "environment": "production",
        "digest": bad,
        "reason": "500s",
    }
    event = scratch / "event.json"
    event.write_text(json.dumps({"action": "sluice-abort", "client_payload": payload}))
    return event


def way_back(demo: Demo, calls: list[str]) -> None:
    branch = "sluice/revert-support-ticket-classifier-bbbbbbbb"
    assert "digest: sha256:bbb" not in git(demo.remote, "show", f"{branch}:specs/{MODEL}.lock.yaml")
    platform = yaml.safe_load(git(demo.remote, "show", f"{branch}:specs/platform.yaml"))
    (entry,) = platform["spec"]["quarantine"]
    assert (entry["model"], entry["reason"]) == (MODEL, "aborted in production: 500s")
    assert (
        [call for call in calls if call.startswith("gh pr create")]
        or not calls
        or calls[0].startswith("apt-get")
    )


DISPATCHED = {
    "secrets.SLUICE_TOKEN || github.token": "x", "inputs.model": "", "inputs.reason": "", "inputs.halt": "",
}  # fmt: skip


@pytest.mark.parametrize("event", ["repository_dispatch", "workflow_dispatch"])
def test_an_abort_becomes_a_pull_request(demo: Demo, scratch: Path, event: str) -> None:
    file = aborted(demo, scratch)
    given = {**DISPATCHED}
    if event == "workflow_dispatch":
        given |= {"inputs.model": MODEL, "inputs.reason": "aborted in production: 500s"}
    found = runner(demo, scratch, given, GITHUB_EVENT_NAME=event, GITHUB_EVENT_PATH=str(file))
    good(found.job(REVERT, "revert"))
    way_back(demo, found.calls)
    assert "is in quarantine now: `aborted in production: 500s`" in (scratch / "pull.md").read_text()


def test_an_abort_becomes_a_merge_request(demo: Demo, scratch: Path) -> None:
    file = aborted(demo, scratch)
    found = runner(demo, scratch, TRIGGER_PAYLOAD=str(file), CI_DEFAULT_BRANCH="main", **pushes(demo))
    git(demo.remote, "config", "receive.advertisePushOptions", "true")
    good(found.gitlab("revert"))
    way_back(demo, found.calls)


def watched(demo: Demo, scratch: Path, event: str) -> tuple[Path, str]:
    """The notification of Alertmanager that the watch of the running version failed, and the branch it makes."""
    demo.git("checkout", "--quiet", "main")
    digest = yaml.safe_load((demo.root / f"specs/{MODEL}.lock.yaml").read_text())["model"]["digest"]
    team, model = MODEL.split("/")
    labels = {"alertname": "ModelWatchFailed", "environment": "staging", "model": model, "team": team}
    notes = {"digest": digest, "gates": "drift"}
    body = {
        "version": "4",
        "status": "firing",
        "alerts": [{"status": "firing", "labels": labels, "annotations": notes}],
    }
    file = scratch / "event.json"
    # Alertmanager's own form, or its `payload` of docs/watching.md as GitHub hands it on.
    handed = {"action": "sluice-watch", "client_payload": {"alerts": body["alerts"]}}
    file.write_text(json.dumps(handed if event else body))
    return file, f"sluice/quarantine-{team}-{model}-{digest.removeprefix('sha256:')[:8]}"


def halts(demo: Demo, branch: str, reason: str) -> None:
    """What was pushed: nothing but the quarantine, ready to merge; the version stays where it is."""
    platform = yaml.safe_load(git(demo.remote, "show", f"{branch}:specs/platform.yaml"))
    (entry,) = platform["spec"]["quarantine"]
    assert (entry["model"], entry["reason"], entry["running"]) == (MODEL, reason, ["staging", "production"])
    assert git(demo.remote, "diff", "--name-only", "main", branch, "--", "specs") == "specs/platform.yaml"
    demo.git("fetch", "--quiet", "origin", branch)
    demo.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    demo.sluice("render", "--check")
    assert "it stays where it runs" in demo.sluice("validate")


@pytest.mark.parametrize("event", ["repository_dispatch", "workflow_dispatch"])
def test_a_failed_watch_becomes_a_pull_request_that_merges_itself(
    demo: Demo, scratch: Path, event: str
) -> None:
    file, branch = watched(demo, scratch, event)
    reason, given = "the daily watch in staging: on fresh data it no longer passes drift", {**DISPATCHED}
    if event == "workflow_dispatch":
        given |= {"inputs.model": MODEL, "inputs.reason": reason, "inputs.halt": "true"}
    found = runner(demo, scratch, given, GITHUB_EVENT_NAME=event, GITHUB_EVENT_PATH=str(file))
    good(found.job(REVERT, "revert"))
    assert found.calls[-1] == f"gh pr merge {branch} --auto --merge"
    assert "is in quarantine now" in (scratch / "pull.md").read_text()
    halts(demo, branch, reason)


def test_a_failed_watch_becomes_a_merge_request_that_merges_itself(demo: Demo, scratch: Path) -> None:
    file, branch = watched(demo, scratch, "")
    found = runner(demo, scratch, TRIGGER_PAYLOAD=str(file), CI_DEFAULT_BRANCH="main", **pushes(demo))
    git(demo.remote, "config", "receive.advertisePushOptions", "true")
    hook = demo.remote / "hooks" / "pre-receive"
    hook.write_text(f'#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION > "{scratch}/options"\n')
    hook.chmod(0o755)
    good(found.gitlab("revert"))
    halts(demo, branch, "the daily watch in staging: on fresh data it no longer passes drift")
    assert "merge_request.auto_merge" in (scratch / "options").read_text()


def test_what_is_not_halted_asks_for_nothing(demo: Demo, scratch: Path) -> None:
    file, branch = watched(demo, scratch, "")
    file.write_text(file.read_text().replace('"firing"', '"resolved"'))
    found = runner(
        demo, scratch, {**DISPATCHED}, GITHUB_EVENT_NAME="repository_dispatch", GITHUB_EVENT_PATH=str(file)
    )
    good(found.job(REVERT, "revert"))
    assert [call for call in found.calls if "pr " in call] == []
    assert branch not in git(demo.remote, "branch", "--list")


def test_the_first_failed_push_stops_no_other(demo: Demo, scratch: Path) -> None:
    """Two versions are halted by one notification, and the remote refuses the branch of the first."""
    file, branch = watched(demo, scratch, "")
    body = json.loads(file.read_text())
    other = yaml.safe_load((demo.root / "specs/shop/recommender.lock.yaml").read_text())["model"]["digest"]
    (first,) = body["alerts"]
    second = {
        "status": "firing",
        "labels": {**first["labels"], "team": "shop", "model": "recommender"},
        "annotations": {**first["annotations"], "digest": other},
    }
    file.write_text(json.dumps({**body, "alerts": [first, second]}))
    hook = demo.remote / "hooks" / "update"
    hook.write_text(f'#!/bin/sh\n[ "$1" != "refs/heads/{branch}" ]\n')
    hook.chmod(0o755)
    found = runner(
        demo, scratch, {**DISPATCHED}, GITHUB_EVENT_NAME="repository_dispatch", GITHUB_EVENT_PATH=str(file)
    )
    ran = found.job(REVERT, "revert")
    assert ran[-1].code == 1
    assert f"{branch} was not proposed" in ran[-1].output
    assert "sluice/quarantine-shop-recommender-" in git(demo.remote, "branch", "--list", "sluice/*")


def test_no_waiting_revert_is_dropped(demo: Demo) -> None:
    """GitHub cancels a waiting run when another of its group comes: a group holds the same request only."""
    group = yaml.safe_load((demo.root / REVERT).read_text())["concurrency"]["group"]
    for part in ("action", "client_payload.model", "client_payload.digest", "client_payload.environment"):
        assert f"github.event.{part}" in group
    assert group.endswith("|| github.run_id }}")
    pipeline = yaml.safe_load((demo.root / ".gitlab-ci.yml").read_text())
    assert pipeline["revert"]["resource_group"] == "sluice-revert"
    assert pipeline["revert"]["interruptible"] is False
    assert pipeline["workflow"]["auto_cancel"] == {"on_new_commit": "interruptible"}
