"""Our evaluation of conditions and the controller's give the same phase."""

from __future__ import annotations

import random

import pytest

from generator.lint.conditions import Result, Unsupported, measure
from tests.oracle.client import VERSIONS, ask
from tests.oracle.conditions import RESULTS, VECTORS, WRITTEN, random_conditions

pytestmark = pytest.mark.slow  # builds the oracle on first use

RANDOM = 8_000
# Where the two differ, and why: (condition, result).
DIFFERENCES = {
    (
        "filter(result, # > 0.5)[0] > 1",
        '[1, "a"]',
    ): "the library stops filtering at the first match and never sees the text",
}


def floats(value):
    """JSON as Go decodes it: every number is a float."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: floats(inner) for key, inner in value.items()}
    return [floats(inner) for inner in value] if isinstance(value, list) else float(value)


def result(kind, value):
    if kind == "vector":
        return Result(kind, [float(text) for text in value])
    return Result(kind, float(value) if kind == "scalar" else floats(value))


def compare(version, pairs):
    """Differences between the two, and the share of pairs that we do not judge."""
    questions = []
    for (success, failure), (kind, value) in pairs:
        metric = {"name": "m", "successCondition": success, "failureCondition": failure, "provider": {}}
        questions.append({"op": "condition", "metric": metric, "type": kind, "result": value})
    differ, unjudged = [], 0
    for ((success, failure), (kind, value)), answer in zip(pairs, ask(version, questions), strict=True):
        try:
            ours = measure(success, failure, result(kind, value), version)
        except Unsupported:
            unjudged += 1
            continue
        if ours != answer.get("phase") and (success, str(value).replace("'", '"')) not in DIFFERENCES:
            differ.append((success, failure, kind, value, ours, answer))
    return differ, unjudged / len(pairs)


@pytest.mark.parametrize("version", VERSIONS)
def test_written_conditions_on_every_result(version):
    pairs = [((condition, ""), one) for condition in WRITTEN for one in RESULTS]
    differ, unjudged = compare(version, pairs)
    assert differ == []
    assert unjudged < 0.15


@pytest.mark.parametrize("version", VERSIONS)
def test_random_conditions_on_lists(version):
    rng = random.Random(4)
    conditions = list(random_conditions(seed=5, count=RANDOM))
    pairs = [((text, ""), ("vector", vector)) for text in conditions for vector in rng.sample(VECTORS, 2)]
    differ, unjudged = compare(version, pairs)
    assert differ == []
    assert unjudged < 0.1


@pytest.mark.parametrize("version", VERSIONS)
def test_success_and_failure_together(version):
    rng = random.Random(6)
    conditions = ["", "true", "false", *random_conditions(seed=7, count=500)]
    pairs = [
        ((rng.choice(conditions), rng.choice(conditions)), ("vector", rng.choice(VECTORS)))
        for _ in range(3_000)
    ]
    differ, _ = compare(version, pairs)
    assert differ == []
