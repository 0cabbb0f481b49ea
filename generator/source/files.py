"""Reads the bytes of files. It imports little, because checking an unchanged repository needs only this."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

LIMIT = 1 << 20
# Does not wait for the writer of a pipe, and does not translate line ends.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 16  # allocating a buffer of the limit's size would take longer than reading most files


class RefusedError(Exception):
    """A file that is refused without reading it: code, message and hint."""


def regular_bytes(path: Path | str, limit: int = LIMIT) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes; never wait for pipes and devices.

    Raises:
        RefusedError: it is something else.
        OSError: it can't be read.
    """
    descriptor = os.open(path, _READ)
    try:
        mode = os.fstat(descriptor)
        if stat.S_ISDIR(mode.st_mode):
            raise RefusedError("SRC102", "this is a folder, not a file", "move it away, or name a file")
        if not stat.S_ISREG(mode.st_mode):
            raise RefusedError("SRC102", "this is not a regular file", "put the YAML into a regular file")
        if mode.st_size > limit:
            raise _too_large(f"{mode.st_size:,}", limit)
        chunks = [os.read(descriptor, _CHUNK)]
        size = len(chunks[0])
        while chunks[-1] and size <= limit:
            chunks.append(os.read(descriptor, _CHUNK))
            size += len(chunks[-1])
        if size > limit:
            raise _too_large(f"more than {limit:,}", limit)
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def is_below(name: str) -> bool:
    """Return whether a name is a path that can't leave the folder that it starts from."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and "\0" not in name


def has_link(root: Path, path: Path) -> bool:
    """Return whether a path below a folder goes through a link; the folder itself may be one.

    Raises:
        ValueError: the path is not below the folder.
    """
    at, above = os.fspath(root), len(root.parts)
    if path.parts[:above] != root.parts:
        raise ValueError(f"{path} is not below {root}")
    for part in path.parts[above:]:
        at = f"{at}{os.sep}{part}"
        if os.path.islink(at):  # noqa: PTH114 - a Path for each part costs more than the answer
            return True
    return False


def bytes_below(root: Path, path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file below a folder that no link leads to.

    Raises:
        RefusedError: it is something else, outside the folder, or larger than `limit` bytes.
        OSError: it can't be read.
    """
    if not path.is_relative_to(root) or not is_below(path.relative_to(root).as_posix()):
        raise RefusedError("SRC102", "this file is not below the repository", "name a file of the repository")
    if has_link(root, path):
        raise RefusedError("SRC102", "a link leads to this file", "put the file itself there")
    return regular_bytes(path, limit)


def _too_large(size: str, limit: int) -> RefusedError:
    hint = "split it, or remove it if it is not a spec"
    return RefusedError("SRC103", f"this file has {size} bytes; the limit is {limit:,}", hint)


def raw(path: Path | str) -> bytes | None:
    """Return the bytes of a regular file within the size limit; None for anything else, without waiting."""
    try:
        return regular_bytes(path)
    except (RefusedError, OSError, RuntimeError):
        return None


def text_of(path: Path | str) -> str | None:
    """Return the text of such a file with invalid UTF-8 replaced; None for anything else."""
    content = raw(path)
    return None if content is None else content.decode("utf-8", "replace")
