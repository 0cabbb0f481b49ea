"""Digests of files and folders, and data sets that are files or folders of the GitOps repository itself.

As in the rendered `import_model.py`, a file has the SHA-256 of its content, and a folder that of its listing in the
format of `sha256sum`, sorted by path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from generator.cluster.pins.errors import MALFORMED, NO_CONTENT, UNKNOWN, PinError
from generator.cluster.pins.reference import SHORT, Content, PinContext, Reference, Resolution


def resolve(reference: Reference, context: PinContext) -> Resolution:
    """Hash a path of the repository; its content is its identity.

    Raises:
        PinError: there is no such path, or it leaves the repository.
    """
    path = below(context.root, reference.text, reference.shown)
    if not path.exists():
        message = f"{reference.shown} does not exist in this repository"
        raise PinError(UNKNOWN, message, "correct the path, or commit the file")
    if not path.resolve().is_relative_to(context.root.resolve()):
        raise PinError(MALFORMED, f"{reference.shown} is a link that leaves the repository", "copy the data")
    content = Content(path_digest(path, reference.shown), "the repository")
    digest = content.digest.removeprefix("sha256:")
    return Resolution(f"{reference.text}#sha256={digest}", digest[:SHORT], lambda: content)


def below(root: Path, path: str, shown: str) -> Path:
    """Return a path of the repository.

    Raises:
        PinError: it is not relative, or leads above the repository.
    """
    parts = PurePosixPath(path)
    if not path or parts.is_absolute() or ".." in parts.parts:
        raise PinError(
            MALFORMED, f"{shown} is not a path inside the repository", "for example data/train.parquet"
        )
    return root / parts


def listing_digest(files: Mapping[str, str]) -> str:
    """Return the digest (`sha256:` and hex) of a folder.

    Args:
        files: SHA-256 (hex) of each file, by its path below the folder, with forward slashes.
    """
    lines = [f"{files[path]}  {path}\n" for path in sorted(files, key=os.fsencode)]
    return "sha256:" + hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def path_digest(artifact: Path, shown: str, leave_out: frozenset[str] = frozenset()) -> str:
    """Return the digest (`sha256:` and hex) of a file or a folder.

    Args:
        artifact: the file or the folder.
        shown: how messages call it.
        leave_out: paths below the folder that are not part of the artifact.

    Raises:
        PinError: the file is missing, or has no content (a link, a device).
    """
    try:
        if artifact.is_file():
            return "sha256:" + file_sha256(artifact)
        files = {name: file_sha256(path) for name, path in _files(artifact, shown) if name not in leave_out}
    except OSError as error:
        message = f"{shown} can't be read: {error.strerror}"
        raise PinError(NO_CONTENT, message, "check that it exists, and its permissions") from error
    if not files:
        raise PinError(NO_CONTENT, f"{shown} has no files", "check that the artifact was written")
    return listing_digest(files)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _files(folder: Path, shown: str) -> list[tuple[str, Path]]:
    paths = sorted(folder.rglob("*"))
    for path in paths:
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            name = path.relative_to(folder).as_posix()
            message = f"`{name}` in {shown} is neither a file nor a folder"
            raise PinError(NO_CONTENT, message, "replace it with a copy of what it points to")
    return [(path.relative_to(folder).as_posix(), path) for path in paths if path.is_file()]
