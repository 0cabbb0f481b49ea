"""Asks the git command about the repository that a folder lies in."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from generator.source.errors import UserError

# Set by git for its hooks; they would send the questions below to another repository.
OF_HOOKS: Final = frozenset({
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
})  # fmt: skip
_FIELDS: Final = ("%H", "%P", "%an <%ae>", "%cn <%ce>", "%ct", "%B")
_STATUS: Final = re.compile(r"[A-Z][0-9]*")
_TIMEOUT_S: Final = 600


class HistoryError(UserError):
    """Git can't answer."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit.

    Args:
        sha: hex.
        parents: hex; two or more for a merge.
        author: name and address.
        committer: name and address: who merged, where a server did not.
        written: when it was committed (UTC), as it says itself.
        message: subject and body.
    """

    sha: str
    parents: tuple[str, ...]
    author: str
    committer: str
    written: dt.datetime
    message: str

    @property
    def subject(self) -> str:
        """The first line of its message."""
        return self.message.partition("\n")[0].strip()


@dataclass(frozen=True, slots=True)
class Moved:
    """One file of a change: its name before and after; None where there is none."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a branch: what a merge, or a commit on the branch itself, changed below a folder.

    Args:
        commit: the step.
        since: from when on it counts (UTC), see `Git.steps`.
        files: what it changed, by path below the repository of Sluice.
    """

    commit: Commit
    since: dt.datetime
    files: tuple[Moved, ...]


@dataclass(frozen=True, slots=True)
class Git:
    """A repository.

    Args:
        root: a folder of its work tree: where `specs/` lies.
        prefix: path of that folder below the top of the work tree, with a slash at its end unless empty.
    """

    root: Path
    prefix: str

    @staticmethod
    def at(root: Path) -> Git:
        """The repository that a folder lies in.

        Raises:
            HistoryError: there is none.
        """
        done = run(root, "rev-parse", "--show-prefix")
        if done.returncode:
            raise HistoryError(
                f"{root} is in no git repository", "history is git's: run `git init` and commit"
            )
        return Git(root, done.stdout.decode().strip("\n"))

    @property
    def shallow(self) -> bool:
        """Whether the clone lacks the beginning of its history."""
        return self.ask("rev-parse", "--is-shallow-repository").strip() == "true"

    def ask(self, *arguments: str) -> str:
        """What git says.

        Raises:
            HistoryError: it refuses.
        """
        done = run(self.root, *arguments)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise HistoryError(f"git {arguments[0]} failed: {said}", "see `git status`")
        return done.stdout.decode("utf-8", "surrogateescape")

    def commit(self, revision: str) -> str | None:
        """The commit (hex) that a revision means; None when there is none."""
        done = run(
            self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
        return None if done.returncode else done.stdout.decode().strip()

    def read(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        """Contents of files by (commit, path below the folder); what is no file is left out."""
        keys = [key for key in dict.fromkeys(wanted) if "\n" not in key[1]]
        asked = "".join(f"{commit}:{self.prefix}{path}\n" for commit, path in keys)
        out = run(self.root, "cat-file", "--batch", given=asked.encode("utf-8", "surrogateescape")).stdout
        found, position = {}, 0
        for key in keys:
            end = out.index(b"\n", position)
            head = out[position:end].rsplit(b" ", 2)
            position = end + 1
            if len(head) == 3 and head[2].isdigit():
                size = int(head[2])
                if head[1] == b"blob":
                    found[key] = out[position : position + size]
                position += size + 1
        return found

    def steps(self, revision: str) -> dict[str, dt.datetime]:
        """From when on (UTC) each commit of a branch counted, oldest first: never before the step that it follows.

        Only first parents are followed: a merge is one step, at the time when it was merged.
        """
        found, latest = {}, dt.datetime.min.replace(tzinfo=dt.UTC)
        out = self.ask("log", "--first-parent", "--reverse", "--format=%H %ct", revision)
        for line in out.splitlines():
            sha, _, seconds = line.partition(" ")
            latest = max(latest, dt.datetime.fromtimestamp(int(seconds), tz=dt.UTC))
            found[sha] = latest
        return found

    def changes(self, steps: dict[str, dt.datetime], folder: str) -> list[Change]:
        """Those steps of a branch that changed something below a folder, oldest first."""
        if not steps:
            return []
        out = self.ask(
            "log", "-z", "--first-parent", "--diff-merges=first-parent", "--find-renames=40%", "--name-status",
            "--no-ext-diff", "--relative", f"--format={'%x00'.join(_FIELDS)}", next(reversed(steps)), "--", folder,
        )  # fmt: skip
        return [Change(commit, steps[commit.sha], files) for commit, files in reversed(_parsed(out))]

    def merged(self, commit: Commit, paths: Iterable[str]) -> list[Commit]:
        """The commits that a merge brought in and that changed some paths, oldest first; none for other commits."""
        if len(commit.parents) < 2:
            return []
        ranges = [f"^{commit.parents[0]}", *commit.parents[1:]]
        out = self.ask(
            "log", "-z", "--reverse", "--no-merges", f"--format={'%x00'.join(_FIELDS)}", *ranges, "--", *paths
        )
        tokens = out.split("\0")
        size = len(_FIELDS)
        return [_commit(tokens[at : at + size]) for at in range(0, len(tokens) - size + 1, size)]


def clean_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables under which git asks nobody, speaks English, and looks at the folder that it is told."""
    kept = {name: value for name, value in variables.items() if name not in OF_HOOKS}
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def run(root: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder.

    Raises:
        HistoryError: it is not installed, or does not answer.
    """
    command = ["git", "-C", str(root), *arguments]
    environment = {**clean_environment(os.environ), "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
    try:
        return subprocess.run(  # noqa: S603 - revisions of people stand behind --end-of-options or are hex
            command, env=environment, input=given, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except FileNotFoundError as error:
        raise HistoryError("git is not installed", "install git") from error
    except subprocess.TimeoutExpired as error:
        raise HistoryError(f"git did not answer within {_TIMEOUT_S} s", "see `git status`") from error


def _parsed(out: str) -> list[tuple[Commit, tuple[Moved, ...]]]:
    """Commits and their files from `log -z --name-status`, as git orders them."""
    tokens, at, size = out.split("\0"), 0, len(_FIELDS)
    found = []
    while at + size <= len(tokens):
        commit = _commit(tokens[at : at + size])
        at += size
        files = []
        while at < len(tokens) and _STATUS.fullmatch(status := tokens[at].lstrip("\n")):
            names = tokens[at + 1 : at + (3 if status[0] in "RC" else 2)]
            files.append(_moved(status[0], names))
            at += 1 + len(names)
        found.append((commit, tuple(files)))
    return found


def _moved(status: str, names: list[str]) -> Moved:
    if status == "R":
        return Moved(names[0], names[1])
    if status == "D":
        return Moved(names[0], None)
    return Moved(None if status in "AC" else names[-1], names[-1])


def _commit(fields: list[str]) -> Commit:
    sha, parents, author, committer, seconds, message = fields
    written = dt.datetime.fromtimestamp(int(seconds), tz=dt.UTC)
    return Commit(sha.lstrip("\n"), tuple(parents.split()), author, committer, written, message.strip())
