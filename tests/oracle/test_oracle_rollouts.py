"""Our rules and the controller's validation accept and refuse the same Rollouts, metrics and bundles."""

from __future__ import annotations

import json

import pytest
from oracle_bundles import bundles
from oracle_client import VERSIONS, ask, rejects
from oracle_codes import REFERENCES, RUN_CHECKS, VALIDATION
from oracle_mutations import ARGS, metric_sets, rollouts

from generator.lint.rollouts.lint import lint
from generator.lint.rollouts.model import Objects, Source

pytestmark = pytest.mark.slow  # builds the oracle on first use

ROLLOUTS, METRIC_SETS, BUNDLES = 7_000, 4_000, 2_500


def refused(version, codes, *bodies):
    tree = Objects.of((Source("fuzz.yaml", i), body) for i, body in enumerate(bodies))
    return sorted({p.code for p in lint(tree, controller=version, complete=True)} & codes)


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
