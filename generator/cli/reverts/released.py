"""What git remembers of a model: its releases, and the one that it asks for now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.history.releases import History, Release
from generator.pipeline.session import Session
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.history.git import Git
    from generator.plan.model_files import ModelFiles
    from generator.spec.platform import PlatformSpec


def released(
    session: Session, git: Git, head: str, entry: ModelFiles
) -> tuple[PlatformSpec, list[Release], Release]:
    """The platform, the releases of a model in order, and the one that the last commit asks for.

    Raises:
        CliError: the platform can't be used, or the last commit has no lock of the model.
    """
    platform = session.repository.platform
    if platform is None:
        raise CliError("the platform can't be used; `sluice validate` says why")
    releases = History.of(git, head).releases(entry.name)
    if not releases or releases[-1].until is not None:
        raise CliError(f"the last commit holds no lock of {entry.name} that can be read")
    return platform, releases, releases[-1]
