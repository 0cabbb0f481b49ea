"""Digests of artifacts, by the rule of the rendered `import_model.py`.

A file has the SHA-256 of its content. A folder has that of its listing in the format of `sha256sum`, sorted by path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from generator.cluster.pins.failure import NO_CONTENT, PinError


def listing_digest(files: Mapping[str, str]) -> str:
    """Digest (`sha256:` and hex) of a folder.

    Args:
        files: SHA-256 (hex) of each file, by its path below the folder, with forward slashes.
    """
    lines = [f"{files[path]}  {path}\n" for path in sorted(files, key=os.fsencode)]
    return "sha256:" + hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def path_digest(artifact: Path, shown: str, leave_out: frozenset[str] = frozenset()) -> str:
    """Digest (`sha256:` and hex) of a file or a folder.

    Args:
        artifact: the file or the folder.
        shown: how messages call it.
        leave_out: paths below the folder that are not part of the artifact.

    Raises:
        PinError: there is nothing, or what no digest covers: a link, a device.
    """
    try:
        if artifact.is_file():
            return "sha256:" + file_sha256(artifact)
        files = {name: file_sha256(path) for name, path in _files(artifact, shown) if name not in leave_out}
    except OSError as error:
        message = f"{shown} can't be read: {error.strerror}"
        raise PinError(NO_CONTENT, message, "check that it exists and who may read it") from error
    if not files:
        raise PinError(NO_CONTENT, f"{shown} holds no file", "check that the artifact was written")
    return listing_digest(files)


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _files(folder: Path, shown: str) -> list[tuple[str, Path]]:
    paths = sorted(folder.rglob("*"))
    for path in paths:
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            name = path.relative_to(folder).as_posix()
            message = f"`{name}` in {shown} is neither a file nor a folder"
            raise PinError(NO_CONTENT, message, "replace it by a copy of what it points to")
    return [(path.relative_to(folder).as_posix(), path) for path in paths if path.is_file()]
