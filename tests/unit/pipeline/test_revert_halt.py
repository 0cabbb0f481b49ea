"""A failed watch halts a version through git: it stays where it runs, and is blocked elsewhere."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from generator.cli import revert
from generator.history.releases import History
from tests.unit.history.story import NAME, Story, digest

BRANCH = "sluice/quarantine-shop-ranker-00000000"
REASON = "the daily watch in staging: on fresh data it no longer passes drift and parity"


def alert(**changes: Any) -> dict[str, Any]:
    labels = {"alertname": "ModelWatchFailed", "environment": "staging", "model": "ranker", "team": "shop"}
    notes = {"digest": digest(2), "gates": "drift and parity", "summary": "shop/ranker in staging: …"}
    body = {"status": "firing", "labels": labels, "annotations": notes, "startsAt": "2026-11-05T04:40:00Z"}
    return {**body, **{key: {**body[key], **value} if isinstance(value, dict) else value for key, value in changes.items()}}  # fmt: skip


def payload(*alerts: object, **changes: Any) -> str:
    body = {"version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing", "receiver": "sluice"}
    return json.dumps({**body, "alerts": list(alerts), **changes})


def halted(story: Story, text: str) -> str:
    done = story.run("revert", "--quiet", "--from-webhook", "-", given=text)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def entries(story: Story, branch: str = BRANCH) -> list[dict[str, Any]]:
    found = yaml.safe_load(story.git("show", f"{branch}:specs/platform.yaml"))["spec"].get("quarantine", [])
    return list(found)


def merge(story: Story, branch: str) -> None:
    story.git("merge", "--quiet", branch)
    story.git("branch", "--quiet", "-D", branch)


def only_in_staging(story: Story) -> None:
    """Version 3 has been rendered for staging, and production waits."""
    story.write(3)
    assert story.run("render", "--env", "staging").exit_code == 0
    story.commit("Release 3 to staging", "2026-11-05T10:00:00+00:00")


def test_a_failed_watch_becomes_a_branch_that_is_ready_to_merge(two: Story) -> None:
    assert halted(two, payload(alert())) == BRANCH
    (entry,) = entries(two)
    assert entry == {
        "model": NAME, "digest": digest(2), "reason": REASON, "since": entry["since"],
        "running": ["staging", "production"],
    }  # fmt: skip
    changed = two.git("diff", "--name-only", "main", BRANCH).splitlines()
    assert "specs/platform.yaml" in changed
    assert all(path == "specs/platform.yaml" or path.endswith("/.sluice") for path in changed)
    assert REASON in two.git("log", "-1", "--format=%b", BRANCH)
    merge(two, BRANCH)
    assert two.run("render", "--check").exit_code == 0
    told = two.run("validate")
    assert told.exit_code == 0
    assert "it stays where it runs until another version replaces it" in told.stdout


def test_what_staging_found_never_reaches_production(two: Story) -> None:
    only_in_staging(two)
    branch = halted(two, payload(alert(annotations={"digest": digest(3)})))
    assert [entry["running"] for entry in entries(two, branch)] == [["staging"]]
    production = f"HEAD:rendered/production/{NAME}"
    before = two.git("rev-parse", production)
    merge(two, branch)
    assert two.git("rev-parse", production) == before
    assert two.run("render", "--check", "--env", "staging").exit_code == 0
    for arguments in (("render", "--env", "production"), ("render",), ("validate",)):
        refused = two.run(*arguments)
        assert refused.exit_code == 1, arguments
        assert REASON in refused.output
    assert two.git("status", "--porcelain") == ""
    done = two.run("pin", NAME, "--version", "3")
    assert (done.exit_code, "is in quarantine since" in done.stderr) == (2, True)


def test_the_same_bytes_under_another_name_are_refused(two: Story) -> None:
    halted(two, payload(alert()))
    merge(two, BRANCH)
    two.write(2, "other")
    refused = two.run("validate", "shop/other")
    assert refused.exit_code == 1
    assert f"as {NAME}" in refused.output


def test_it_does_not_come_back_once_another_version_took_over(two: Story) -> None:
    halted(two, payload(alert()))
    merge(two, BRANCH)
    two.write(3)
    assert two.run("render").exit_code == 0
    two.commit("Release 3", "2026-11-06T10:00:00+00:00")
    told = two.run("validate")
    assert told.exit_code == 0
    assert "runs another version now, but this one may still run in staging, production" in told.stdout
    done = two.run("pin", NAME, "--version", "2")
    assert (done.exit_code, "is in quarantine since" in done.stderr) == (2, True)


def test_a_revert_after_a_halt_refuses_it_everywhere(two: Story) -> None:
    halted(two, payload(alert()))
    merge(two, BRANCH)
    branch = two.told("revert", NAME, "--reason", "it was unfair", "--quiet").strip()
    merge(two, branch)
    assert two.run("validate").exit_code == 0
    two.write(2)
    assert two.run("validate").exit_code == 1


def test_by_hand(two: Story) -> None:
    told = two.told("revert", NAME, "--quarantine-only", "--reason", "a person saw it")
    assert "version 2 of shop/ranker is blocked from other environments" in told
    assert "it stays in staging and production: `sluice revert shop/ranker` reverts it there" in told
    assert [entry["reason"] for entry in entries(two)] == ["a person saw it"]
    assert two.git("rev-parse", "--abbrev-ref", "HEAD") == "main"


def test_alertmanager_says_it_again_every_few_hours(two: Story) -> None:
    halted(two, payload(alert()))
    merge(two, BRANCH)
    done = two.run("revert", "--quiet", "--from-webhook", "-", given=payload(alert()))
    assert (done.exit_code, done.stdout) == (0, "")
    assert "is already in quarantine" in done.stderr


def test_one_version_that_fails_in_two_environments_is_one_halt(two: Story) -> None:
    both = payload(alert(), alert(labels={"environment": "production"}))
    assert halted(two, both) == BRANCH
    assert entries(two)[0]["reason"].startswith("the daily watch in production and staging: ")


def test_several_models_each_have_a_branch_and_one_that_fails_hides_no_other(two: Story) -> None:
    two.write(5, "other")
    assert two.run("render").exit_code == 0
    two.commit("Another model", "2026-11-05T10:00:00+00:00")
    other = alert(labels={"model": "other"}, annotations={"digest": digest(5)})
    done = two.run("revert", "--quiet", "--from-webhook", "-", given=payload(alert(labels={"model": "gone"}), other, alert()))  # fmt: skip
    assert done.exit_code == 1
    assert sorted(done.stdout.split()) == ["sluice/quarantine-shop-other-00000000", BRANCH]
    assert "gone" in done.stderr


@pytest.mark.parametrize(
    "alerts",
    [
        [],
        [alert(status="resolved")],
        [alert(labels={"alertname": "ModelUnfair"})],
        [None, 7, {"labels": [], "status": []}],
        [alert(annotations={"digest": digest(1)})],
    ],
    ids=["none", "resolved", "another alert", "nonsense", "an older version"],
)
def test_nothing_is_halted_for_what_is_no_failed_watch_of_this_version(
    two: Story, alerts: list[object]
) -> None:
    assert halted(two, payload(*alerts)) == ""
    assert two.git("branch", "--list", "sluice/*") == ""


@pytest.mark.parametrize(
    "changes",
    [{"labels": {"team": "../.."}}, {"annotations": {"digest": ""}}, {"annotations": {"digest": "sha256:1"}}],
)
def test_a_watch_of_nothing_that_can_be_named_is_refused(two: Story, changes: dict[str, Any]) -> None:
    done = two.run("revert", "--from-webhook", "-", given=payload(alert(**changes)))
    assert done.exit_code == 1
    assert re.search("alert 1 .* has no (model|digest)", done.stderr)
    assert two.git("branch", "--list", "sluice/*") == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--quarantine-only"],
        [NAME, "--quarantine-only"],
        [NAME, "--quarantine-only", "--with-spec", "--reason", "x"],
        ["--quarantine-only", "--from-webhook", "-"],
    ],
)
def test_wrong_usage(two: Story, arguments: list[str]) -> None:
    assert two.run("revert", *arguments, given=payload(alert())).exit_code == 2


def test_a_lock_that_nothing_is_rendered_from_runs_nowhere(two: Story) -> None:
    two.release(3, "2026-11-05T10:00:00+00:00")
    done = two.run("revert", NAME, "--quarantine-only", "--reason", "bad")
    assert (done.exit_code, "no environment is rendered" in done.stderr) == (2, True)


def test_one_bad_alert_keeps_no_good_one_from_being_halted(two: Story) -> None:
    bad = [None, 7, alert(annotations={"digest": ""}), alert(labels={"model": "../x"}), {"status": "firing"}]
    done = two.run("revert", "--quiet", "--from-webhook", "-", given=payload(*bad, alert()))
    assert done.exit_code == 1
    assert done.stdout.split() == [BRANCH]
    assert "alert 3 (`shop/ranker`) has no digest" in done.stderr
    assert "alert 4 (`shop/../x`) has no model" in done.stderr
    assert len(entries(two)) == 1


def test_a_model_that_is_not_there_stops_no_other(two: Story) -> None:
    done = two.run(
        "revert", "--quiet", "--from-webhook", "-", given=payload(alert(labels={"model": "gone"}), alert())
    )
    assert done.exit_code == 1
    assert done.stdout.split() == [BRANCH]
    assert "Error: shop/gone: " in done.stderr


def test_alerts_about_other_versions_cost_no_history(two: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 alerts are read, and only the one about the current version reads the history of the model."""
    read = []
    original = History.of
    monkeypatch.setattr(History, "of", lambda *arguments: read.append(1) or original(*arguments))
    others = [alert(annotations={"digest": f"sha256:{number:064x}"}) for number in range(10, 2009)]
    assert halted(two, payload(*others, alert())) == BRANCH
    assert len(read) == 1


