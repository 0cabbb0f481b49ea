"""A comparison of the repository with one of its revisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from generator.dataclass import dataclass
from generator.pipeline.session import Session
from generator.report.diffs.compare import Comparison, Difference, Side, comparison
from generator.source.errors import FindingsError
from generator.source.finding import Finding

HEAD = "HEAD"


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of the repository.

    Args:
        name: its name in the command.
        commit: its full hexadecimal name.
        session: the repository at that revision; its folder is removed when the comparison ends.
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
    """Check the repository out at a revision, in a temporary folder.

    Raises:
        GitError: there is no git repository, no such revision, or no specs in it.
    """
    from generator.history.checkout import snapshot
    from generator.history.git import Git
    from generator.history.git_call import GitError

    git = Git.at(session.root)
    commit = git.commit(name)
    if commit is None:
        hint = "check the name; a shallow clone lacks tags and history: `git fetch`"
        raise GitError(f"this repository has no revision `{name}`", hint, "unknown")
    with snapshot(git, commit) as folder:
        yield Revision(name, commit, replace(session, root=folder))


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison and what it compares with.

    Args:
        label: the other side, for people.
        against: the same, for programs.
        found: what differs.
    """

    label: str
    against: dict[str, str]
    found: Comparison

    @property
    def by_plan(self) -> dict[tuple[str, str], Difference]:
        """The differences by model and environment."""
        return {(one.name, one.environment): one for one in self.found.found}


def compare_with(session: Session, revision: str, names: Sequence[str] | None) -> Compared:
    """Compare the repository with one of its revisions.

    Args:
        session: the repository.
        revision: its name in the command.
        names: models; None for all, removed ones included.

    Raises:
        GitError: there is no such revision.
        FindingsError: the platform can't be read on one side.
    """
    with at_revision(session, revision) as past:
        old, new = Side(past.session), Side(session)
        stop_at([*session.strays, *new.errors()])
        stop_at(old.errors(), f"the platform can't be read as it is at {past.label}:")
        found = comparison(old, new, names)
        return Compared(past.label, {"revision": revision, "commit": past.commit}, found)


def compare_with_head(session: Session, names: Sequence[str] | None) -> Compared | None:
    """Compare with what is committed; None where nothing is, or it can't be planned."""
    from generator.history.git_call import GitError

    try:
        with at_revision(session, HEAD) as past:
            old, new = Side(past.session), Side(session)
            if old.errors() or new.errors():
                return None
            found = comparison(old, new, names)
            return Compared(past.label, {"revision": HEAD, "commit": past.commit}, found)
    except GitError:
        return None


def stop_at(findings: Sequence[Finding], said: str = "") -> None:
    """Raise if there are errors.

    Raises:
        FindingsError: there are errors.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise FindingsError(errors, said)
