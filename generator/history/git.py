"""Reads git repositories with the git command: no shell or terminal, bounded time and output."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from generator.dataclass import dataclass
from generator.history.git_call import TIMEOUT_S, Done, GitError, reason_of, run

_FIELDS: Final = ("%H", "%P", "%an <%ae>", "%cn <%ce>", "%ct", "%B")
_STATUS: Final = re.compile(r"[A-Z][0-9]*")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_EPOCH: Final = dt.datetime.fromtimestamp(0, tz=dt.UTC)


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit.

    Args:
        sha: hex.
        parents: hex; two or more for a merge.
        author: name and address.
        committer: name and address of who merged, unless a server did.
        written: commit time (UTC) in the commit itself.
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
class Renamed:
    """The name of one file before and after a change; None when it did not exist."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a branch: what a merge, or a commit on the branch itself, changed below a folder.

    Args:
        commit: the step.
        since: when it took effect (UTC), see `Git.steps`.
        files: what it changed, by path below the repository of Sluice.
    """

    commit: Commit
    since: dt.datetime
    files: tuple[Renamed, ...]


@dataclass(frozen=True, slots=True)
class Blob:
    """A file or a link in a commit: its mode (octal), its object name (hex), its path."""

    mode: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Git:
    """A repository.

    Args:
        root: a folder of its work tree, where `specs/` is; or a bare repository.
        prefix: path of that folder below the top of the work tree, with a trailing slash unless empty.
        timeout_s: the time limit of one git call.
    """

    root: Path
    prefix: str = ""
    timeout_s: float = TIMEOUT_S

    @staticmethod
    def at(root: Path, timeout_s: float = TIMEOUT_S) -> Git:
        """Return the repository that a folder is in.

        Raises:
            GitError: there is none.
        """
        done = run(root, "rev-parse", "--show-prefix", timeout_s=timeout_s)
        if done.code:
            reason = "" if b"not a git repository" in done.errors else reason_of(done)
            raise GitError(
                f"{root} is not in a git repository{reason}",
                "run `git init` and commit",
                "no-repository",
            )
        return Git(root, done.output.decode().strip("\n"), timeout_s)

    @property
    def shallow(self) -> bool:
        """Whether this is a shallow clone."""
        return self.ask("rev-parse", "--is-shallow-repository").strip() == "true"

    def ask(self, *arguments: str) -> str:
        """Return the output of a git command.

        Raises:
            GitError: the command failed.
        """
        done = self._run(*arguments)
        if done.code:
            raise GitError(f"git {arguments[0]} failed{reason_of(done)}", "see `git status`")
        return done.output.decode("utf-8", "surrogateescape")

    def commit(self, revision: str) -> str | None:
        """Return the commit (hex) of a revision; None when there is none."""
        if revision.startswith("-"):
            return None
        done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        found = done.output.decode("ascii", "replace").strip()
        return found if not done.code and _COMMIT.fullmatch(found) else None

    def read(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        """Read files by (commit, path below the folder); anything that is not a file is left out."""
        keys = [key for key in dict.fromkeys(wanted) if "\n" not in key[1]]
        contents = self._contents([f"{commit}:{self.prefix}{path}" for commit, path in keys])
        return {key: content for key, content in zip(keys, contents, strict=True) if content is not None}

    def tree(self, commit: str, folders: Sequence[str]) -> list[Blob]:
        """List files and links of a commit in some folders, with paths below this repository's folder.

        Raises:
            GitError: git can't read them.
        """
        paths = [f"{self.prefix}{folder}/" for folder in folders]
        found = []
        for line in self.ask("ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths).split("\0")[:-1]:
            head, _, path = line.partition("\t")
            mode, _, name = head.split(" ")
            found.append(Blob(mode, name, path.removeprefix(self.prefix)))
        return found

    def contents(self, blobs: Sequence[Blob]) -> list[bytes]:
        """Read the contents of blobs, in their order.

        Raises:
            GitError: one is missing, as in a partial clone.
        """
        found = self._contents([blob.name for blob in blobs])
        missing = [blob.path for blob, content in zip(blobs, found, strict=True) if content is None]
        if missing:
            raise GitError(
                f"git can't read {missing[0]}", "run `git fetch`; a partial clone lacks some contents"
            )
        return [content for content in found if content is not None]

    def steps(self, revision: str) -> dict[str, dt.datetime]:
        """Return when (UTC) each commit of a branch took effect, oldest first and never earlier than its predecessor.

        Only first parents are followed: a merge is one step, at the time when it was merged. A commit has any time that
        its author writes into it; one that has not come yet counts as that of its predecessor.
        """
        found, latest = {}, _EPOCH
        now = dt.datetime.now(tz=dt.UTC)
        out = self.ask("log", "--first-parent", "--reverse", "--format=%H %ct", revision)
        for line in out.splitlines():
            sha, _, seconds = line.partition(" ")
            written = _moment(seconds)
            latest = max(latest, written) if written <= now else latest
            found[sha] = latest
        return found

    def changes(self, steps: dict[str, dt.datetime], folder: str) -> list[Change]:
        """Return those steps of a branch that changed something below a folder, oldest first."""
        if not steps:
            return []
        out = self.ask(
            "log", "-z", "--first-parent", "--diff-merges=first-parent", "--find-renames=40%", "--name-status",
            "--no-ext-diff", "--relative", f"--format={'%x00'.join(_FIELDS)}", next(reversed(steps)), "--", folder,
        )  # fmt: skip
        return [Change(commit, steps[commit.sha], files) for commit, files in reversed(_parsed(out))]

    def merged(self, commit: Commit, paths: Iterable[str]) -> list[Commit]:
        """Return the commits that a merge brought in and that changed some paths, oldest first."""
        if len(commit.parents) < 2:
            return []
        ranges = [f"^{commit.parents[0]}", *commit.parents[1:]]
        out = self.ask(
            "log", "-z", "--reverse", "--no-merges", f"--format={'%x00'.join(_FIELDS)}", *ranges, "--", *paths
        )
        tokens = out.split("\0")
        size = len(_FIELDS)
        return [_commit(tokens[at : at + size]) for at in range(0, len(tokens) - size + 1, size)]

    def _contents(self, names: Sequence[str]) -> list[bytes | None]:
        """Read objects by name in one call; None for anything that is not a file."""
        given = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
        out = self._run("cat-file", "--batch", given=given).output
        found: list[bytes | None] = []
        position = 0
        for _ in names:
            end = out.find(b"\n", position)
            if end < 0:  # git has stopped; its exit code and messages give the reason
                found.append(None)
                continue
            head = out[position:end].rsplit(b" ", 2)
            position = end + 1
            content = None
            if len(head) == 3 and head[2].isdigit():
                size = int(head[2])
                content = out[position : position + size] if head[1] == b"blob" else None
                position += size + 1
            found.append(content)
        return found

    def _run(self, *arguments: str, given: bytes = b"") -> Done:
        return run(self.root, *arguments, given=given, timeout_s=self.timeout_s)


@contextmanager
def fetched(url: str, revision: str, timeout_s: float = TIMEOUT_S) -> Iterator[tuple[Git, str]]:
    """Fetch one commit of another repository into a temporary one, and yield both.

    Raises:
        GitError: the repository can't be reached, or has no such revision.
    """
    with tempfile.TemporaryDirectory(prefix="sluice-git-") as name:
        git = Git(Path(name), timeout_s=timeout_s)
        git.ask("init", "--quiet", "--bare")
        if url.startswith("-") or revision.startswith("-"):
            raise GitError(f"git can't fetch `{revision}`", "a name must not start with `-`", "unknown")
        done = run(
            git.root, "fetch", "--quiet", "--depth=1", "--no-tags", "--", url, revision, timeout_s=timeout_s
        )
        commit = None if done.code else git.commit("FETCH_HEAD")
        if commit is None:
            message = f"git can't fetch `{revision}`{reason_of(done)}"
            if b"remote ref" in done.errors or b"not our ref" in done.errors:
                raise GitError(message, "name a branch, a tag or a full commit", "unknown")
            raise GitError(message, "check the address and your access", "unreachable")
        yield git, commit


def _parsed(out: str) -> list[tuple[Commit, tuple[Renamed, ...]]]:
    """Parse commits and their files from `log -z --name-status`, in git's order."""
    tokens, at, size = out.split("\0"), 0, len(_FIELDS)
    found = []
    while at + size <= len(tokens):
        commit = _commit(tokens[at : at + size])
        at += size
        files = []
        while at < len(tokens) and _STATUS.fullmatch(status := tokens[at].lstrip("\n")):
            names = tokens[at + 1 : at + (3 if status[0] in "RC" else 2)]
            files.append(_renamed(status[0], names))
            at += 1 + len(names)
        found.append((commit, tuple(files)))
    return found


def _renamed(status: str, names: list[str]) -> Renamed:
    if status == "R":
        return Renamed(names[0], names[1])
    if status == "D":
        return Renamed(names[0], None)
    return Renamed(None if status in "AC" else names[-1], names[-1])


def _commit(fields: list[str]) -> Commit:
    sha, parents, author, committer, seconds, message = fields
    return Commit(
        sha.lstrip("\n"), tuple(parents.split()), author, committer, _moment(seconds), message.strip()
    )


def _moment(seconds: str) -> dt.datetime:
    """Return the time (UTC) in a commit; the latest that there is for a number without a date."""
    try:
        return dt.datetime.fromtimestamp(int(seconds), tz=dt.UTC)
    except (ValueError, OverflowError, OSError):
        return dt.datetime.max.replace(tzinfo=dt.UTC)
