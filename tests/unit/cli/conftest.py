"""The commands in process, on a copy of the example repository."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from generator.cli.main import cli
from tests.unit.cli.edits import git

CHECKOUT = Path(__file__).resolve().parents[3]
Sluice = Callable[..., Result]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example specs, which is also the current folder; the clock stands."""
    root = tmp_path / "repository"
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    monkeypatch.chdir(root)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")
    return root


@pytest.fixture
def committed(repository: Path) -> Path:
    """The same, in git."""
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "one")
    return repository


@pytest.fixture
def sluice() -> Sluice:
    """Run a command on a wide screen: `sluice("validate", "--strict")`."""

    def run(*arguments: str, **more: object) -> Result:
        return CliRunner(env={"COLUMNS": "200"}).invoke(cli, list(map(str, arguments)), **more)

    return run
