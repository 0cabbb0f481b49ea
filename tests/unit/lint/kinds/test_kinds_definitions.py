"""The file of definitions: every node once, the same bytes for the same definitions, read as far as it is needed."""

from __future__ import annotations

import json

import pytest

from generator.lint.kinds.definitions import KINDS, root
from tests.tools.kinds.build import TARGET, fields_of, pack, unpack
from tests.tools.kinds.gather import Found
from tests.tools.kinds.sources import KUBERNETES, PROJECTS

TEXT = TARGET.read_text(encoding="utf-8")


def found():
    """Every kind of the file, in the order in which it is written."""
    trees = unpack(TEXT)
    for project in (KUBERNETES, *PROJECTS):
        for minor in project.versions:
            for (api_version, kind), entry in sorted(KINDS.items()):
                if entry.project == project.name and minor in entry.roots:
                    tree = trees[api_version, kind, minor]
                    yield project, minor, Found(api_version, kind, entry.cluster, tree)


def test_the_same_definitions_give_the_same_bytes():
    assert pack(found()) == TEXT


def test_a_node_is_there_once_and_after_what_it_refers_to():
    lines = [line.split(" ", 1) for line in TEXT.partition("\n\n")[2].splitlines()]
    assert len({line for _, line in lines}) == len({digest for digest, _ in lines}) == len(lines)
    seen: set[str] = set()
    for digest, line in lines:
        node = json.loads(line)
        below = {*node.get("properties", {}).values(), *(node[k] for k in ("items", "values") if k in node)}
        assert below <= seen, digest
        seen.add(digest)


def test_every_version_of_the_list_is_in_the_file():
    for project in (KUBERNETES, *PROJECTS):
        kinds = [entry for entry in KINDS.values() if entry.project == project.name]
        assert kinds
        for entry in kinds:
            later = list(project.versions)[: len(entry.roots)]  # a kind may be newer than the first release
            assert list(entry.roots) == later, project.name


def test_cluster_wide_kinds_are_known():
    assert sorted(kind for (_, kind), entry in KINDS.items() if entry.cluster) == [
        "ClusterAnalysisTemplate",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterWorkflowTemplate",
        "IngressClass",
        "Namespace",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ]


@pytest.mark.parametrize(
    ("version", "stands_in"),
    [("", "1.10"), ("1.10", "1.10"), ("1.9", "1.9"), ("1.9.7", "1.9"), ("1.12", "1.10"), ("1.2", "1.8")],
)
def test_a_version_that_is_not_there_has_a_neighbour(version, stands_in):
    roots = KINDS["argoproj.io/v1alpha1", "AnalysisTemplate"].roots
    assert root("argoproj.io/v1alpha1", "AnalysisTemplate", version) == roots[stands_in]


def test_an_unknown_kind_is_an_error():
    with pytest.raises(KeyError):
        root("v1", "Thing")


def test_the_fields_of_a_definition_are_listed():
    tree = unpack(TEXT)["argoproj.io/v1alpha1", "Rollout", "1.8"]
    paths = set(fields_of(tree, "Rollout"))
    assert {"Rollout.spec.strategy.canary.steps.setWeight", "Rollout.metadata.labels"} <= paths
    assert "Rollout.spec.strategy.canary.replicaProgressThreshold" not in paths


def test_a_new_version_changes_only_lines_of_its_own():
    other = [
        (project, minor, kind)
        for project, minor, kind in found()
        if (project.name, minor) != ("keda", "2.21")
    ]
    before, after = set(pack(other).splitlines()), set(TEXT.splitlines())
    assert before < after
    assert any("ScaledObject" in line for line in after - before)


def test_the_file_stays_small():
    assert len(TEXT.encode()) < 200_000
