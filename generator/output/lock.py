"""One writer at a time: a lock on the output root itself, which leaves no file behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from generator.output.errors import OutputError
from generator.output.folder import Folder, open_root
from generator.output.platform_support import BY_DESCRIPTOR, try_lock, wait_for_lock

Notice = Callable[[str], None]
"""Receives a sentence for the user while a call is still running."""


@contextmanager
def locked(root: str | os.PathLike[str], notice: Notice) -> Iterator[Folder]:
    """Open the output root, made if missing, and hold its lock.

    Raises:
        OutputError: the root can't be opened or made.
    """
    folder = _open(root)
    while True:
        with folder:
            if not try_lock(folder.descriptor):
                notice(f"waiting: another sluice is writing {folder.path}")
                wait_for_lock(folder.descriptor)
            if _is_at(folder, root):
                yield folder
                return
        folder = _open(root)  # the root was replaced while this process waited


def _open(root: str | os.PathLike[str]) -> Folder:
    folder = open_root(root, create=True)
    if folder is None:
        raise OutputError(f"can't open {root}: it vanished as soon as it was made")
    return folder


def _is_at(folder: Folder, root: str | os.PathLike[str]) -> bool:
    if not BY_DESCRIPTOR:
        return True
    try:
        return os.path.samestat(os.fstat(folder.descriptor), os.stat(root))  # noqa: PTH116 - see open_root
    except FileNotFoundError:
        return False
