"""A session in the repository as a revision of git has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from generator.pipeline.session import Session


@dataclass(frozen=True, slots=True)
class Revision:
    """What something is compared with.

    Args:
        name: as the user named it.
        commit: its hexadecimal name.
        session: the repository as it was; its folder is gone when the comparison ends.
    """

    name: str
    commit: str
    session: Session

    @property
    def label(self) -> str:
        """Name and commit, for people."""
        short = self.commit[:12]
        return short if self.commit.startswith(self.name) else f"{self.name} ({short})"


@contextmanager
def at_revision(session: Session, name: str) -> Iterator[Revision]:
    """The repository at a revision, in a temporary folder.

    Raises:
        GitError: there is no git repository, no such revision, or no specs in it.
    """
    from generator.history.checkout import snapshot
    from generator.history.git import Git, GitError

    git = Git.at(session.root)
    commit = git.commit(name)
    if commit is None:
        hint = "check the name; a shallow clone lacks tags and history: `git fetch`"
        raise GitError(f"this repository has no revision `{name}`", hint, "unknown")
    with snapshot(git, commit) as folder:
        yield Revision(name, commit, replace(session, root=folder))
