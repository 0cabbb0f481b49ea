"""Folders by descriptor: every name is resolved inside an open folder, and no link is ever followed."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import field
from itertools import chain
from types import TracebackType
from typing import Final, Self

from generator.dataclass import dataclass
from generator.output.bundle import LEDGER
from generator.output.errors import BlockedError, wrap_os_error
from generator.output.platform_support import BY_DESCRIPTOR, FOLDER, NEW, NO_LINK, READ

_CHUNK: Final = 1 << 16
_NOT_A_FILE: Final = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO}
_STAYS: Final = {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}
_CLOSED: Final = -1
_DEEPEST: Final = 32
_LARGEST: Final = 1 << 24
_TEMPORARY: Final = re.compile(r"\.sluice-[0-9a-f]{16}\.tmp")


@dataclass(slots=True)
class Listing:
    """Paths below a folder, sorted by kind.

    Args:
        files: regular files.
        others: links, sockets and other entries.
        folders: folders, each after those inside it.
        temporaries: temporary files that an interrupted run left.
    """

    files: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    folders: list[str] = field(default_factory=list)
    temporaries: list[str] = field(default_factory=list)

    def empty_folders(self) -> list[str]:
        """Return the folders that hold nothing."""
        if not self.folders:
            return []
        entries = chain(self.files, self.others, self.temporaries, self.folders)
        above = {name.rpartition("/")[0] for name in entries}
        return [name for name in self.folders if name not in above]


class Folder:
    """An open folder at or below the output root.

    Args:
        descriptor: its open descriptor, which this object closes; -1 on systems that can't open folders.
        path: the path for messages, and for access on systems that can't open folders.
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
        if self.descriptor != _CLOSED:
            os.close(self.descriptor)

    def child(self, name: str) -> Folder | None:
        """Open a folder directly below this one; None when there is none.

        Raises:
            BlockedError: something else has that name.
            OutputError: it can't be opened.
        """
        path = f"{self.path}/{name}"
        try:
            if BY_DESCRIPTOR:
                return Folder(os.open(name, FOLDER | NO_LINK, dir_fd=self.descriptor), path)
            return _folder_at(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            if self._is_link(name):
                message = f"can't open {path}: it is a link, and links are not followed; remove it"
                raise BlockedError(message) from error
            if error.errno == errno.ENOTDIR:
                raise BlockedError(wrap_os_error(error, "open", path).message) from error
            raise wrap_os_error(error, "open", path) from error

    def descend(self, path: str) -> Folder | None:
        """Open a folder at a relative path, level by level; the empty path is this folder; None when missing.

        Raises:
            OutputError: a level is not a folder, or can't be opened.
        """
        folder = self._duplicate()
        for name in filter(None, path.split("/")):
            with folder:
                inner = folder.child(name)
            if inner is None:
                return None
            folder = inner
        return folder

    def make(self, path: str) -> Folder:
        """Open a folder at a relative path, creating missing ones.

        Raises:
            FileNotFoundError: another program removes the folders as they are created.
            OutputError: a level is not a folder, or can't be opened or created.
        """
        folder = self._duplicate()
        for name in filter(None, path.split("/")):
            with folder:
                folder = folder.child(name) or folder._make_child(name)  # noqa: SLF001 - of this class
        return folder

    def listing(self, prefix: str = "", skip: Collection[str] = ()) -> Listing:
        """List everything below this folder recursively, without following links.

        Args:
            prefix: put before every path; empty, or ending with `/`.
            skip: folders that are left out with everything in them, as paths with the prefix.

        Raises:
            OutputError: a folder can't be read.
        """
        found = Listing()
        self._list(prefix, found, skip)
        return found

    def level(self, prefix: str = "") -> Listing:
        """List what is directly in this folder.

        Args:
            prefix: put before every name; empty, or ending with `/`.

        Raises:
            OutputError: it can't be read.
        """
        found = Listing()
        found.folders = self._level(prefix, found)
        return found

    def _list(self, prefix: str, found: Listing, skip: Collection[str]) -> None:
        for path in sorted(self._level(prefix, found)):
            if is_too_deep(path):
                found.others.add(path)
                continue
            child = self.child(path.rpartition("/")[2]) if path not in skip else None
            if child is not None:
                with child:
                    child._list(f"{path}/", found, skip)  # noqa: SLF001 - of this class
                found.folders.append(path)

    def _level(self, prefix: str, found: Listing) -> list[str]:
        """Add what is directly in this folder to a listing, except folders, which are returned."""
        inner: list[str] = []
        try:
            with os.scandir(self.descriptor if BY_DESCRIPTOR else self.path) as entries:
                for entry in entries:
                    name = entry.name
                    if entry.is_dir(follow_symlinks=False):
                        inner.append(prefix + name)
                    elif not entry.is_file(follow_symlinks=False):
                        found.others.add(prefix + name)
                    elif _TEMPORARY.fullmatch(name):
                        found.temporaries.append(prefix + name)
                    else:
                        found.files.add(prefix + name)
        except OSError as error:
            raise wrap_os_error(error, "list", self.path) from error
        return inner

    def read(self, name: str) -> bytes | None:
        """Read a file at a relative path; None when it is missing or anything but a regular file.

        A file that is larger than anything that is rendered counts as empty.

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
            descriptor = self._open(name, READ)
            try:
                return _read_all(descriptor) if os.fstat(descriptor).st_size <= _LARGEST else b""
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno in _NOT_A_FILE:
                return None
            raise wrap_os_error(error, "read", f"{self.path}/{name}") from error

    def write(self, name: str, data: bytes) -> None:
        """Replace a file at a relative path atomically, creating the folders above it.

        The content goes into a temporary file next to it, which is then renamed: a reader sees the old file or the
        new one, even after a kill at any moment. Nothing is flushed to the disk: a power cut may lose what was just
        written, but never what is in git. The next run compares every byte by its hash, and a flush for each file
        would cost several times the whole run.

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
            raise wrap_os_error(error, "write", f"{self.path}/{name}") from error

    def remove(self, name: str) -> None:
        """Remove a file at a relative path (a link itself, not its target); it may already be gone.

        Raises:
            OutputError: it can't be removed.
        """
        self._take_away(os.unlink, name, {errno.ENOENT})

    def remove_empty(self, name: str) -> None:
        """Remove a folder at a relative path if it is empty.

        Raises:
            OutputError: it is empty and can't be removed.
        """
        self._take_away(os.rmdir, name, _STAYS)

    def _replace(self, name: str, data: bytes) -> None:
        temporary = f"{LEDGER}-{os.urandom(8).hex()}.tmp"
        descriptor = self._open(temporary, NEW)
        try:
            try:
                _write_all(descriptor, data)
            finally:
                os.close(descriptor)
            if BY_DESCRIPTOR:
                os.replace(temporary, name, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
            else:
                os.replace(self._join(temporary), self._join(name))  # noqa: PTH105 - see open_root
        except BaseException:
            with suppress(OSError):
                self._apply(os.unlink, temporary)
            raise

    def _take_away(self, away: Callable[..., None], name: str, unless: Collection[int]) -> None:
        """Remove something at a relative path; these error numbers mean that it is gone or has to stay."""
        above, _, last = name.rpartition("/")
        inner = self.descend(above)
        if inner is None:
            return
        with inner:
            try:
                inner._apply(away, last)  # noqa: SLF001 - of this class
            except OSError as error:
                if error.errno not in unless:
                    raise wrap_os_error(error, "remove", f"{self.path}/{name}") from error

    def _make_child(self, name: str) -> Folder:
        try:
            with suppress(FileExistsError):  # another run was faster
                self._apply(os.mkdir, name)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise wrap_os_error(error, "create the folder", f"{self.path}/{name}") from error
        folder = self.child(name)
        if folder is None:
            raise FileNotFoundError(name)
        return folder

    def _duplicate(self) -> Folder:
        return Folder(os.dup(self.descriptor) if BY_DESCRIPTOR else _CLOSED, self.path)

    def _open(self, name: str, flags: int) -> int:
        if BY_DESCRIPTOR:
            return os.open(name, flags, 0o666, dir_fd=self.descriptor)
        path = self._join(name)
        if flags == READ and not stat.S_ISREG(os.lstat(path).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return os.open(path, flags, 0o666)

    def _apply(self, function: Callable[..., None], name: str) -> None:
        """Call a function of `os` on a name inside this folder."""
        if BY_DESCRIPTOR:
            function(name, dir_fd=self.descriptor)
        else:
            function(self._join(name))

    def _is_link(self, name: str) -> bool:
        try:
            if BY_DESCRIPTOR:
                return stat.S_ISLNK(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode)
            return is_link(self._join(name))
        except OSError:
            return False

    def _join(self, name: str) -> str:
        return f"{self.path}/{name}"


def is_too_deep(path: str) -> bool:
    """Check whether a folder is deeper than anything that is rendered; what is in it is not searched."""
    return path.count("/") >= _DEEPEST


def open_root(root: str | os.PathLike[str], *, create: bool = False) -> Folder | None:
    """Open the output root, the only folder that may be reached through links; None when there is none.

    Raises:
        OutputError: it is not a folder, or can't be opened or created.
    """
    path = os.fspath(root).rstrip("/") or "/"
    try:
        if create:
            os.makedirs(root, exist_ok=True)  # noqa: PTH103 - importing pathlib takes 5 ms and has no advantage here
        if BY_DESCRIPTOR:
            return Folder(os.open(root, FOLDER), path)
        return _folder_at(path, follow=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise wrap_os_error(error, "open", os.fspath(root)) from error


def _folder_at(path: str, *, follow: bool = False) -> Folder:
    """Return a folder on a system that can't open folders.

    Raises:
        OSError: it is missing, a link, or not a folder.
    """
    mode = os.stat(path).st_mode if follow else os.lstat(path).st_mode  # noqa: PTH116 - as above
    if not stat.S_ISDIR(mode) or (not follow and is_link(path)):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    return Folder(_CLOSED, path)


def is_link(path: str | os.PathLike[str]) -> bool:
    """Check whether a path is a symbolic link, or a junction of Windows; False when there is nothing."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    return stat.S_ISLNK(found.st_mode) or bool(
        getattr(found, "st_reparse_tag", 0) == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None)
    )


def _read_all(descriptor: int) -> bytes:
    data = os.read(descriptor, _CHUNK)
    if len(data) < _CHUNK:  # a regular file returns fewer bytes only at its end
        return data
    chunks = [data]
    while chunk := os.read(descriptor, _CHUNK):
        chunks.append(chunk)
    return b"".join(chunks)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
