"""Odds and verify in other people's repositories: the Action, the GitLab file and the pre-commit hooks, each run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from generator import __version__
from tests.ci.runner import Ran, Runner
from tests.unit.odds.trees.trees import ERRORS, canary

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / ".github/actions/odds/action.yml").read_text())
SPEC, COMPONENT = yaml.safe_load_all((ROOT / ".gitlab/odds.yml").read_text())
BAD = canary(ERRORS.replace('service="cart-canary"', 'app="cart"'), 'successCondition: "result[0] < 0.02"')
KNOWN = {"rps": "50", "baseline": "error=1%"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "deploy").mkdir(parents=True)
    (root / "deploy/rollout.yaml").write_text(BAD)
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def used(repository: Path, scratch: Path, **inputs: str) -> tuple[Runner, dict[str, Ran]]:
    """The action's steps without the installation, which is that of the action for specs."""
    given = {f"inputs.{name}": str(entry.get("default", "")) for name, entry in ACTION["inputs"].items()}
    given |= {f"inputs.{name}": value for name, value in {**KNOWN, **inputs}.items()}
    runner = Runner(repository, scratch, given, {"RUNNER_TEMP": str(scratch)})
    steps = [step for step in ACTION["runs"]["steps"] if step.get("name") != "Install"]
    return runner, {ran.name: ran for ran in runner.steps(steps)}


def test_both_install_this_version_as_the_action_for_specs_does():
    other = yaml.safe_load((ROOT / ".github/actions/sluice/action.yml").read_text())
    install = [step for step in other["runs"]["steps"] if step.get("name") in (None, "Install")]
    assert ACTION["runs"]["steps"][: len(install)] == install
    assert ACTION["inputs"]["version"]["default"] == __version__
    assert SPEC["spec"]["inputs"]["version"]["default"] == __version__


@pytest.mark.slow
def test_the_action_shows_odds_and_marks_what_is_wrong(repository: Path, scratch: Path):
    runner, ran = used(repository, scratch, tree="deploy")
    assert {name: step.code for name, step in ran.items()} == {"Odds": 0, "Findings": 0, "Manifests": 1}
    assert runner.output("odds").startswith("<!-- sluice odds -->\n")
    assert "Rollout shop/cart" in runner.output("odds")
    assert runner.output("odds") == runner.summary
    line = 1 + BAD[: BAD.index("- name: quality")].count("\n")
    assert f"::warning file=deploy/rollout.yaml,line={line}," in ran["Findings"].output
    assert "ODDS109" in ran["Findings"].output
    assert "::error file=deploy/rollout.yaml,line=" in ran["Manifests"].output


@pytest.mark.slow
def test_strict_fails_the_action(repository: Path, scratch: Path):
    _, ran = used(repository, scratch, strict="true", verify="false")
    assert {name: step.code for name, step in ran.items()}["Findings"] == 1


@pytest.mark.slow
def test_the_gitlab_job_leaves_the_odds_and_a_code_quality_report(repository: Path, scratch: Path):
    given = {name: str(entry.get("default", "")) for name, entry in SPEC["spec"]["inputs"].items()}
    given |= {**KNOWN, "tree": "deploy", "hash": "0" * 64}
    text = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: given[found[1]], json.dumps(COMPONENT))
    (job,) = json.loads(text).values()
    step = {"name": "odds", "run": "\n".join(job["script"]), "env": job["variables"]}
    (ran,) = Runner(repository, scratch).steps([step])
    assert ran.code == 1  # the manifests have errors
    assert "sees both versions (ODDS109)" in ran.output
    assert (repository / "odds.md").read_text().startswith("<!-- sluice odds -->\n")
    report = json.loads((repository / job["artifacts"]["reports"]["codequality"]).read_text())
    assert {entry["location"]["path"] for entry in report} == {"deploy/rollout.yaml"}


INPUT_KEYS = {"default", "description", "options", "regex", "type"}


def block(page: str, title: str) -> str:
    """The fence with a title."""
    found = re.search(rf"```\w+ {re.escape(title)}\n(.*?)```", page, re.DOTALL)
    assert found, title
    return found[1]


