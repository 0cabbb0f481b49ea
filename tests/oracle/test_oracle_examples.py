"""The linter on the examples and end-to-end fixtures of Argo Rollouts itself: every finding is known, right or wrong.

The files are read from the Go module cache. Left out of the table: infos, and ANA444 (progressDeadlineAbort) and
ANA464 (no preStop), which are right on nearly every file.
"""

from __future__ import annotations

import functools

import pytest
import yaml

from generator.lint.objects import File, Object
from generator.lint.placement import Objects
from generator.lint.shapes import shape_problems
from generator.lint.verification import run_rules
from tests.oracle.client import ask, module_folder, rejects
from tests.oracle.codes import VALIDATION

pytestmark = pytest.mark.slow  # builds the oracle on first use

KINDS = ("Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun")
FAMILIES = {"ROL", "ANA", "CAP", "SYN"}
SUITE = "test/e2e"
RIGHT = {
    "examples/ambassador/rollout.yaml": "ANA457",  # an image without a tag
    "examples/analysis-templates.yaml": "ANA401 ANA420",  # count 1, failureLimit 1: cannot fail
    "examples/apisix/rollout.yaml": "ANA441 ANA463",  # a fixed scale under rising weights, in a mixed step
    "examples/appmesh/canary-rollout.yaml": "ANA408",  # a plain result[0] over a ratio
    "examples/cluster-analysis-templates.yaml": "ANA401 ANA420",
    "examples/rollout-secret.yaml": "ANA445",  # 25 % of one replica
    "examples/traffic-management/job.yaml": "ANA420 ANA421",
    f"{SUITE}/apisix/rollout-apisix-canary-set-header.yaml": "ANA441 ANA463",
    f"{SUITE}/expectedfailures/analysis-run-prometheus-bad-server.yaml": "ANA402",
    f"{SUITE}/expectedfailures/experiment-failed-analysis.yaml": "ANA420",
    f"{SUITE}/expectedfailures/malformed-analysisrun.yaml": "ANA420 ANA421 ANA425",  # memory: invalid
    f"{SUITE}/expectedfailures/malformed-analysistemplate.yaml": "ANA420 ANA421 ANA425",
    f"{SUITE}/expectedfailures/malformed-clusteranalysistemplate.yaml": "ANA420 ANA421 ANA425",
    f"{SUITE}/expectedfailures/malformed-rollout-ephemeral.yaml": "ROL114",  # memory: invalid
    f"{SUITE}/expectedfailures/malformed-rollout.yaml": "ROL114",
    f"{SUITE}/functional/alb-canary-multi-ingress-rollout.yaml": "ROL205",  # a rootService of another fixture
    f"{SUITE}/functional/analysis-run-job.yaml": "ANA420",
    f"{SUITE}/functional/analysistemplate-fail-multiple-job.yaml": "ANA420",
    f"{SUITE}/functional/analysistemplate-invalid-image-job.yaml": "ANA420",
    f"{SUITE}/functional/analysistemplate-long-running-job.yaml": "ANA420",
    f"{SUITE}/functional/analysistemplate-multiple-job.yaml": "ANA420",
    f"{SUITE}/functional/analysistemplate-sleep-job.yaml": "ANA420",
    f"{SUITE}/functional/canary-unscaledownonabort.yaml": "ANA442",
    f"{SUITE}/functional/experiment-dry-run-analysis.yaml": "ANA420",
    f"{SUITE}/functional/experiment-measurement-retention-analysis.yaml": "ANA420",
    f"{SUITE}/functional/rollout-background-analysis-inconclusive.yaml": "ANA445",
    f"{SUITE}/functional/rollout-bg-analysis-withArgs.yaml": "ANA445",
    f"{SUITE}/functional/rollout-canary-with-pause.yaml": "ANA470",  # two Services without a router
    f"{SUITE}/functional/canary-scaledownonabortnotrafficrouting.yaml": "ANA470",
    f"{SUITE}/functional/rollout-experiment-analysis.yaml": "ANA420",
    f"{SUITE}/functional/rollout-secret-withArgs.yaml": "ANA445",
    f"{SUITE}/functional/rollout-secret.yaml": "ANA445",
    f"{SUITE}/istio/istio-rollout-abort-delete-all-canary-pods.yaml": "ANA441",
    # A file that names everything at once to try kustomize on; no controller would take it.
    "test/kustomize/rollout/expected.yaml": "ANA420 ANA448 ANA451 ROL103 ROL202 ROL205 ROL206 ROL213",
    "test/kustomize/rollout/rollout.yaml": "ANA420 ANA451 ROL103 ROL202 ROL205 ROL206 ROL213",
}
# Placeholders that the suite replaces before it applies the file: true of the file, of no use to its author.
WRONG = {
    f"{SUITE}/functional/nginx-template.yaml": "ROL106",
    f"{SUITE}/step-plugin/template-rollout.yaml": "ROL102 ROL114",
}
# Files that are not YAML before a template engine has run, or not at all.
UNREADABLE = {
    "examples/helm-blue-green/templates/rollout.yaml",
    "examples/helm-blue-green/templates/services.yaml",
    "examples/traffic-management/rollout-linkerd.yaml",
    f"{SUITE}/expectedfailures/analysis-run-failfast.yaml",
}


@functools.cache
def examples():
    """The trees of the module, a file each, and the files that could not be read."""
    root, trees, unreadable = module_folder("1.10"), {}, set()
    for folder in ("examples", "test", "docs"):
        for file in sorted((root / folder).rglob("*.y*ml")):
            name = file.relative_to(root).as_posix()
            try:
                documents = list(yaml.safe_load_all(file.read_text()))
            except yaml.YAMLError:
                unreadable.add(name)
                continue
            bodies = [(i, body) for i, body in enumerate(documents) if isinstance(body, dict)]
            tree = Objects(Object.read(body, File(name), i) for i, body in bodies)
            if any(tree.of_kind(*KINDS)):
                trees[name] = tree
    return trees, unreadable


def test_every_finding_is_known():
    trees, unreadable = examples()
    found = {}
    for name, tree in trees.items():
        codes = {v.code.code for v in run_rules(tree, "1.10") if v.severity != "info"}
        if known := {code for code in codes if code[:3] in FAMILIES} - {"ANA444", "ANA446", "ANA464"}:
            found[name] = " ".join(sorted(known))
    assert found == RIGHT | WRONG
    assert unreadable == UNREADABLE
    assert len(trees) >= 100


@pytest.mark.parametrize("version", ["1.9", "1.10"])
def test_the_controller_agrees_on_the_rollouts(version):
    rollouts = [(item, tree) for tree in examples()[0].values() for item in tree.of_kind("Rollout")]
    answers = ask(version, [{"op": "rollout", "rollout": item.body} for item, _ in rollouts])
    for (item, tree), answer in zip(rollouts, answers, strict=True):
        ours = {v.code.code for v in run_rules(tree, version) if v.object is item}
        ours |= {code.code for _, code, _ in shape_problems([item], {"argo-rollouts": version})}
        assert bool(ours & VALIDATION) == rejects(answer), (item.file.name, ours, answer)
