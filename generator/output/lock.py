"""One writer at a time: a lock on the output root itself, which leaves no file behind."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from generator.output.errors import OutputError
from generator.output.folder import Folder, open_root

Notice = Callable[[str], None]
"""Receives a sentence for the user while a call is still running."""


@contextmanager
def locked(root: str | os.PathLike[str], notice: Notice) -> Iterator[Folder]:
    """Open the output root, made if missing, and hold its lock; the kernel releases it when the process ends.

    Some network file systems know no locks. There two writers at once still leave every file whole, and the
    next run finds by the hashes what is not as it should be.

    Raises:
        OutputError: the root can't be opened or made.
    """
    folder = _open(root)
    while True:
        with folder:
            _lock(folder, notice)
            if _is_at(folder, root):
                yield folder
                return
        folder = _open(root)  # somebody replaced the root while this process waited


def _open(root: str | os.PathLike[str]) -> Folder:
    folder = open_root(root, create=True)
    if folder is None:
        raise OutputError(f"can't open {root}: it vanished as soon as it was made")
    return folder


def _lock(folder: Folder, notice: Notice) -> None:
    try:
        fcntl.flock(folder.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        notice(f"waiting: another sluice is writing {folder.path}")
        fcntl.flock(folder.descriptor, fcntl.LOCK_EX)
    except OSError:
        return  # no locks on this file system


def _is_at(folder: Folder, root: str | os.PathLike[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(folder.descriptor), os.stat(root))  # noqa: PTH116 - see open_root
    except FileNotFoundError:
        return False
