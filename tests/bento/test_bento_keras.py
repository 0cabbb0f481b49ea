"""Keras models: trained, rendered, built and served with nothing but the packages of the rendered list."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bento.neural import answers, planned

pytestmark = pytest.mark.slow


def test_a_classifier_answers_with_names_and_probabilities(tmp_path: Path) -> None:
    answer = answers(planned("dense", "keras", classes=("fine", "late", "fraud")), tmp_path)
    assert answer["classes"] == ["fine", "late", "fraud"]


def test_a_model_with_one_input_a_column_goes_by_name(tmp_path: Path) -> None:
    bento = planned("heat", "keras")
    columns = tuple(sorted(bento.inputs, key=lambda column: column.name, reverse=True))
    answers(planned("heat", "keras", inputs=columns), tmp_path)
