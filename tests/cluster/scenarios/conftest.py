"""The cluster that `python -m tests.cluster.bed` brought up around this session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.plan.values import Plan
from tests.cluster.client import Api
from tests.cluster.gitops import Delivered, GitOps
from tests.cluster.layout import Layout
from tests.cluster.release import First, Release
from tests.cluster.waiting import until


@pytest.fixture(scope="session")
def layout() -> Layout:
    """Where things of the run lie."""
    folder = os.environ.get("SLUICE_BED")
    assert folder, "there is no cluster around this session: make test-cluster"
    return Layout(Path(folder))


@pytest.fixture(scope="session")
def api(layout: Layout) -> Iterator[Api]:
    """The API server, as its administrator."""
    api = Api(layout.pki)
    yield api
    api.close()


@pytest.fixture
def released(layout: Layout, api: Api) -> Iterator[First]:
    """Release the first version of a model, `team/model`; its namespace is removed after the test."""
    made: list[Release] = []

    def first(name: str) -> tuple[Release, Plan]:
        release = Release(layout, api, name)
        made.append(release)
        return release, release.first()

    yield first
    if os.environ.get("KEEP") != "1":
        for release in made:
            release.remove()


@pytest.fixture
def delivered(layout: Layout, api: Api, tmp_path: Path) -> Iterator[Delivered]:
    """Let Argo CD deliver the first version of a model, `team/model`; all of it is removed after the test."""
    made: list[tuple[GitOps, Plan]] = []

    def first(name: str, mark: str) -> tuple[GitOps, Plan]:
        git = GitOps(Release(layout, api, name), tmp_path / "work")
        plan = git.release.plan("1", mark)
        made.append((git, plan))
        git.synced(plan, git.start(plan))
        git.release.until_phase(plan, "Healthy", 180)
        until("a healthy Application", lambda: git.status(plan) == ("Synced", "Healthy"), 60)
        return git, plan

    yield first
    if os.environ.get("KEEP") != "1":
        for git, plan in made:
            git.remove(plan)
            git.release.remove()
