"""Folders by descriptor: every name is resolved inside an open folder, and no link is ever followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection
from contextlib import suppress
from types import TracebackType
from typing import Self

from generator.output.bundle import LEDGER
from generator.output.errors import OutputError, refused

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 16
_NOT_A_FILE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO}
_STAYS = {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}


class Folder:
    """An open folder at or below the output root.

    Args:
        descriptor: an open descriptor of it, which this object closes.
        path: how the user knows it, for messages.
    """

    __slots__ = ("descriptor", "path")

    def __init__(self, descriptor: int, path: str) -> None:
        self.descriptor = descriptor
        self.path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)

    def child(self, name: str) -> Folder | None:
        """Open a folder directly below this one; None when there is none.

        Raises:
            OutputError: something else has that name, or it can't be opened.
        """
        path = f"{self.path}/{name}"
        try:
            return Folder(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.descriptor), path)
        except FileNotFoundError:
            return None
        except OSError as error:
            if self._is_link(name):
                raise OutputError(
                    f"can't open {path}: it is a link, and links are not followed; remove it"
                ) from error
            raise refused(error, "open", path) from error

    def descend(self, path: str) -> Folder | None:
        """Open a folder at a relative path, level by level; the empty path is this folder; None when missing.

        Raises:
            OutputError: a level is not a folder, or can't be opened.
        """
        folder = self._again()
        for name in filter(None, path.split("/")):
            with folder:
                inner = folder.child(name)
            if inner is None:
                return None
            folder = inner
        return folder

    def make(self, path: str) -> Folder:
        """Open a folder at a relative path, making what is missing.

        Raises:
            FileNotFoundError: another program removes the folders as they are made.
            OutputError: a level is not a folder, or can't be opened or made.
        """
        folder = self._again()
        for name in filter(None, path.split("/")):
            with folder:
                folder = folder.child(name) or folder._made(name)  # noqa: SLF001 - of this class
        return folder

    def read(self, name: str) -> bytes | None:
        """Read a file at a relative path; None when it is missing or anything but a regular file.

        Raises:
            OutputError: it can't be read.
        """
        if "/" in name:
            above, _, name = name.rpartition("/")
            inner = self.descend(above)
            if inner is None:
                return None
            with inner:
                return inner.read(name)
        try:
            descriptor = os.open(name, _READ, dir_fd=self.descriptor)
            try:
                return _read_all(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                return None
            raise refused(error, "read", f"{self.path}/{name}") from error

    def write(self, name: str, data: bytes) -> None:
        """Replace a file at a relative path in one step, making the folders above it.

        The content goes into a temporary file beside it, which then takes the name: who reads meanwhile, or
        after a kill at any moment, sees the old file or the new one. Nothing is flushed to the disk: a power
        cut may lose what was just written, but never what git holds, and the next run compares every byte by
        its hash, while a flush for each file would cost several times the whole run.

        Raises:
            FileNotFoundError: another program removes files or folders meanwhile.
            OutputError: it can't be written.
        """
        if "/" in name:
            above, _, name = name.rpartition("/")
            with self.make(above) as inner:
                inner.write(name, data)
            return
        try:
            self._replace(name, data)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise refused(error, "write", f"{self.path}/{name}") from error

    def _replace(self, name: str, data: bytes) -> None:
        here = self.descriptor
        temporary = f"{LEDGER}-{os.urandom(8).hex()}.tmp"
        descriptor = os.open(temporary, _NEW, 0o666, dir_fd=here)
        try:
            try:
                _write_all(descriptor, data)
            finally:
                os.close(descriptor)
            os.replace(temporary, name, src_dir_fd=here, dst_dir_fd=here)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=here)
            raise

    def remove(self, name: str) -> None:
        """Remove a file at a relative path, a link as a link; it may be gone already.

        Raises:
            OutputError: it can't be removed.
        """
        self._take(os.unlink, name, {errno.ENOENT})

    def remove_empty(self, name: str) -> None:
        """Remove a folder at a relative path if it is empty.

        Raises:
            OutputError: it is empty and can't be removed.
        """
        self._take(os.rmdir, name, _STAYS)

    def _take(self, away: Callable[..., None], name: str, unless: Collection[int]) -> None:
        """Take something away at a relative path; these error numbers mean that it is gone, or stays."""
        above, _, last = name.rpartition("/")
        inner = self.descend(above)
        if inner is None:
            return
        with inner:
            try:
                away(last, dir_fd=inner.descriptor)
            except OSError as error:
                if error.errno not in unless:
                    raise refused(error, "remove", f"{self.path}/{name}") from error

    def _again(self) -> Folder:
        return Folder(os.dup(self.descriptor), self.path)

    def _made(self, name: str) -> Folder:
        try:
            with suppress(FileExistsError):  # another run was faster
                os.mkdir(name, dir_fd=self.descriptor)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise refused(error, "make the folder", f"{self.path}/{name}") from error
        folder = self.child(name)
        if folder is None:
            raise FileNotFoundError(name)
        return folder

    def _is_link(self, name: str) -> bool:
        try:
            return stat.S_ISLNK(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode)
        except OSError:
            return False


def open_root(root: str | os.PathLike[str], *, create: bool = False) -> Folder | None:
    """Open the output root, which alone may be reached through links; None when there is none.

    Raises:
        OutputError: it is not a folder, or can't be opened or made.
    """
    try:
        if create:
            os.makedirs(root, exist_ok=True)  # noqa: PTH103 - pathlib loads in 5 ms and gives nothing here
        return Folder(os.open(root, _FOLDER), os.fspath(root).rstrip("/") or "/")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refused(error, "open", os.fspath(root)) from error


def _read_all(descriptor: int) -> bytes:
    data = os.read(descriptor, _CHUNK)
    if len(data) < _CHUNK:  # a regular file gives less only at its end
        return data
    chunks = [data]
    while chunk := os.read(descriptor, _CHUNK):
        chunks.append(chunk)
    return b"".join(chunks)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
