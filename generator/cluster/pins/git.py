"""Reads commits of git repositories through the git command."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from generator.cluster.pins.failure import NOT_CONFIGURED, UNKNOWN, UNREACHABLE, PinError
from generator.cluster.pins.reference import Surroundings
from generator.history.git import clean_environment

_SLOWER: Final = 10  # a fetch may take that many time-outs of one answer


_HEAD: Final = 256  # longer than any line that git writes before an object


@dataclass(frozen=True, slots=True)
class Blob:
    """A file or a link of a commit: its mode (octal), the name of its content, its path."""

    mode: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Git:
    """One commit of a repository.

    Args:
        folder: a folder of the work tree, or a bare repository.
        prefix: path of the folder below the top of the work tree, with a slash at its end unless empty.
        commit: 40 hex digits.
        around: environment and time-out.
    """

    folder: Path
    prefix: str
    commit: str
    around: Surroundings

    def show(self, path: str) -> bytes | None:
        """Content of a file of the commit, by its path below the folder; None when there is none."""
        done = _git(self.around, self.folder, "cat-file", "blob", f"{self.commit}:{self.prefix}{path}")
        return None if done.returncode else done.stdout

    def tree(self, folders: Sequence[str]) -> list[Blob]:
        """Files and links of the commit in some folders, named by their paths below this one.

        Raises:
            PinError: git can't read them.
        """
        paths = [f"{self.prefix}{folder}/" for folder in folders]
        done = _git(self.around, self.folder, "ls-tree", "-r", "-z", "--full-tree", self.commit, "--", *paths)
        if done.returncode:
            raise PinError(UNKNOWN, f"git can't list {self.commit[:12]}{_said(done)}", "run `git fsck`")
        found = []
        for line in done.stdout.split(b"\0")[:-1]:
            (mode, _, name), path = (
                line.partition(b"\t")[0].split(b" "),
                os.fsdecode(line.partition(b"\t")[2]),
            )
            found.append(Blob(mode.decode(), name.decode(), path.removeprefix(self.prefix)))
        return found

    def contents(self, names: Sequence[str]) -> list[bytes]:
        """Contents of objects by their names, in that order, read by one process.

        Raises:
            PinError: one of them is missing, as in a partial clone.
        """
        asked = "".join(f"{name}\n" for name in names).encode()
        done = _git(self.around, self.folder, "cat-file", "--batch", given=asked)
        found, at_byte = [], 0
        for name in names:
            head, _, _ = done.stdout[at_byte : at_byte + _HEAD].partition(b"\n")
            parts = head.split(b" ")
            if done.returncode or len(parts) != 3:
                raise PinError(UNKNOWN, f"git can't read the object {name}{_said(done)}", "run `git fetch`")
            start = at_byte + len(head) + 1
            found.append(done.stdout[start : start + int(parts[2])])
            at_byte = start + int(parts[2]) + 1
        return found


def at(around: Surroundings, revision: str, what: str) -> Git:
    """A commit of the repository that `around.root` lies in.

    Raises:
        PinError: there is no repository, or no such revision.
    """
    prefix = _git(around, around.root, "rev-parse", "--show-prefix")
    if prefix.returncode:
        message = f"this folder is in no git repository, which {what} needs{_said(prefix)}"
        raise PinError(NOT_CONFIGURED, message, "run `git init` and commit, or name another repository")
    commit = _commit(around, around.root, revision)
    if commit is None:
        message = f"this repository has no revision `{revision}`, which {what} names"
        raise PinError(
            UNKNOWN, message, "check the name; a shallow clone lacks tags and history: `git fetch`"
        )
    return Git(around.root, prefix.stdout.decode().strip("\n"), commit, around)


@contextmanager
def fetched(around: Surroundings, url: str, revision: str, what: str) -> Iterator[Git]:
    """A commit of another repository, fetched alone into a temporary one.

    Raises:
        PinError: the repository can't be reached, or has no such revision.
    """
    with tempfile.TemporaryDirectory(prefix="sluice-pin-") as name:
        folder = Path(name)
        _git(around, folder, "init", "--quiet", "--bare")
        done = _git(around, folder, "fetch", "--quiet", "--depth=1", "--no-tags", "--", url, revision)
        commit = None if done.returncode else _commit(around, folder, "FETCH_HEAD")
        if commit is None:
            unknown = b"remote ref" in done.stderr or b"not our ref" in done.stderr
            message = f"git can't fetch `{revision}` for {what}{_said(done)}"
            hint = "name a branch, a tag or a full commit" if unknown else "check the address and your access"
            raise PinError(UNKNOWN if unknown else UNREACHABLE, message, hint)
        yield Git(folder, "", commit, around)


def _commit(around: Surroundings, folder: Path, revision: str) -> str | None:
    done = _git(
        around, folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    found = done.stdout.decode("ascii", "replace").strip()
    return found if not done.returncode and re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", found) else None


def _git(
    around: Surroundings, folder: Path, *arguments: str, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run git without a terminal: it may use the user's credential helpers, but asks nobody."""
    variables = clean_environment(around.variables)
    variables.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(  # noqa: S603 - arguments that may start with a dash stand behind `--`
            command,
            env=variables,
            input=given,
            capture_output=True,
            timeout=around.web.timeout_s * _SLOWER,
            check=False,
        )
    except FileNotFoundError as error:
        raise PinError(NOT_CONFIGURED, "git is not installed", "install git") from error
    except subprocess.TimeoutExpired as error:
        message = f"git did not answer within {around.web.timeout_s * _SLOWER:g} s"
        raise PinError(UNREACHABLE, message, "check the address and the network") from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """Git's last words, without credentials."""
    lines = done.stderr.decode("utf-8", "replace").split("\n")
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return ": " + re.sub(r"//[^/\s]*@", "//", fatal[0].partition(": ")[2])[:200] if fatal else ""
