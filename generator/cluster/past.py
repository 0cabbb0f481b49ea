"""A repository as it was: specs and templates of a commit, in a temporary folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from generator.cluster.pins.failure import UNKNOWN, PinError
from generator.cluster.pins.git import Blob, Git

# What a plan is made of; evidence lies beside the specs.
_PARTS: Final = ("specs", "templates")
_LINK, _FILE = "120000", "100"


@contextmanager
def past(git: Git) -> Iterator[Path]:
    """The specs and templates of a commit, as files of a folder that is removed afterwards.

    Neither attributes nor filters of git apply, and links that lead out of the folder are left out.

    Args:
        git: the commit.

    Raises:
        PinError: the commit holds no specs, or git can't read them.
    """
    blobs = [blob for blob in git.tree(_PARTS) if blob.mode.startswith((_FILE, _LINK))]
    if not any(blob.path == "specs/platform.yaml" for blob in blobs):
        message = f"the commit {git.commit[:12]} holds no specs/platform.yaml"
        raise PinError(UNKNOWN, message, "name a revision that has this repository's specs")
    with tempfile.TemporaryDirectory(prefix="sluice-past-") as name:
        root = Path(name)
        for blob, content in zip(blobs, git.contents([blob.name for blob in blobs]), strict=True):
            _put(root, blob, content)
        yield root


def _put(root: Path, blob: Blob, content: bytes) -> None:
    file = Path(os.path.normpath(root / blob.path))
    if not file.is_relative_to(root):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    if blob.mode != _LINK:
        file.write_bytes(content)
    elif Path(os.path.normpath(file.parent / os.fsdecode(content))).is_relative_to(root):
        file.symlink_to(os.fsdecode(content))
