"""The way back of one environment: its lock and its release, in files of the team."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.unit.cli.test_cli_codeowners import owner
from tests.unit.history.story import NAME, Story, digest

LOCK, QUARANTINE = "specs/shop/ranker.production.lock.yaml", "specs/shop/ranker.quarantine.yaml"


@pytest.fixture(scope="session")
def promoted_twice(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions that went to production one after the other; staging has a third."""
    found = Story(tmp_path_factory.mktemp("promoted") / "repository")
    shutil.copytree(released, found.root)
    platform = found.root / "specs/platform.yaml"
    platform.write_text(
        re.sub(r"(  +production:\n)", r"\1      requires: [staging]\n", platform.read_text(), count=1)
    )
    shutil.rmtree(found.root / "rendered/production/shop/ranker")
    for version in (1, 2):
        found.write(version)
        found.told("promote", NAME, "--to", "production", "--hotfix", "--reason", "a test")
        done = found.run("render")
        assert done.exit_code == 0, done.output
        found.commit(f"Promote {version}", f"2026-11-0{version + 4}T10:00:00+00:00")
    found.write(3)
    found.run("render")
    found.commit("Version 3 in staging", "2026-11-08T10:00:00+00:00")
    return found.root


@pytest.fixture
def gated(promoted_twice: Path, tmp_path: Path) -> Story:
    shutil.copytree(promoted_twice, tmp_path / "repository")
    return Story(tmp_path / "repository")


def test_only_that_environment_goes_back(gated: Story) -> None:
    told = gated.told("revert", NAME, "--env", "production", "--reason", "it answered 500")
    assert f"{NAME} goes back from 2 to 1 in production" in told
    (branch,) = gated.git("branch", "--list", "sluice/*", "--format", "%(refname:short)").splitlines()
    changed = gated.git("diff", "--name-only", "main", branch).splitlines()
    assert {LOCK, QUARANTINE} <= set(changed)
    assert all(path.startswith(("specs/shop/", "rendered/production/shop/ranker/")) for path in changed), (
        changed
    )
    gated.git("checkout", "--quiet", branch)
    assert gated.run("render", "--check").exit_code == 0
    assert gated.run("validate").exit_code == 0
    (item,) = yaml.safe_load((gated.root / QUARANTINE).read_text())["releases"]
    assert (item["version"], item["environment"], item["reason"]) == ("2", "production", "it answered 500")
    rollout = yaml.safe_load((gated.root / "rendered/production/shop/ranker/rollout-main.yaml").read_text())
    assert rollout["spec"]["template"]["metadata"]["annotations"]["sluice.dev/model-digest"] == digest(1)


def test_another_release_of_the_same_version_is_named_by_its_key(gated: Story) -> None:
    gated.told("promote", NAME, "--to", "production", "--hotfix", "--reason", "a test")
    gated.run("render")
    gated.commit("Promote 3", "2026-11-09T10:00:00+00:00")
    spec = gated.root / "specs/shop/ranker.yaml"
    spec.write_text(spec.read_text().replace("{inputs: ", "{env: [{name: COLOUR, value: red}], inputs: "))
    gated.told("promote", NAME, "--to", "production", "--hotfix", "--reason", "a test")
    now = yaml.safe_load((gated.root / LOCK).read_text())["key"][:19]
    then = yaml.safe_load(gated.git("show", f"HEAD:{LOCK}"))["key"][:19]
    gated.run("render")
    gated.commit("Promote 3 in red", "2026-11-10T10:00:00+00:00")
    told = gated.told("revert", NAME, "--env", "production", "--reason", "it answered 500")
    assert f"{NAME} goes back from 3 ({now}) to 3 ({then}) in production" in told
    assert now != then


def branch_of(gated: Story, reason: str = "it answered 500") -> str:
    return gated.told("revert", NAME, "--env", "production", "--reason", reason, "--quiet").strip()


def test_the_team_on_call_merges_it_alone(gated: Story) -> None:
    """CODEOWNERS gives every file of the branch to the team, whatever the platform team owns."""
    gated.told("codeowners")
    owners = (gated.root / "CODEOWNERS").read_text()
    changed = gated.git("diff", "--name-only", "main", branch_of(gated)).splitlines()
    assert {owner(owners, path) for path in changed} == {owner(owners, "specs/shop/ranker.yaml")}
    assert owner(owners, "specs/platform.yaml") != owner(owners, "specs/shop/ranker.yaml")


def test_another_models_error_does_not_hold_it_up(gated: Story) -> None:
    gated.write(9, "other")
    platform = gated.root / "specs/platform.yaml"
    entry = f'{{model: shop/other, digest: "{digest(9)}", reason: bad, since: 2026-11-20}}'
    platform.write_text(f"{platform.read_text()}  quarantine:\n    - {entry}\n")
    gated.run("render")
    gated.commit("Another model is rejected", "2026-11-20T10:00:00+00:00")
    gated.git("checkout", "--quiet", branch_of(gated))
    for check in (("validate",), ("render", "--check")):
        assert gated.run(*check).exit_code == 1
        assert gated.run(*check, "--against", "main").exit_code == 0


def test_a_second_revert_goes_further_back_and_never_to_a_rejected_release(gated: Story) -> None:
    gated.told("promote", NAME, "--to", "production", "--hotfix", "--reason", "a test")
    gated.run("render")
    gated.commit("Promote 3", "2026-11-09T10:00:00+00:00")
    for then in ("2", "1"):
        branch = branch_of(gated, f"not {then}")
        gated.git("merge", "--quiet", branch)
        lock = yaml.safe_load((gated.root / LOCK).read_text())
        assert lock["model"]["version"] == then
    items = yaml.safe_load((gated.root / QUARANTINE).read_text())["releases"]
    assert [item["version"] for item in items] == ["3", "2"]
    none = gated.run("revert", NAME, "--env", "production", "--reason", "x")
    assert (none.exit_code, "no release of shop/ranker in production before 1" in none.output) == (2, True)
    assert gated.run("validate").exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--env", "staging"), "staging requires no other environment"),
        (("--env", "moon"), "moon"),
        (("--env", "production", "--with-spec"), "use it with MODEL and --reason only"),
        (("--env", "production", "--quarantine-only"), "use it with MODEL and --reason only"),
    ],
)
def test_wrong_usage(gated: Story, words: tuple[str, ...], says: str) -> None:
    done = gated.run("revert", NAME, "--reason", "x", *words)
    assert (done.exit_code, says in done.output) == (2, True), done.output


@pytest.mark.parametrize(("version", "branches"), [(2, 1), (3, 0), (1, 0)])
def test_an_abort_takes_back_the_environment_where_it_happened(
    gated: Story, version: int, branches: int
) -> None:
    """Staging has version 3 by now, and keeps it; production is only taken back from what it has."""
    body = {
        "schema": "sluice/abort/v1", "model": NAME, "environment": "production", "digest": digest(version),
        "at": "2026-11-08T10:00:00Z", "reason": "errors",
    }  # fmt: skip
    made = gated.run("revert", "--quiet", "--from-webhook", "-", given=json.dumps(body))
    assert made.exit_code == 0, made.output
    assert len(made.stdout.split()) == branches
    for branch in made.stdout.split():
        assert branch.startswith("sluice/revert-shop-ranker-production-")
        assert LOCK in gated.git("diff", "--name-only", "main", branch)
        assert "rendered/staging" not in gated.git("diff", "--name-only", "main", branch)