def test_a_notification_makes_a_limited_number_of_branches(
    two: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revert, "_MOST_BRANCHES", 0)
    done = two.run("revert", "--quiet", "--from-webhook", "-", given=payload(alert()))
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "shop/ranker: a notification makes at most 0 branches; send it again" in done.stderr


def released_on(story: Story, day: str) -> None:
    """The version is in quarantine, and was released from it on a day."""
    merge(story, halted(story, payload(alert())))
    platform = story.root / "specs/platform.yaml"
    document = yaml.safe_load(platform.read_text())
    (entry,) = document["spec"]["quarantine"]
    del entry["running"]
    entry["released"] = {"by": "model-risk", "reason": "the data was late, not wrong", "at": day}
    platform.write_text(yaml.safe_dump(document, sort_keys=False))
    assert story.run("render").exit_code == 0
    story.commit("Release from quarantine", "2026-11-06T10:00:00+00:00")


def test_a_replay_after_the_release_from_quarantine_makes_no_new_one(two: Story) -> None:
    released_on(two, "2026-11-06")
    assert halted(two, payload(alert())) == ""
    abort = {
        "schema": "sluice/abort/v1",
        "model": NAME,
        "digest": digest(2),
        "reason": "500s",
        "environment": "x",
    }
    for at in ({}, {"at": "2026-11-05T04:40:00Z"}):
        assert halted(two, json.dumps({**abort, **at})) == ""


def test_a_later_failure_after_the_release_from_quarantine_is_a_new_one(two: Story) -> None:
    released_on(two, "2026-11-06")
    assert halted(two, payload(alert(startsAt="2026-11-07T04:40:00Z"))) == BRANCH
    assert len(entries(two)) == 2


def test_a_person_decides_anew(two: Story) -> None:
    released_on(two, "2026-11-06")
    done = two.run("revert", NAME, "--quiet", "--quarantine-only", "--reason", "it was wrong after all")
    assert done.stdout.strip() == BRANCH
