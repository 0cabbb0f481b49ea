"""Data sets that are files or folders of the GitOps repository itself."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from generator.cluster.pins.digest import path_digest
from generator.cluster.pins.failure import MALFORMED, UNKNOWN, PinError
from generator.cluster.pins.reference import SHORT, Content, Found, Reference, Surroundings


def find(reference: Reference, around: Surroundings) -> Found:
    """Hash a path of the repository; its content is its identity.

    Raises:
        PinError: there is no such path, or it leaves the repository.
    """
    path = below(around.root, reference.text, reference.what)
    if not path.exists():
        raise PinError(
            UNKNOWN, f"there is no {reference.what} in this repository", "correct the path, or commit it"
        )
    if not path.resolve().is_relative_to(around.root.resolve()):
        raise PinError(MALFORMED, f"{reference.what} is a link that leaves the repository", "copy the data")
    content = Content(path_digest(path, reference.what), "the repository")
    digest = content.digest.removeprefix("sha256:")
    return Found(f"{reference.text}#sha256={digest}", digest[:SHORT], lambda: content)


def below(root: Path, path: str, what: str) -> Path:
    """A path of the repository.

    Raises:
        PinError: it is not relative, or climbs.
    """
    parts = PurePosixPath(path)
    if not path or parts.is_absolute() or ".." in parts.parts:
        raise PinError(
            MALFORMED, f"{what} names no path below the repository", "write it like data/train.parquet"
        )
    return root / parts
