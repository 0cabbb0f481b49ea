"""The odds of hand-written metrics against the controller's own reconciliation of AnalysisRuns, on generated series."""

from __future__ import annotations

import math
from random import Random

import pytest

from generator.lint import read_releases
from generator.odds.trees import chances
from generator.odds.trees.odds import tree_odds
from generator.odds.trees.simulation import run_once, traffic_of
from generator.odds.trees.values import Known, Span
from tests.oracle.client import ask
from tests.unit.odds.trees.trees import COMPARED, FORMS, canary

RELEASES = 60
_STEP_S = 5
SHAPES = {
    **FORMS,
    "compared": COMPARED,
    "errors without data": (
        FORMS["share of errors"][0],
        'successCondition: "result[0] < 0.5"',
        "{interval: 1m}",
    ),
    "inconclusive": (
        FORMS["share of errors"][0],
        'successCondition: "result[0] < 0.011"\n      failureCondition: "result[0] > 0.02"',
        "{interval: 1m, initialDelay: 3m, inconclusiveLimit: 2, failureLimit: 1}",
    ),
    "successes in a row": (
        FORMS["share of errors"][0],
        'successCondition: "result[0] < 0.012"',
        "{interval: 1m, initialDelay: 3m, failureLimit: 3, consecutiveSuccessLimit: 4}",
    ),
    "gauge": (
        'max(queue_length{service="cart-canary"})',
        'successCondition: "result[0] < 88"',
        "{interval: 1m, failureLimit: 1}",
    ),
    "gauge with two limits": (
        'max(queue_length{service="cart-canary"})',
        'successCondition: "result[0] < 80"\n      failureCondition: "result[0] > 88"',
        "{interval: 1m, initialDelay: 3m, inconclusiveLimit: 3, failureLimit: 1}",
    ),
}
KNOWN = Known(50.0, {"error": 0.01, "slow": 0.02}, {"queue_length": Span(40, 90)})


@pytest.fixture(params=SHAPES)
def watched(request, tmp_path, monkeypatch):
    """The metric as it is written, and what the odds make of it for a good version."""
    (tmp_path / "tree.yaml").write_text(canary(*SHAPES[request.param]))
    watches, real = [], chances.chance
    monkeypatch.setattr(
        "generator.odds.trees.odds.chance", lambda watch: watches.append(watch) or real(watch)
    )
    found = read_releases(tmp_path)
    tree_odds(found, KNOWN)
    (metric,) = found.releases[0].metrics
    body = {**metric.template.body["spec"]["metrics"][0], "provider": {"prometheus": {"query": "x"}}}
    return body, watches[0], real(watches[0])


def series(watch, traffic):
    """The values of the query in steps of five seconds, as long as they do not change in one sample."""
    found, last = [], None
    for at in range(0, math.ceil(watch.end_s) + 2 * _STEP_S, _STEP_S):
        values = [f"{value!r}" if math.isfinite(value) else "NaN" for value in traffic.values(at)]
        if values != last:
            found.append({"at": at, "values": values})
        last = values
    return found


def test_the_controller_ends_each_release_as_the_model_does(watched):
    body, watch, chance = watched
    rng = Random(7)
    releases = [traffic_of(watch, rng) for _ in range(RELEASES)]
    question = {
        "op": "runs",
        "metric": body,
        "end": watch.end_s,
        "runs": [series(watch, one) for one in releases],
    }
    (answer,) = ask("1.10", [question])
    answers = answer["runs"]
    for one, found in zip(releases, answers, strict=True):
        time, phase = run_once(watch, one)
        assert found["phase"] == phase
        if phase != "Running":
            assert found["at"] == pytest.approx(time, abs=1)
    stopped = sum(found["phase"] in ("Failed", "Error") for found in answers) / RELEASES
    promised = math.fsum(stop.mass for stop in chance.stops)
    assert abs(stopped - promised) < 0.05 + 3 * math.sqrt(max(0.01, promised * (1 - promised)) / RELEASES)
