"""The cluster that `python -m tests.cluster.bed` brought up around this session."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.plan.values import Plan
from tests.cluster.client import Api
from tests.cluster.gitops import Delivered, GitOps
from tests.cluster.layout import Layout
from tests.cluster.release import Release
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
def delivered(layout: Layout, api: Api, tmp_path: Path) -> Iterator[Delivered]:
    """Let Argo CD deliver the first version of a model, `team/model`, in an environment; removed after the test."""
    made: list[tuple[GitOps, Plan]] = []

    def first(name: str, environment: str, mark: str = "", **changes: object) -> tuple[GitOps, Plan]:
        git = GitOps(Release(layout, api, name, environment), tmp_path / environment)
        plan = git.release.plan("1", mark or secrets.token_hex(4), **changes)
        made.append((git, plan))
        git.synced(plan, git.start(plan))
        git.release.until_phase(plan, "Healthy", 180)
        # An autoscaler that gets no metrics is Degraded as soon as it has looked, and its Application with it.
        unmeasured = {("Synced", "Degraded")} if plan.capacity.autoscaler else set()
        until("a healthy Application", lambda: git.status(plan) in {("Synced", "Healthy"), *unmeasured}, 180)
        return git, plan

    yield first
    if os.environ.get("KEEP") != "1":
        for git, plan in made:
            git.remove(plan)
            git.release.remove()
