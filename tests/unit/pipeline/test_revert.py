"""The way back after an abort, in real repositories."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import yaml

from generator.pipeline.revert_requests import shortened
from tests.unit.history.story import LOCK, NAME, Story, digest

BRANCH = "sluice/revert-shop-ranker-00000000"
PAYLOAD = {
    "schema": "sluice/abort/v1", "model": NAME, "environment": "production", "digest": digest(2),
    "reason": 'Metric "errors" assessed Failed due to failed (1) > failureLimit (0)',
}  # fmt: skip


def reverted(story: Story, *arguments: str) -> str:
    return story.told("revert", NAME, "--reason", "it answered 500", *arguments)


def show(story: Story, path: str) -> str:
    return story.git("show", f"{BRANCH}:{path}") + "\n"


def test_a_branch_that_is_ready_to_merge(two: Story, clone: Callable[..., Story]) -> None:
    told = reverted(two)
    assert f"{NAME} goes back from 2 to 1" in told
    assert show(two, "specs/shop/ranker.lock.yaml") == LOCK.format(version=1, digest=digest(1))
    spec = show(two, "specs/shop/ranker.yaml")
    assert "mlflow:ranker/1" in spec
    assert spec.count("# ") == 2
    two.git("checkout", "--quiet", BRANCH)
    assert two.run("render", "--check").exit_code == 0
    assert two.run("validate").exit_code == 0
    entry = yaml.safe_load((two.root / "specs/platform.yaml").read_text())["spec"]["quarantine"]
    assert [(item["model"], item["digest"], item["reason"]) for item in entry] == [
        (NAME, digest(2), "it answered 500")
    ]


def test_the_work_tree_and_its_edits_are_left_alone(two: Story) -> None:
    spec = two.root / "specs/shop/ranker.yaml"
    spec.write_text(spec.read_text() + "# being edited\n")
    reverted(two)
    assert two.git("status", "--porcelain") == "M specs/shop/ranker.yaml"
    assert two.git("rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert len(two.git("worktree", "list").splitlines()) == 1


def test_what_the_controller_will_make_of_the_pods_is_told(two: Story) -> None:
    assert "pods in production are the same as then" in reverted(two)
    two.git("branch", "--quiet", "-D", BRANCH)
    spec = two.root / "specs/shop/ranker.yaml"
    spec.write_text(spec.read_text().replace("service: {", "service: {threads: 3, "))
    assert two.run("render").exit_code == 0
    two.commit("Threads", "2026-11-05T10:00:00+00:00")
    assert "pods in production differ from then" in reverted(two)
    assert "threads: 3" in show(two, "specs/shop/ranker.yaml")
    two.git("branch", "--quiet", "-D", BRANCH)
    assert "pods in production are the same as then" in reverted(two, "--with-spec")
    assert "threads: 3" not in show(two, "specs/shop/ranker.yaml")


def test_comments_of_the_platform_stay(two: Story) -> None:
    before = two.git("show", "HEAD:specs/platform.yaml")
    reverted(two)
    after = show(two, "specs/platform.yaml")
    assert after.replace(before + "\n", "").startswith("  quarantine:\n    - {model: shop/ranker, ")


def test_a_second_abort_goes_further_back_and_never_to_what_is_in_quarantine(two: Story) -> None:
    two.release(3, "2026-11-05T10:00:00+00:00")
    two.told("revert", NAME, "--reason", "worse", "--quiet")
    branch = two.git("branch", "--list", "sluice/*", "--format", "%(refname:short)")
    two.git("merge", "--quiet", branch)
    two.git("branch", "--quiet", "-D", branch)
    assert "goes back from 2 to 1" in reverted(two)
    items = yaml.safe_load(show(two, "specs/platform.yaml"))["spec"]["quarantine"]
    assert [item["digest"] for item in items] == [digest(3), digest(2)]


def test_the_first_version_has_no_way_back(story: Story) -> None:
    story.release(1, "2026-11-01T10:00:00+00:00")
    done = story.run("revert", NAME, "--reason", "bad")
    assert (done.exit_code, "git has no version of shop/ranker before 1" in done.stderr) == (2, True)


def test_a_shallow_clone_says_what_it_lacks(two: Story, clone: Callable[..., Story]) -> None:
    done = clone(two, "--depth=1").run("revert", NAME, "--reason", "bad")
    assert (done.exit_code, "git fetch --unshallow" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "wrap",
    [dict, lambda p: {"client_payload": p}, lambda p: {"event": 1, "client_payload": {"client_payload": p}}],
)
@pytest.mark.parametrize("stdin", [True, False])
def test_the_webhook_of_an_abort(two: Story, tmp_path, wrap, stdin: bool) -> None:
    text = json.dumps(wrap(PAYLOAD))
    (tmp_path / "event.json").write_text(text)
    done = two.run(
        "revert", "--quiet", "--from-webhook", "-" if stdin else tmp_path / "event.json", given=text
    )
    assert (done.exit_code, done.stdout) == (0, f"{BRANCH}\n"), done.output
    (item,) = yaml.safe_load(show(two, "specs/platform.yaml"))["spec"]["quarantine"]
    assert (
        item["reason"]
        == 'aborted in production: Metric "errors" assessed Failed due to failed (1) > failureLimit (0)'
    )


def test_a_late_webhook_about_another_version_changes_nothing(two: Story) -> None:
    text = json.dumps({**PAYLOAD, "digest": digest(1)})
    done = two.run("revert", "--quiet", "--from-webhook", "-", given=text)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "nothing to revert" in done.stderr
    assert two.git("branch", "--list", "sluice/*") == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": "other"}',
        json.dumps({**PAYLOAD, "model": "../../etc"}),
        json.dumps({**PAYLOAD, "digest": "x"}),
        "[" * 100_000,
        "\udc80",
    ],
)
def test_what_is_no_notification_is_refused(two: Story, text: str) -> None:
    done = two.run("revert", "--from-webhook", "-", given=text.encode("utf-8", "surrogateescape"))
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert two.git("branch", "--list", "sluice/*") == ""


def test_a_hostile_reason_stays_one_quoted_line(two: Story) -> None:
    reason = 'a"}\n- evil: true\n#\t\x1b[31m' + "x" * 1000
    two.told("revert", NAME, "--reason", reason)
    (item,) = yaml.safe_load(show(two, "specs/platform.yaml"))["spec"]["quarantine"]
    assert item["reason"] == shortened(reason)
    assert len(item["reason"]) <= 300


def test_a_branch_that_is_there_is_not_overwritten(two: Story) -> None:
    reverted(two)
    done = two.run("revert", NAME, "--reason", "again")
    assert (done.exit_code, "already exists" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [NAME],
        ["--reason", "x"],
        [NAME, "--reason", " "],
        ["shop/none", "--reason", "x"],
        [NAME, "--from-webhook", "-"],
        ["--from-webhook", "/nonexistent"],
    ],
)
def test_wrong_usage(two: Story, arguments: list[str]) -> None:
    assert two.run("revert", *arguments, given="").exit_code == 2


def test_what_is_restored_must_pass_the_rules_of_today(two: Story) -> None:
    platform = two.root / "specs/platform.yaml"
    item = f'{{model: {NAME}, digest: "{digest(1)}", reason: "older trouble", since: 2026-11-02}}'
    released = item[:-1] + ', released: {by: model-risk, reason: "was fine", at: 2026-11-02}}'
    platform.write_text(platform.read_text() + f"  quarantine: [{item}]\n")
    two.commit("Quarantine", "2026-11-04T10:00:00+00:00")
    done = two.run("revert", NAME, "--reason", "bad")
    assert (done.exit_code, "git has no version" in done.stderr) == (2, True)
    platform.write_text(platform.read_text().replace(item, released))
    two.commit("Released", "2026-11-05T10:00:00+00:00")
    assert "goes back from 2 to 1" in reverted(two)
    assert len(yaml.safe_load(show(two, "specs/platform.yaml"))["spec"]["quarantine"]) == 2


def test_other_models_that_break_rules_do_not_hold_it_up(two: Story) -> None:
    two.write(9, "other")
    (two.root / "specs/shop/other.yaml").write_text("nonsense: [")
    two.commit("Broken", "2026-11-05T10:00:00+00:00")
    done = two.run("revert", NAME, "--reason", "bad")
    assert done.exit_code == 0, done.output
    assert "other models break rules" in done.stderr


def test_a_version_in_quarantine_is_refused_everywhere(two: Story) -> None:
    reverted(two)
    two.git("merge", "--quiet", BRANCH)
    done = two.run("pin", NAME, "--version", "2")
    assert (done.exit_code, "is in quarantine since" in done.stderr) == (2, True)
    assert two.run("pin", NAME, "--version", "3").exit_code == 0
    two.write(2)
    for command in ("render", "validate"):
        refused = two.run(command)
        assert refused.exit_code == 1
        assert "in quarantine" in refused.output
