"""Changes on a branch of their own, made beside the work tree: what somebody is editing there is not touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from generator.history.git import Git, HistoryError, run


@dataclass(frozen=True, slots=True)
class Worktree:
    """A checkout of one commit that nobody else sees.

    Args:
        git: the repository as seen from the checkout.
    """

    git: Git

    def commit(self, branch: str, message: str) -> str:
        """Commit everything, and let a new branch point there; the commit (hex).

        Raises:
            HistoryError: the branch is there already, or git refuses.
        """
        if self.git.commit(f"refs/heads/{branch}") is not None:
            raise HistoryError(f"the branch {branch} is there already", "merge it, or delete it")
        self.git.ask("add", "--all", "--", ".")
        self.git.ask("commit", "--quiet", "--no-verify", "--message", message)
        self.git.ask("branch", "--", branch, "HEAD")
        return self.git.ask("rev-parse", "HEAD").strip()


@contextmanager
def worktree(git: Git, commit: str) -> Iterator[Worktree]:
    """A checkout of a commit, which is gone afterwards.

    Raises:
        HistoryError: git can't make it.
    """
    with tempfile.TemporaryDirectory(prefix="sluice-") as name:
        folder = Path(name, "tree")
        git.ask("worktree", "add", "--quiet", "--detach", "--", str(folder), commit)
        try:
            yield Worktree(Git(folder / git.prefix, git.prefix))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            run(git.root, "worktree", "prune")
