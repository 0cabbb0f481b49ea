"""Our rules and the controller's validation accept and refuse the same Rollouts, metrics and bundles."""

from __future__ import annotations

import json

import pytest
from oracle_bundles import bundles
from oracle_client import VERSIONS, ask, rejects
from oracle_mutations import ARGS, metric_sets, rollouts

from generator.rules.bundle.lint import lint
from generator.rules.bundle.model import Objects, Source
from generator.rules.bundle.registry import RULES

# What the controller's validation of one object does not say, though the rule is an error of ours.
BEYOND_VALIDATION = {
    "ROL104": "the controller notices an unreadable kind of workloadRef when it looks the object up",
    "ROL113": "the API server drops an unknown field before the controller sees it",
}
BEYOND_RUN_CHECKS = {
    "ANA306": "is about Rollouts; ANA316 says the same of the run that they start",
    "ANA308": "conditions are compiled at the first measurement",
    "ANA309": "the address is used at the first measurement",
    "ANA310": "the Job is created at the first measurement",
    "ANA312": "the API server drops an unknown field before the controller sees it",
    "ANA317": "the Job is created at the first measurement",
}
BEYOND_REFERENCES = {
    "ROL208": "which virtual router a virtual service of App Mesh uses is looked up in the cluster",
}
# Of ROL201: the controller does not look up the routes of a plugin, so the bundles use one without routes.
VALIDATION = {code for code in RULES if code.startswith("ROL1")} - set(BEYOND_VALIDATION)
RUN_CHECKS = {code for code in RULES if code.startswith("ANA3")} - set(BEYOND_RUN_CHECKS)
REFERENCES = {code for code in RULES if "ROL201" <= code <= "ROL215"} - set(BEYOND_REFERENCES)
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
