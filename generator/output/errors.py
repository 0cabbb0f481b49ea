"""The one exception for refused file system operations."""

from __future__ import annotations

import errno
import os

from generator.source.errors import UserError

_REASONS = {
    errno.ENOSPC: "no space is left on the device",
    errno.EFBIG: "the file size limit of this process is reached",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission is denied",
    errno.EPERM: "the operation is not permitted",
    errno.ENOTDIR: "there is a file where a folder is expected; move it away",
    errno.EEXIST: "there is a file where a folder is expected; move it away",
    errno.EISDIR: "there is a folder where a file is expected; move it away",
    errno.ELOOP: "it is a symbolic link, and links are not followed; remove it",
    errno.ENOENT: "it keeps vanishing; another program is deleting it",
    errno.ENAMETOOLONG: "the name is too long for this file system",
}


if hasattr(errno, "EDQUOT"):  # not on Windows
    _REASONS[errno.EDQUOT] = "the disk quota is used up"


class OutputError(UserError):
    """The file system refused an operation; every file still holds its old or its new content."""


class BlockedError(OutputError):
    """A link, a file or something else has the name of a folder."""


def wrap_os_error(error: OSError, action: str, path: str) -> OutputError:
    """Return an error that names the path that could not be read, written or removed, and the reason."""
    number = error.errno or 0
    reason = _REASONS.get(number) or os.strerror(number).lower()
    return OutputError(f"can't {action} {path}: {reason}")
