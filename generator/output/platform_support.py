"""Differences between operating systems: folders by descriptor, flags of `open`, locks, the number of cores.

With descriptors (Linux, macOS) every name is resolved inside an open folder, so no link can be slipped in between
check and use. Without them (Windows) names are joined to paths, and each use first checks for links.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock

    _HAS_LOCKS = True
except ModuleNotFoundError:  # Windows
    _HAS_LOCKS = False

BY_DESCRIPTOR: Final = os.scandir in os.supports_fd and os.supports_dir_fd.issuperset(
    {os.open, os.mkdir, os.rename, os.rmdir, os.stat, os.unlink}
)
"""Whether folders can be opened, and names resolved inside them."""


def _flags(*names: str) -> int:
    """Combine the flags that this system supports."""
    found = 0
    for name in names:
        found |= getattr(os, name, 0)
    return found


FOLDER: Final = _flags("O_RDONLY", "O_DIRECTORY", "O_CLOEXEC")
"""Open a folder."""
NO_LINK: Final = _flags("O_NOFOLLOW")
"""Refuse a link."""
READ: Final = _flags("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOINHERIT", "O_BINARY")
"""Open a file to read, without waiting for a writer of a pipe."""
NEW: Final = _flags("O_WRONLY", "O_CREAT", "O_EXCL", "O_NOFOLLOW", "O_CLOEXEC", "O_NOINHERIT", "O_BINARY")
"""Create a file that must not exist yet."""


def try_lock(descriptor: int) -> bool:
    """Lock an open folder; True also if the system or the file system has no locks.

    The kernel releases the lock when the process ends. Without locks two concurrent writers still leave every file
    whole, and the next run finds wrong files by their hashes.
    """
    if not _HAS_LOCKS:
        return True
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def share_lock(descriptor: int) -> None:
    """Lock an open folder together with others who share it, or turn a lock into a shared one; never wait."""
    if _HAS_LOCKS:
        with suppress(OSError):
            flock(descriptor, LOCK_SH | LOCK_NB)


def has_lock(descriptor: int) -> bool:
    """Try to lock an open folder alone; False also if the system or the file system has no locks."""
    if not _HAS_LOCKS:
        return False
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except OSError:
        return False
    return True


def wait_for_lock(descriptor: int) -> None:
    """Wait until another process unlocks an open folder, then lock it."""
    flock(descriptor, LOCK_EX)


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
