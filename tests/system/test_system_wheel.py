"""The built wheel, installed with the pinned core dependencies into an empty environment, renders from another folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.system.repositories import CHECKOUT, EPOCH, examples, read_tree, sluice
from tests.unit.odds.trees.examples import ADVICE


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**kept, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by hatchling in this environment: nothing is fetched."""
    source, out = tmp_path_factory.mktemp("source") / "s", tmp_path_factory.mktemp("wheel")
    shutil.copytree(
        CHECKOUT,
        source,
        ignore=shutil.ignore_patterns(
            ".*", "rendered", "tests", "docs", "__pycache__", "*.egg-info", "specs"
        ),
    )
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        out,
        source,
        cwd=out,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_the_templates_and_nothing_of_the_tests(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    ours = {
        path.relative_to(CHECKOUT / "templates").as_posix()
        for path in (CHECKOUT / "templates").rglob("*")
        if path.is_file()
    }
    shipped = {
        name.removeprefix("generator/_templates/")
        for name in names
        if name.startswith("generator/_templates/")
    }
    assert {name for name in ours if "__pycache__" not in name} == shipped
    assert {name.split("/")[0].split("-")[0] for name in names} == {"generator", "sluice", "sluicegate"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {"generator/py.typed", "sluice/__init__.py", "sluice/py.typed"} <= set(names)
    assert not any(name.startswith("generator/api/") for name in names)
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)


USER_PROGRAM = """\
from __future__ import annotations

import sluice


def powers(root: str, model: str, environment: str) -> dict[str, float]:
    repository = sluice.load(root)
    odds = sluice.odds(repository.plan(model, environment))
    return {guard.name: found.power for guard, found in odds.guards} if odds else {}


def refused(repository: sluice.Repository) -> list[sluice.Finding]:
    return [finding for finding in repository.validate() if finding.severity == "error"]


def lines(rendering: sluice.Rendering) -> int:
    return sum(data.count(b"\\n") for data in rendering.files.values())


try:
    print(powers(".", "shop/recommender", "production"), refused(sluice.load(".")))
except sluice.FindingsError as error:
    reveal_type(error.findings)
except sluice.UserError as error:
    print(error.message)
"""


def check_api(python: Path, folder: Path) -> None:
    """Check a user's program with mypy in strict mode against the installed package, and that a mistake is found."""
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--python-executable", str(python)]
    for text, wanted in (
        (USER_PROGRAM, "typing.Sequence[generator.source.finding.Finding]"),
        (USER_PROGRAM.replace("found.power", "found.pover"), 'has no attribute "pover"'),
    ):
        (folder / "program.py").write_text(text)
        done = subprocess.run([*mypy, "program.py"], cwd=folder, capture_output=True, text=True)
        assert wanted in done.stdout, done.stdout + done.stderr
        assert (": error:" in done.stdout) == ("pover" in text), done.stdout


@pytest.mark.slow
def test_the_installed_wheel_renders_from_another_folder(wheel: Path, rendered: Path, tmp_path: Path):
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", venv, cwd=tmp_path)
    pip = (venv / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", CHECKOUT / "generator/pins/core.txt", cwd=tmp_path)
    run(*pip, "--no-deps", "--no-index", wheel, cwd=tmp_path)
    run(venv / "bin/python", "-m", "pip", "check", cwd=tmp_path)
    check_api(venv / "bin/python", tmp_path)
    elsewhere = examples(tmp_path / "elsewhere")
    ran = run(venv / "bin/sluice", "render", cwd=elsewhere, SOURCE_DATE_EPOCH=EPOCH)
    assert "created" in ran.stdout
    assert read_tree(elsewhere / "rendered") == read_tree(rendered / "rendered")
    assert (
        "nothing changed"
        in run(venv / "bin/sluice", "render", cwd=elsewhere / "specs", SOURCE_DATE_EPOCH=EPOCH).stdout
    )
    assert sluice(elsewhere, "render", "--check").code == 0
    for command in (
        ["--help"],
        ["validate"],
        ["plan", "shop/recommender"],
        ["schema", "model"],
        ["templates"],
        ["odds", "rendered/production"],
    ):
        run(venv / "bin/sluice", *command, cwd=elsewhere, SOURCE_DATE_EPOCH=EPOCH)


@pytest.mark.slow
def test_uvx_runs_odds_on_the_tree_of_a_stranger(wheel: Path, tmp_path: Path):
    """The command of the README, with the wheel in the place of the package index."""
    readme = (CHECKOUT / "README.md").read_text()
    command = re.search(r"`uvx --from sluicegate (sluice odds \.)`", readme)
    assert command
    (tmp_path / "rollout.yaml").write_text(next(iter(ADVICE.values())))
    uv = Path(sys.executable).with_name("uv")
    limits = (
        "--no-config",
        "--constraints",
        CHECKOUT / "generator/pins/core.txt",
        "--python",
        sys.executable,
    )
    ran = run(
        uv,
        "tool",
        "run",
        *limits,
        "--from",
        wheel,
        *command[1].split(),
        cwd=tmp_path,
        UV_TOOL_DIR=str(tmp_path / "t"),
    )
    assert ran.stdout.startswith("Rollout shop/cart")
