"""Our rules and the controller's validation accept and refuse the same Rollouts, metrics and bundles."""

from __future__ import annotations

import json

import pytest

from generator.lint.objects import Object
from generator.lint.placement import Objects
from generator.lint.shapes import shape_problems
from generator.lint.verification import run_rules
from tests.oracle.bundles import bundles
from tests.oracle.client import VERSIONS, ask, rejects
from tests.oracle.codes import REFERENCES, RUN_CHECKS, TYPE, VALIDATION
from tests.oracle.mutations import ARGS, metric_sets, rollouts

pytestmark = pytest.mark.slow  # builds the oracle on first use

ROLLOUTS, METRIC_SETS, BUNDLES = 7_000, 4_000, 2_500


def refused(version, codes, *bodies):
    """Our codes of some objects, with the types of values that the controller cannot decode."""
    objects = Objects(Object.read(body) for body in bodies)
    # The controller looks up a DestinationRule when it moves traffic, not when it checks references.
    found = {
        violation.code.code
        for violation in run_rules(objects, version, complete=True)
        if "destinationRule" not in violation.path
    }
    found |= {
        TYPE
        for _, code, problem in shape_problems(objects.all, {"argo-rollouts": version})
        if code.code == TYPE or _is_too_large(problem)
    }
    return sorted(found & codes)


def _is_too_large(problem):
    """Whether a number does not fit into the 32 bits of the controller's type."""
    return "too large" in problem.message


def compare(version, codes, samples):
    """What the two sides differ on, the codes that we gave, and the share that the controller refuses."""
    differ, given, samples = [], set(), list(samples)
    answers = ask(version, [question for question, _ in samples])
    for (question, bodies), answer in zip(samples, answers, strict=True):
        ours = refused(version, codes, *bodies)
        given.update(ours)
        if bool(ours) != rejects(answer):
            differ.append((ours, answer, json.dumps(question)[:1500]))
    return differ, given, sum(map(rejects, answers)) / len(answers)


@pytest.mark.parametrize("version", VERSIONS)
def test_rollouts_are_refused_alike(version):
    samples = [({"op": "rollout", "rollout": body}, [body]) for body in rollouts(seed=1, count=ROLLOUTS)]
    differ, given, share = compare(version, VALIDATION, samples)
    assert differ == []
    assert given == VALIDATION
    assert 0.2 < share < 0.8


@pytest.mark.parametrize("version", VERSIONS)
def test_metrics_are_refused_alike(version):
    def sample(question):
        spec = {"args": ARGS, **question}
        run = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AnalysisRun",
            "metadata": {"name": "r"},
            "spec": spec,
        }
        return {"op": "metrics", **spec}, [run]

    samples = [sample(question) for question in metric_sets(seed=2, count=METRIC_SETS)]
    differ, given, share = compare(version, RUN_CHECKS, samples)
    assert differ == []
    assert given == RUN_CHECKS
    assert 0.2 < share < 0.8


@pytest.mark.parametrize("version", VERSIONS)
def test_references_are_refused_alike(version):
    samples = [
        ({"op": "references", "rollout": rollout, "objects": objects}, [rollout, *objects])
        for rollout, objects in bundles(seed=3, count=BUNDLES)
    ]
    differ, given, share = compare(version, REFERENCES, samples)
    assert differ == []
    assert given == REFERENCES
    assert 0.2 < share < 0.9
