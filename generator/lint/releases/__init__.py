"""The releases of any tree: weights in time, and the metrics that may stop them."""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import Final

from generator.lint.controller import VERSIONS
from generator.lint.placement import Objects
from generator.lint.releases.flagger import flagger_releases
from generator.lint.releases.kserve import kserve_releases
from generator.lint.releases.rollouts import rollout_releases, unused_templates
from generator.lint.releases.values import Release, Stage, TreeMetric, TreeReleases
from generator.lint.rollout import Rollout
from generator.lint.tree import read_tree

__all__ = ["Release", "Stage", "TreeMetric", "TreeReleases", "read_objects", "read_releases"]


_SPLITTERS: Final = (
    ("machinelearning.seldon.io", "SeldonDeployment"),
    ("mlops.seldon.io", "Experiment"),
    ("serving.kserve.io", "InferenceGraph"),
)
"""Other kinds that split requests between versions, of which only the name is said."""
_KINDS: Final = (
    "Rollout|AnalysisTemplate|ClusterAnalysisTemplate|Canary|MetricTemplate|InferenceService|ServiceMonitor|PodMonitor"
    "|Application|ApplicationSet|SeldonDeployment|Experiment|InferenceGraph"
)
_ABOUT: Final = re.compile(
    rf"(?:^\ufeff?|[{{,]\s{{0,9}}|[\"'])kind[\"']?\s{{0,9}}:\s{{0,9}}[\"']?(?:(?:{_KINDS})(?:List)?|List)\b",
    re.MULTILINE,
)
"""Files without one of these kinds are not parsed: definitions of resources are megabytes."""


def read_releases(root: FilePath, *, build: bool = False) -> TreeReleases:
    """Read every release below a folder, or in one file. Bad input is never an exception.

    Args:
        root: the folder or the file.
        build: whether to build charts and kustomizations first, with the tools on the path.
    """
    return _read(root, _ABOUT, build=build)[1]


def read_objects(root: FilePath, *, build: bool = False) -> tuple[Objects, TreeReleases]:
    """Read every object below a folder, or in one file, and the releases among them; see `read_releases`."""
    return _read(root, None, build=build)


def _read(root: FilePath, about: re.Pattern[str] | None, *, build: bool) -> tuple[Objects, TreeReleases]:
    tree = read_tree(root, about)
    missing: list[str] = []
    if build:
        from generator.lint.build import with_builds

        tree, missing = with_builds(tree, root)
    objects = Objects(tree.objects, tree.sources)
    found = [*rollout_releases(objects), *flagger_releases(objects), *kserve_releases(objects)]
    unread = [f"{file.name}: {problem.message}" for _, problem, file in tree.problems]
    unread += [
        f"{item} in {item.file.name}, which splits requests: no metric of it stops a version"
        for group, kind in _SPLITTERS
        for item in objects.of(group, kind)
    ]
    unread += [
        f"{item} in {item.file.name}: it has neither `canary` nor `blueGreen`"
        for item in objects.of_kind("Rollout")
        if (rollout := Rollout(item)).canary is None and rollout.blue_green is None
    ]
    if tree.templates:
        unread.append(f"{len(tree.templates):,} templates, which are YAML only once they are filled in")
    return objects, TreeReleases(
        tuple(found),
        tuple(unused_templates(objects, VERSIONS[-1:])),
        tree.files,
        (*missing, *unread, *tree.sources.sentences()),
    )