def test_a_catalog_project_takes_the_component_as_the_page_says(tmp_path: Path):
    """The layout that the catalog scans: two documents, the first with the inputs that the second uses."""
    page = (ROOT / "docs/odds-in-ci.md").read_text()
    commands = block(page, 'needs="an account at GitLab and a checkout of Sluice"').replace(
        "path/to/sluice", str(ROOT)
    )
    subprocess.run(["sh", "-euc", commands], cwd=tmp_path, check=True)
    (component,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert component.relative_to(tmp_path).match("templates/*/template.yml")
    header, body = component.read_text().split("\n---\n")
    assert set(yaml.safe_load(header)) == {"spec"}
    inputs = yaml.safe_load(header)["spec"]["inputs"]
    assert all(entry.get("description") and set(entry) <= INPUT_KEYS for entry in inputs.values())
    assert all("options" not in one or one.get("default") in one["options"] for one in inputs.values())
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", body)) == set(inputs)
    jobs = yaml.safe_load(body)
    assert not {"stages", "workflow", "include", "default"} & set(jobs)
    assert all({"stage", "script"} <= set(job) for job in jobs.values())

    release = yaml.safe_load(block(page, 'title="catalog/.gitlab-ci.yml"'))["release"]
    assert release["release"]["tag_name"] == "$CI_COMMIT_TAG"
    assert release["rules"] == [{"if": "$CI_COMMIT_TAG =~ /^\\d+\\.\\d+\\.\\d+$/"}]
    (use,) = yaml.safe_load(block(page, 'title="consumer/.gitlab-ci.yml"'))["include"]
    address, version = use["component"].split("@")
    assert address.rpartition("/")[2] == component.parent.name
    assert version == __version__
    required = {name for name, entry in inputs.items() if "default" not in entry}
    assert required <= set(use["inputs"]) <= set(inputs)


def test_the_workflow_of_the_page_keeps_one_comment_as_that_of_specs_does():
    page = (ROOT / "docs/odds-in-ci.md").read_text()
    workflow = yaml.safe_load(
        re.search(r'```yaml title=".github/workflows/odds.yaml"\n(.*?)```', page, re.DOTALL)[1]
    )
    own = (ROOT / "templates/ci/github/check.yaml.j2").read_text()
    script = workflow["jobs"]["comment"]["steps"][0]["run"]
    changed = script.replace("sluice odds", "sluice plan").replace("$ODDS", "$PLAN")
    assert re.sub(r"\s+", " ", changed).strip() in re.sub(r"\s+", " ", own)
    assert workflow["permissions"] == {}
    assert "uses" not in workflow["jobs"]["comment"]["steps"][0]
    inputs = workflow["jobs"]["odds"]["steps"][1]["with"]
    assert set(inputs) <= set(ACTION["inputs"])


@pytest.mark.slow
def test_the_hooks_run_in_pre_commit(repository: Path, tmp_path: Path):
    """The hooks with the program under test: `language: system` leaves out only the installation of the wheel."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    here = [{**hook, "language": "system"} for hook in hooks]
    config = {"repos": [{"repo": "local", "hooks": here}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    variables = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    variables["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def passes() -> dict[str, bool]:
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
        done = subprocess.run(command, cwd=repository, env=variables, capture_output=True, text=True)
        lines = re.findall(r"^(sluice \w+)\.+(?:\(no files to check\))?(\w+)$", done.stdout, re.MULTILINE)
        assert len(lines) == len(hooks), done.stdout + done.stderr
        return {name: verdict != "Failed" for name, verdict in lines}

    assert passes() == {
        "sluice validate": True,
        "sluice render": True,
        "sluice verify": False,
        "sluice odds": False,
    }
    (repository / "deploy/rollout.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cart, namespace: shop}\ndata: {a: b}\n"
    )
    assert passes()["sluice verify"]


def test_pre_commit_accepts_the_list_of_hooks():
    from pre_commit.clientlib import load_manifest

    hooks = load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    assert {hook["entry"].split()[1] for hook in hooks} == {"validate", "render", "verify", "odds"}
