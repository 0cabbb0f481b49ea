"""A session in the repository as a revision of git has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from generator.pipeline.session import Session
from generator.source.errors import CliError


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
        CliError: there is no git repository, no such revision, or no specs in it.
    """
    from generator.cluster.past import past
    from generator.cluster.pins.failure import PinError
    from generator.cluster.pins.git import at
    from generator.cluster.pins.reference import Surroundings
    from generator.cluster.pins.web import Web

    around = Surroundings(session.root, dict(os.environ), Web())
    try:
        git = at(around, name, "the comparison")
        with past(git) as folder:
            yield Revision(name, git.commit, replace(session, root=folder))
    except PinError as error:
        raise CliError(f"{error.message}; {error.hint}") from error
