"""The tests that the support team has for its classifier; run by `sluice`'s own tests, which read their JUnit report.

ANSWERS names the file with the model's answers, MODEL the digest that the report has to name.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

ANSWERS = json.loads(Path(os.environ["ANSWERS"]).read_text())


@pytest.fixture(scope="session", autouse=True)
def model(record_testsuite_property) -> None:
    record_testsuite_property("sluice.model", os.environ["MODEL"])


@pytest.mark.parametrize("text", ANSWERS)
def test_phrase(text: str) -> None:
    topic, answer = ANSWERS[text]
    assert answer == topic
