"""Digests of the content of files and folders: what locks, gates and the rendered `import_model.py` compare.

A file has the SHA-256 of its content; a folder has that of its listing in the format of `sha256sum`, sorted by path.
Two artifacts never share a digest: a name can't hold a second line of the listing, and a file that starts like a
listing is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

from generator.source.errors import UserError

UNSAFE: Final = r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\\]"
"""Characters that no file name in an artifact may have: controls, line ends, writing directions, bytes that are not
UTF-8, and the backslash, which `sha256sum` escapes and which separates folders on Windows."""
LISTED: Final = rb"[0-9a-f]{64}  "
"""How the listing of a folder starts."""
HEAD: Final = 66
"""Bytes at the start of a file that decide whether it starts like a listing."""
PATTERN: Final = re.compile(r"[*?\[]")
"""What makes a name a pattern."""
_LONGEST: Final = 4096
"""Bytes of the longest path that Linux opens (PATH_MAX); longer ones in a listing cost time and can't be written."""
_CHUNK: Final = 1 << 20
_SHOWN: Final = 100

Trouble = Literal["unreadable", "name"]


class ContentError(UserError):
    """An artifact has no digest.

    Args:
        message: one sentence.
        hint: what to do.
        trouble: why, for programs: `name` for names and contents that could stand for another artifact.
    """

    def __init__(self, message: str, hint: str, trouble: Trouble = "unreadable") -> None:
        super().__init__(message, hint)
        self.trouble: Trouble = trouble


def check_names(names: Iterable[str], shown: str) -> None:
    """Check the names of all files of a folder: paths below it, with forward slashes.

    Args:
        names: as the store or the file system lists them.
        shown: how messages call the artifact.

    Raises:
        ContentError: a name is unsafe, occurs twice, or is that of a folder with files.
    """
    seen: set[str] = set()
    folders: set[str] = set()
    for name in names:
        if name in seen:
            raise _bad_name(name, shown, "occurs twice")
        seen.add(name)
        if len(name) > _LONGEST:
            raise _bad_name(name, shown, f"is longer than {_LONGEST:,} characters")
        parts = name.split("/")
        if re.search(UNSAFE, name):
            raise _bad_name(name, shown, "has a control character, a backslash, or bytes that are not UTF-8")
        if any(part in {"", ".", ".."} for part in parts):
            raise _bad_name(name, shown, "is not a path below its folder")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    if both := sorted(seen & folders):
        raise _bad_name(both[0], shown, "is a file and a folder")


def listing_digest(files: Iterable[tuple[str, str]], shown: str) -> str:
    """Return the digest (`sha256:` and hex) of a folder.

    Args:
        files: the path of each file below the folder, with forward slashes, and its SHA-256 (hex).
        shown: how messages call the artifact.

    Raises:
        ContentError: see `check_names`; or there are no files.
    """
    listed = list(files)
    if not listed:
        raise ContentError(f"{shown} has no files", "check that the artifact was written")
    check_names((name for name, _ in listed), shown)
    lines = [f"{sha256}  {name}\n" for name, sha256 in sorted(listed, key=lambda item: os.fsencode(item[0]))]
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def joint_digest(digests: Mapping[str, str]) -> str:
    """Return the digest of models by their names: that of a list of them, as `sha256sum` writes one for a folder."""
    pairs = [(name, digest.removeprefix("sha256:")) for name, digest in digests.items()]
    return listing_digest(pairs, "the list of models")


def joint_path_digest(folder: Path, names: Iterable[str]) -> str:
    """Return the digest of models that are in a folder, each as the only entry of a folder with its name.

    Raises:
        ContentError: one is missing, or the same as `path_digest`.
    """
    digests = {}
    for name in names:
        entries = sorted((folder / name).glob("*"))
        if len(entries) != 1:
            message = f"{folder.name}/{name} has {len(entries)} entries, not one model"
            raise ContentError(
                message, "put each model into a folder with its name, and the main one into `model`"
            )
        digests[name] = path_digest(entries[0], name)
    return joint_digest(digests)


