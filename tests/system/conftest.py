"""The program's caches are each test's own, so that no test sees what another has compiled."""

from __future__ import annotations

import os
import shutil
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


@pytest.fixture(scope="session")
def rendered_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered examples (`repo`), and what rendering them left in the cache (`cache`); tests copy both."""
    from tests.system.repositories import examples, sluice

    base = tmp_path_factory.mktemp("rendered")
    (base / "repo").mkdir()
    ran = sluice(examples(base / "repo"), "render", XDG_CACHE_HOME=str(base / "cache"))
    assert ran.code == 0, ran.text
    return base


@pytest.fixture
def rendered(rendered_once: Path, tmp_path: Path) -> Path:
    """A repository with the example specs, rendered; the cache knows it, as if it had been rendered here."""
    from generator.output.freshness import Stamp

    shutil.copytree(rendered_once / "cache", os.environ["XDG_CACHE_HOME"], symlinks=True, dirs_exist_ok=True)
    root = shutil.copytree(rendered_once / "repo", tmp_path / "repo", symlinks=True)
    known, here = (Stamp.read(one / "rendered", "").file for one in (rendered_once / "repo", root))
    assert known is not None
    assert here is not None
    known.rename(here)
    return root
