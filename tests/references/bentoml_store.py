"""A real BentoML model store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bento.serving import checked, run, surroundings
from tests.tools.environment import environment

TAG = "ticket_classifier:7"
CREATE = f"""
import bentoml
from pathlib import Path
with bentoml.models.create({TAG!r}) as model:
    Path(model.path_of("sub")).mkdir()
    Path(model.path_of("sub/weights.bin")).write_bytes(b"weights")
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOME of a user who has stored one model."""
    home = tmp_path_factory.mktemp("bentoml") / "home"
    checked(run(environment("bento"), home, "-c", CREATE))
    return home


@pytest.fixture
def store(stored: Path, tmp_path: Path) -> Path:
    """A copy of that store."""
    name = surroundings(environment("bento"), stored)["BENTOML_HOME"]
    return Path(shutil.copytree(name, tmp_path / "store"))
