"""The example recommender, its repository, and the commands in process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.plan.values import Plan
from generator.render.bento import Bentos
from generator.render.environment import Templates
from tests.unit.cli.conftest import sluice

__all__ = ["sluice"]
CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def recommender() -> Plan:
    """The recommender of the examples, in production."""
    repository = Repository(CHECKOUT)
    entry = next(entry for entry in repository.entries if entry.model == "recommender")
    return resolve(repository, entry, Bentos(Templates(None)).digest).plans[-1].plan


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example specs, which is also the current folder; the clock stands."""
    root = tmp_path / "repository"
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    monkeypatch.chdir(root)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")
    return root
