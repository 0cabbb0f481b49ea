"""The example plans, and a schedule small enough to walk by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from generator.odds.replay.walk import Schedule, Stage
from generator.promql.metric import Metric
from tests.unit.odds.replay.replay_cases import EVIDENCE, HARM

CHECKOUT = Path(__file__).resolve().parents[4]


@pytest.fixture
def two_steps() -> Callable[..., Schedule]:
    """5 % for five minutes, 50 % for three, with evidence at the end of each."""

    def build(*background: Metric, evidence: tuple[Metric, ...] = (EVIDENCE,)) -> Schedule:
        stages = (Stage(0, 5, 300.0, evidence), Stage(2, 50, 180.0, evidence))
        return Schedule(background or (HARM,), stages)

    return build
