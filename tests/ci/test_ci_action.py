"""The reusable GitHub Action, its steps run in a repository that `sluice init` made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from generator import __version__
from tests.ci.demo import Demo, sha256
from tests.ci.runner import Ran, Runner
from tests.gates.images import wheel

ACTION = Path(__file__).resolve().parents[2] / ".github/actions/sluice/action.yml"


@pytest.fixture(scope="module")
def action() -> dict:
    return yaml.safe_load(ACTION.read_text())


def used(action: dict, demo: Demo, scratch: Path, **inputs: str) -> tuple[Runner, list[Ran]]:
    """The action's steps without the installation: the program under test is on the path already."""
    given = {f"inputs.{name}": str(spec.get("default", "")) for name, spec in action["inputs"].items()}
    given |= {f"inputs.{name}": value for name, value in inputs.items()}
    temp = scratch / "runner"
    temp.mkdir()
    runner = Runner(demo.root, scratch, given, {"RUNNER_TEMP": str(temp)})
    return runner, runner.steps([step for step in action["runs"]["steps"] if step.get("name") != "Install"])


def test_the_default_is_this_version(action: dict):
    assert action["inputs"]["version"]["default"] == __version__


@pytest.mark.slow
def test_every_check_runs_and_the_plan_is_an_output(action: dict, demo: Demo, scratch: Path):
    base = demo.git("rev-parse", "main")
    runner, ran = used(action, demo, scratch, against=base)
    assert [step.name for step in ran] == ["Rules", "Evidence", "Rendered files", "Plan"]
    for step in ran:
        assert step.code == 0, f"{step.name}:\n{step.output}"
    assert "shop/recommender" in runner.output("plan")
    assert runner.output("plan") == runner.summary


@pytest.mark.slow
def test_a_failed_check_fails_the_action_and_the_others_still_run(action: dict, demo: Demo, scratch: Path):
    spec = demo.root / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("weight: 5%", "weight: 50%"))
    _, ran = used(action, demo, scratch, against=demo.git("rev-parse", "main"))
    codes = {step.name: step.code for step in ran}
    assert codes["Rules"] == 1
    assert codes["Evidence"] == 0
    assert codes["Rendered files"] == 1


def installed(action: dict, demo: Demo, scratch: Path, digest: str) -> Ran:
    """The first step, with the core dependencies from the index and the wheel of this checkout."""
    install = next(step for step in action["runs"]["steps"] if step.get("name") == "Install")
    temp = scratch / "runner"
    temp.mkdir()
    variables = {
        "RUNNER_TEMP": str(temp),
        "GITHUB_PATH": str(temp / "path"),
        "PIP_NO_INDEX": "",
        "PIP_FIND_LINKS": str(wheel().parent),
    }
    given = {"inputs.version": __version__, "inputs.hash": digest, "github.action_path": str(ACTION.parent)}
    (ran,) = Runner(demo.root, scratch, given, variables).steps([install])
    return ran


@pytest.mark.slow
def test_the_installation_gives_the_program(action: dict, demo: Demo, scratch: Path):
    ran = installed(action, demo, scratch, sha256(wheel().read_bytes()))
    assert ran.code == 0, ran.output
    temp = scratch / "runner"
    assert (temp / "path").read_text().strip() == f"{temp}/sluice/bin"
    said = subprocess.run(
        [temp / "sluice/bin/sluice", "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == f"sluice {__version__}"


@pytest.mark.slow
def test_another_wheel_under_this_version_is_not_installed(action: dict, demo: Demo, scratch: Path):
    ran = installed(action, demo, scratch, "0" * 64)
    assert ran.code != 0
    assert "hash" in ran.output.lower()
    assert not (scratch / "runner/sluice/bin/sluice").exists()
