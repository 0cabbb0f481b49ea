"""The program's caches are each test's own, so that no test sees what another has compiled."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with the example specs, not rendered yet."""
    from tests.system.repositories import examples

    root = tmp_path / "repo"
    root.mkdir()
    return examples(root)


@pytest.fixture
def rendered(repo: Path) -> Path:
    """The same, rendered."""
    from tests.system.repositories import sluice

    ran = sluice(repo, "render")
    assert ran.code == 0, ran.text
    return repo
