"""Stories, each made once and copied."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.history.story import CHECKOUT, Story

Make = Callable[..., Story]


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the platform of the examples and no model yet."""
    root = tmp_path_factory.mktemp("begun") / "repository"
    (root / "specs").mkdir(parents=True)
    text = (CHECKOUT / "specs" / "platform.yaml").read_text()
    text = re.sub(r"\n +models: \[.*\]", "", text[: text.index("  waivers:")])  # of models that aren't here
    (root / "specs" / "platform.yaml").write_text(text)
    found = Story(root)
    found.git("init", "--quiet")
    found.commit("The platform", "2026-10-31T08:00:00+00:00")
    return root


@pytest.fixture(scope="session")
def released(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 in the morning of the first, version 2 on the third; both rendered."""
    found = Story(tmp_path_factory.mktemp("released") / "repository")
    shutil.copytree(begun, found.root)
    for version, day in ((1, 1), (2, 3)):
        found.write(version)
        assert found.run("render").exit_code == 0
        found.commit(f"Release {version}", f"2026-11-0{day}T10:00:00+00:00")
    return found.root


@pytest.fixture
def story(begun: Path, tmp_path: Path) -> Story:
    """A repository without a model."""
    shutil.copytree(begun, tmp_path / "repository")
    return Story(tmp_path / "repository")


@pytest.fixture
def two(released: Path, tmp_path: Path) -> Story:
    """A repository with two versions of one model."""
    shutil.copytree(released, tmp_path / "repository")
    return Story(tmp_path / "repository")


@pytest.fixture
def clone(tmp_path: Path) -> Make:
    """A clone of a story, perhaps a shallow one."""

    def make(story: Story, *options: str) -> Story:
        target = tmp_path / f"clone{len(list(tmp_path.iterdir()))}"
        story.git("clone", "--quiet", *options, f"file://{story.root}", str(target))
        return Story(target)

    return make
