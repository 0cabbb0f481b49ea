"""Keras models: trained, rendered, built and served with nothing but the packages of the rendered list."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.plan.column import Column
from tests.bento.neural import answers, planned

pytestmark = pytest.mark.slow


def test_a_classifier_answers_with_names_and_probabilities(tmp_path: Path) -> None:
    answer = answers(planned("dense", "keras", classes=("fine", "late", "fraud")), tmp_path)
    assert answer["classes"] == ["fine", "late", "fraud"]


def test_a_model_with_a_picture_and_a_number_goes_by_name(tmp_path: Path) -> None:
    pixels = Column("pixels", "integer", shape=(6, 5, 3), minimum=0, maximum=255)
    inputs = (Column("weight", "number", minimum=-1, maximum=1), pixels)
    answers(planned("seen", "keras", inputs=inputs, classes=("above", "below")), tmp_path)
