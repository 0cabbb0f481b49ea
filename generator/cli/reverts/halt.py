"""Halting a version: it stays where it runs, and is refused everywhere else from the next merge on."""

from __future__ import annotations

from collections.abc import Sequence

from generator.cli.reverts.asked import Asked
from generator.cli.reverts.files import quarantine
from generator.cli.reverts.released import released
from generator.cli.reverts.rendered import render_all
from generator.history.checkout import worktree
from generator.history.git import Git
from generator.history.releases import Release
from generator.pipeline.session import Session
from generator.pipeline.terminal import emit, note
from generator.plan.model_files import ModelFiles
from generator.source.errors import CliError

_BROKEN = "this model breaks other rules already: `sluice validate` tells which"


def halt(session: Session, git: Git, head: str, entry: ModelFiles, asked: Asked, *, quiet: bool) -> str:
    """A branch with the quarantine of the version that runs, rendered.

    Returns:
        Its name; empty when there is nothing to halt.

    Raises:
        CliError: nothing can be halted.
        GitError: git refuses.
    """
    bad = _running(session, git, head, entry, asked)
    if bad is None:
        return ""
    branch = f"sluice/quarantine-{entry.team}-{entry.model}-{bad.digest.removeprefix('sha256:')[:8]}"
    with worktree(git, head) as tree:
        there = tree.git.root
        inside = ModelFiles(entry.team, entry.model, there / "specs" / entry.team / f"{entry.model}.yaml")
        item = quarantine(there, bad, asked.reason, session.today, bad.rendered)
        for environment in _environments(session, bad.rendered):
            # Elsewhere this very version is refused from now on: what stands there stays as it is.
            hint = _BROKEN if environment in {"", *bad.rendered} else ""
            render_all(Session(there, session.today), inside, hint, environment)
        commit = tree.commit(branch, _message(entry, bad, asked))
    if not quiet:
        emit(f"{branch} ({commit[:12]}): version {bad.version} of {entry.name} gets no further\n")
        emit(
            f"  it stays in {' and '.join(bad.rendered)}: `sluice revert {entry.name}` takes it back there\n"
        )
        emit(f"  quarantine: {item}\nnext: git push origin {branch}, and a pull request\n")
    return branch


def _running(session: Session, git: Git, head: str, entry: ModelFiles, asked: Asked) -> Release | None:
    """The version that git asks for; None when it is another one, or is in quarantine already.

    Raises:
        CliError: there is none, or none that runs.
    """
    platform, _, bad = released(session, git, head, entry)
    if asked.digest and asked.digest != bad.digest:
        note(f"git asks for another version of {entry.name} already: there is nothing to halt")
        return None
    if any(item.digest == bad.digest and item.released is None for item in platform.quarantine):
        note(f"version {bad.version} of {entry.name} is in quarantine already")
        return None
    if not bad.rendered:
        raise CliError(
            f"no environment is rendered from the lock of {entry.name}: run `sluice render`, commit"
        )
    return bad


def _environments(session: Session, running: Sequence[str]) -> Sequence[str]:
    """What is rendered: everything at once, or one after the other where the version does not run everywhere."""
    every = session.platform_inputs.names("environments")
    return [""] if set(running) == set(every) else every


def _message(entry: ModelFiles, bad: Release, asked: Asked) -> str:
    places = " and ".join(bad.rendered)
    return (
        f"Halt version {bad.version} of {entry.name}\n\n"
        f"Version {bad.version} ({bad.digest}) is in quarantine now: {asked.reason}\n\n"
        f"- it goes on running in {places}, and is refused everywhere else and under every other name\n"
        f"- `sluice revert {entry.name} --reason TEXT` takes it back there, too\n"
        "- if the verdict does not stand, close this\n"
    )
