"""A comparison that a command was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generator.pipeline.session import Session
from generator.report.compared.compare import Comparison, Difference, Side, comparison
from generator.report.compared.revision import at_revision
from generator.source.errors import FindingsError
from generator.source.finding import Finding

HEAD = "HEAD"


@dataclass(frozen=True, slots=True)
class Compared:
    """What was compared with what.

    Args:
        label: the revision, for people.
        against: the same for programs.
        found: what differs.
    """

    label: str
    against: dict[str, str]
    found: Comparison

    @property
    def by_plan(self) -> dict[tuple[str, str], Difference]:
        """What differs by model and environment."""
        return {(one.name, one.environment): one for one in self.found.found}


def compare_with(session: Session, revision: str, names: Sequence[str] | None) -> Compared:
    """Compare the repository with a revision of its own; a platform that can't be read ends the command.

    Args:
        session: the repository.
        revision: as the user named it.
        names: models; None for all, those that are gone included.

    Raises:
        CliError: there is no such revision.
    """
    with at_revision(session, revision) as past:
        old, new = Side(past.session), Side(session)
        stop_at([*session.strays, *new.errors()])
        stop_at(old.errors(), f"the platform can't be read as it is at {past.label}:")
        found = comparison(old, new, names)
        return Compared(past.label, {"revision": revision, "commit": past.commit}, found)


def compare_with_head(session: Session, names: Sequence[str] | None) -> Compared | None:
    """Compare with what is committed; None where nothing is, or it can't be planned."""
    from generator.history.git import GitError

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
    """Go on only without errors.

    Raises:
        FindingsError: there are errors.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise FindingsError(errors, said)
