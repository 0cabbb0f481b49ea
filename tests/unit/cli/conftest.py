"""The commands in process, on a copy of the example repository."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from generator.cli.main import cli

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
def sluice() -> Sluice:
    """Run a command: `sluice("validate", "--strict")`."""

    def run(*arguments: str, **more: object) -> Result:
        return CliRunner().invoke(cli, list(map(str, arguments)), **more)

    return run