def path_digest(artifact: Path, shown: str, leave_out: frozenset[str] = frozenset()) -> str:
    """Return the digest (`sha256:` and hex) of a file or a folder.

    Args:
        artifact: the file or the folder.
        shown: how messages call it.
        leave_out: paths below the folder that are not part of the artifact.

    Raises:
        ContentError: it is missing, can't be read, contains a link or a device, or could stand for another artifact.
    """
    try:
        if artifact.is_file():
            return "sha256:" + sha256_of_file(artifact, lambda head: check_start(head, shown))
        names = [name for name in _names(artifact, shown) if name not in leave_out]
        check_names(names, shown)
        return listing_digest([(name, sha256_of_file(artifact / name)) for name in names], shown)
    except OSError as error:
        message = f"{shown} can't be read: {error.strerror}"
        raise ContentError(message, "check that it exists, and its permissions") from error


def partitions(root: Path, name: str, shown: str) -> tuple[dict[Path, str], str]:
    """Return the SHA-256 (hex) of each file of a data set, sorted by path, and the digest of the set.

    A file has the digest of its content; a folder or a pattern (`data/*/*.parquet`) that of its listing.

    Args:
        root: the folder that the name is below.
        name: a file, a folder or a pattern.
        shown: how messages call it.

    Raises:
        ContentError: there is no such file, or the same as `path_digest`.
    """
    whole = root / name
    if whole.is_file() and not PATTERN.search(name):
        digest = path_digest(whole, shown)
        return {whole: digest.removeprefix("sha256:")}, digest
    try:
        if PATTERN.search(name):
            base, files = root, sorted(item for item in root.glob(name) if item.is_file())
        else:
            base, files = whole, sorted(whole / item for item in _names(whole, shown))
        found = {file: sha256_of_file(file) for file in files}
    except (OSError, ValueError) as error:
        raise ContentError(f"{shown} can't be read: {error}", "check the name, and permissions") from error
    listed = [(file.relative_to(base).as_posix(), sha256) for file, sha256 in found.items()]
    return found, listing_digest(listed, shown)


def check_start(head: bytes, shown: str) -> None:
    """Check that a file that is a whole artifact does not start like a listing: a folder could have its digest.

    Args:
        head: at least its first `HEAD` bytes, or all.
        shown: how messages call it.

    Raises:
        ContentError: it does.
    """
    if re.match(LISTED, head):
        message = f"{shown} starts like a list of `sha256sum`: its digest could be that of a folder"
        raise ContentError(message, "put the file into a folder, which has a digest of another form", "name")


def sha256_of_file(path: Path, check: Callable[[bytes], None] | None = None) -> str:
    """Return the SHA-256 (hex) of a file's content.

    Args:
        path: the file.
        check: receives its first bytes.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as stream:
        if check is None:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        head = stream.read(_CHUNK)
        check(head)
        found = hashlib.sha256(head)
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
        return found.hexdigest()


def _names(folder: Path, shown: str) -> list[str]:
    """Return the paths of all files below a folder; a link or a device is an error."""
    names = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            message = f"{_quoted(name)} in {shown} is neither a file nor a folder"
            raise ContentError(message, "replace it with a copy of what it points to")
        if path.is_file():
            names.append(name)
    return names


def _bad_name(name: str, shown: str, trouble: str) -> ContentError:
    return ContentError(f"a file name in {shown} {trouble}: {_quoted(name)}", "rename the file", "name")


def _quoted(name: str) -> str:
    """Return a name in a form that no terminal and no log obeys."""
    escaped = json.dumps(name)[1:-1] if re.search(UNSAFE, name) else name
    return f"`{escaped if len(escaped) <= _SHOWN else escaped[:_SHOWN] + '…'}`"
