"""The example plans, and a schedule small enough to walk by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.odds.replay.walk import Schedule, Stage
from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.plan.values import Plan
from generator.promql.metric import Metric
from generator.render.bento import Bentos
from generator.render.environment import Templates
from tests.unit.odds.replay.replay_cases import EVIDENCE, HARM

CHECKOUT = Path(__file__).resolve().parents[4]


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


@pytest.fixture
def two_steps() -> Callable[..., Schedule]:
    """5 % for five minutes, 50 % for three, with evidence at the end of each."""

    def build(*background: Metric, evidence: tuple[Metric, ...] = (EVIDENCE,)) -> Schedule:
        stages = (Stage(0, 5, 300.0, evidence), Stage(2, 50, 180.0, evidence))
        return Schedule(background or (HARM,), stages)

    return build
