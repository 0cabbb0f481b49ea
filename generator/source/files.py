"""Bytes of files; light on purpose: an unchanged repository needs nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LIMIT = 1 << 20
# Without waiting for the writer of a pipe, and without translating line ends, where a system would do so.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 16  # a buffer of the limit's size would take longer to get than most files to read


class RefusedError(Exception):
    """A file that is refused unread: code, message and hint."""


def regular_bytes(path: Path) -> bytes:
    """Return the bytes of a regular file of a sane size, without waiting for pipes and devices.

    Raises:
        RefusedError: something else is there.
        OSError: it can't be read.
    """
    descriptor = os.open(path, _READ)
    try:
        mode = os.fstat(descriptor)
        if stat.S_ISDIR(mode.st_mode):
            raise RefusedError("SRC102", "this is a folder, not a file", "move it away, or name a file")
        if not stat.S_ISREG(mode.st_mode):
            raise RefusedError("SRC102", "this is not a regular file", "write the YAML into a plain file")
        if mode.st_size > LIMIT:
            raise RefusedError(
                "SRC103",
                f"this file has {mode.st_size:,} bytes; at most {LIMIT:,} are read",
                "split it or remove what is not a spec",
            )
        chunks = [os.read(descriptor, _CHUNK)]
        while chunks[-1] and sum(map(len, chunks)) <= LIMIT:
            chunks.append(os.read(descriptor, _CHUNK))
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def raw(path: Path) -> bytes | None:
    """Return the bytes of a regular file of a sane size; None for anything else, without waiting for it."""
    try:
        return regular_bytes(path)
    except (RefusedError, OSError, RuntimeError):
        return None


def text_of(path: Path) -> str | None:
    """Return the text of such a file, whatever is not UTF-8 replaced; None for whatever else is there."""
    content = raw(path)
    return None if content is None else content.decode("utf-8", "replace")
