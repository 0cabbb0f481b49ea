"""Temporary checkouts of a commit, one to change and one to read; the user's work tree is not touched."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from generator.dataclass import dataclass
from generator.history.git import Blob, Git
from generator.history.git_call import GitError, run
from generator.plan.model_files import PLATFORM, SPECS

# The inputs of a plan; locks and evidence are next to the specs.
_PARTS: Final = (SPECS, "templates")
_LINK, _FILE = "120000", "100"
_PREFIX: Final = "sluice-revert-"
_OWNER: Final = re.compile(rf"{_PREFIX}([0-9]{{1,9}})-[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Worktree:
    """A private checkout of one commit.

    Args:
        git: the repository as seen from the checkout.
    """

    git: Git

    def commit(self, branch: str, message: str) -> str:
        """Commit everything on a new branch; return the commit (hex).

        Raises:
            GitError: the branch exists already, or git fails.
        """
        if self.git.commit(f"refs/heads/{branch}") is not None:
            raise GitError(f"the branch {branch} already exists", "merge it or delete it")
        self.git.ask("add", "--all", "--", ".")
        self.git.ask("commit", "--quiet", "--no-verify", "--message", message)
        self.git.ask("branch", "--", branch, "HEAD")
        return self.git.ask("rev-parse", "HEAD").strip()


@contextmanager
def worktree(git: Git, commit: str) -> Iterator[Worktree]:
    """Check a commit out to change it; the checkout is removed afterwards.

    Raises:
        GitError: git can't create it.
    """
    _remove_leftovers(git)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-") as name:
        folder = Path(name, "tree")
        git.ask("worktree", "add", "--quiet", "--detach", "--", str(folder), commit)
        try:
            yield Worktree(Git(folder / git.prefix, git.prefix))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            run(git.root, "worktree", "prune")


def _remove_leftovers(git: Git) -> None:
    """Remove the checkouts of killed commands on this machine: git lists them, and their process is gone."""
    for line in git.ask("worktree", "list", "--porcelain").splitlines():
        folder = Path(line.removeprefix("worktree ")).parent
        owner = _OWNER.fullmatch(folder.name)
        if (
            owner
            and folder.parent == Path(tempfile.gettempdir()).resolve()
            and not _is_running(int(owner[1]))
        ):
            shutil.rmtree(folder, ignore_errors=True)
            run(git.root, "worktree", "prune")


def _is_running(process: int) -> bool:
    if os.name == "nt":  # there the call would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def snapshot(git: Git, commit: str) -> Iterator[Path]:
    """Write the specs and templates of a commit to a folder that is removed afterwards.

    Git attributes and filters do not apply, and links that lead out of the folder are left out.

    Raises:
        GitError: the commit has no specs, or git can't read them.
    """
    blobs = [blob for blob in git.tree(commit, _PARTS) if blob.mode.startswith((_FILE, _LINK))]
    if not any(blob.path == f"{SPECS}/{PLATFORM}" for blob in blobs):
        message = f"the commit {commit[:12]} has no {SPECS}/{PLATFORM}"
        raise GitError(message, "name a revision that has this repository's specs", "unknown")
    with tempfile.TemporaryDirectory(prefix="sluice-") as name:
        root = Path(name)
        contents = list(zip(blobs, git.contents(blobs), strict=True))
        for blob, content in sorted(contents, key=lambda item: item[0].mode == _LINK):  # links come last
            _write(root, blob, content)
        yield root


def _write(root: Path, blob: Blob, content: bytes) -> None:
    file = Path(os.path.normpath(root / blob.path))
    if not file.is_relative_to(root):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    if blob.mode != _LINK:
        file.write_bytes(content)
        return
    target = Path(os.path.normpath(file.parent / os.fsdecode(content)))
    if target.is_relative_to(root):
        try:
            file.symlink_to(os.fsdecode(content))
        except OSError:  # Windows needs a privilege for links
            if target.is_file():
                shutil.copyfile(target, file)
