"""Reads the bytes of files. It imports little, because checking an unchanged repository needs only this."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LIMIT = 1 << 20
# Does not wait for the writer of a pipe, and does not translate line ends.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 16  # allocating a buffer of the limit's size would take longer than reading most files


class RefusedError(Exception):
    """A file that is refused without reading it: code, message and hint."""


def regular_bytes(path: Path) -> bytes:
    """Return the bytes of a regular file within the size limit; never wait for pipes and devices.

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
        if mode.st_size > LIMIT:
            raise RefusedError(
                "SRC103",
                f"this file has {mode.st_size:,} bytes; the limit is {LIMIT:,}",
                "split it, or remove it if it is not a spec",
            )
        chunks = [os.read(descriptor, _CHUNK)]
        while chunks[-1] and sum(map(len, chunks)) <= LIMIT:
            chunks.append(os.read(descriptor, _CHUNK))
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def raw(path: Path) -> bytes | None:
    """Return the bytes of a regular file within the size limit; None for anything else, without waiting."""
    try:
        return regular_bytes(path)
    except (RefusedError, OSError, RuntimeError):
        return None


def text_of(path: Path) -> str | None:
    """Return the text of such a file with invalid UTF-8 replaced; None for anything else."""
    content = raw(path)
    return None if content is None else content.decode("utf-8", "replace")
