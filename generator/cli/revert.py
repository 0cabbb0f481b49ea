"""`sluice revert`: the way back after an abort, or a halt after a failed watch, on a branch that is ready to merge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import root_option
from generator.cli.reverts.asked import Asked, from_person, from_webhook
from generator.pipeline.selection import select_one
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, note
from generator.plan.model_files import ModelFiles
from generator.source.errors import CliError, UserError

if TYPE_CHECKING:
    from generator.cli.reverts.files import Back
    from generator.history.git import Git
    from generator.spec.platform import PlatformSpec


@click.command("revert")
@click.argument("model", required=False)
@click.option("--reason", metavar="TEXT", help="Why; it stays in platform.yaml beside the digest.")
@click.option(
    "--from-webhook",
    "webhook",
    metavar="FILE",
    help="The notification of an abort, or Alertmanager's of a failed watch; - for standard input.",
)
@click.option("--with-spec", is_flag=True, help="Restore the whole spec, not only the model that it names.")
@click.option(
    "--quarantine-only",
    "halt",
    is_flag=True,
    help="Leave the version where it runs; refuse it everywhere else.",
)
@click.option("--quiet", is_flag=True, help="Print the names of the branches and nothing else.")
@root_option
def command(
    model: str | None,
    reason: str | None,
    webhook: str | None,
    root: Path | None,
    *,
    with_spec: bool,
    halt: bool,
    quiet: bool,
) -> None:
    """Roll a model back to its previous version.

    On a branch of its own, beside the work tree: the previous lock and evidence from git, the spec's reference, the bad
    version in quarantine, everything rendered. With --quarantine-only, and after a failed watch, the branch holds the
    quarantine alone: the version stays where it runs and gets no further. Nothing is pushed or merged. If git asks for
    another version already, there is nothing to do, and nothing is printed with --quiet.
    """
    if webhook is not None and (model or reason or halt):
        raise CliError(
            "--from-webhook says which model and why; leave MODEL, --reason and --quarantine-only out"
        )
    if halt and with_spec:
        raise CliError("--quarantine-only restores nothing; leave --with-spec out")
    every = from_webhook(webhook) if webhook is not None else [from_person(model, reason, halt=halt)]
    if not every:
        note("no watch failed: there is nothing to halt")
    session = open_session(root)
    refused: list[UserError] = []
    for asked in every:
        try:
            branch = _branch(session, asked, with_spec=with_spec, quiet=quiet)
        except UserError as error:
            refused.append(error)
            continue
        if branch and quiet:
            emit(f"{branch}\n")
    for other in refused[1:]:
        note(f"Error: {other.message}")
    if refused:
        raise refused[0]


def _branch(session: Session, asked: Asked, *, with_spec: bool, quiet: bool) -> str:
    """The branch that does what was asked; empty when there is nothing to do.

    Raises:
        CliError: it can't be done.
    """
    from generator.history.git import Git

    entry = select_one(session, asked.model)
    git = Git.at(session.root)
    head = git.commit("HEAD")
    if head is None:
        raise CliError("this repository has no commit yet: there is nothing to go back to")
    if asked.halt:
        from generator.cli.reverts.halt import halt

        return halt(session, git, head, entry, asked, quiet=quiet)
    return _revert(session, git, head, entry, asked, with_spec=with_spec, quiet=quiet)


def _revert(
    session: Session, git: Git, head: str, entry: ModelFiles, asked: Asked, *, with_spec: bool, quiet: bool
) -> str:
    from generator.cli.reverts.files import quarantine, restore
    from generator.cli.reverts.rendered import render_all
    from generator.history.checkout import worktree

    back = _back(session, git, head, entry, asked)
    if back is None:
        note(f"git asks for another version of {entry.name} already: there is nothing to revert")
        return ""
    branch = f"sluice/revert-{entry.team}-{entry.model}-{back.bad.digest.removeprefix('sha256:')[:8]}"
    with worktree(git, head) as tree:
        there = tree.git.root
        inside = ModelFiles(entry.team, entry.model, there / "specs" / entry.team / f"{entry.model}.yaml")
        told = restore(back, inside, whole=with_spec)
        item = quarantine(there, back.bad, asked.reason, session.today)
        hint = "what would be restored breaks rules; --with-spec restores the whole spec"
        render_all(Session(there, session.today), inside, hint)
        told += _pods(back, there, entry)
        commit = tree.commit(branch, _message(entry, back, asked, told))
    if not quiet:
        emit(
            f"{branch} ({commit[:12]}): {entry.name} goes back from {back.bad.version} to {back.good.version}\n"
        )
        emit("".join(f"  {line}\n" for line in told))
        emit(f"  quarantine: {item}\nnext: git push origin {branch}, and a pull request\n")
    return branch


def _back(session: Session, git: Git, head: str, entry: ModelFiles, asked: Asked) -> Back | None:
    """From where to where; None when the aborted version is not asked for any more.

    Raises:
        CliError: there is no version to go back to.
    """
    from generator.cli.reverts.files import Back
    from generator.cli.reverts.released import released

    platform, releases, bad = released(session, git, head, entry)
    if asked.digest and asked.digest != bad.digest:
        return None
    banned = {bad.digest, *_banned(platform)}
    good = next((release for release in reversed(releases) if release.digest not in banned), None)
    if good is None:
        shallow = " in this shallow clone: `git fetch --unshallow`" if git.shallow else ""
        hint = "release another version, or remove the model from the repository"
        raise CliError(f"git knows no version of {entry.name} before {bad.version}{shallow}; {hint}")
    return Back(git, bad, good)


def _banned(platform: PlatformSpec) -> set[str]:
    return {item.digest for item in platform.quarantine if item.released is None}


def _pods(back: Back, there: Path, entry: ModelFiles) -> list[str]:
    """Whether the pods are exactly those of then: only then does the controller return to them at once."""
    import yaml

    from generator.plan.inputs import read_platform_inputs

    platform = read_platform_inputs(there)
    told = []
    for environment in platform.names("environments"):
        path = f"{platform.folder}/{environment}/{{}}/rollout-main.yaml"
        key = (back.good.commit, path.format(back.good.name))
        old, new = back.git.read([key]).get(key), there / path.format(entry.name)
        if old is None or not new.is_file():
            continue
        pods = [yaml.safe_load(text)["spec"]["template"] for text in (old, new.read_bytes())]
        same = "are those of then: the controller returns to them at once, without analysis"
        differs = "differ from those of then: this is a whole rollout of its own"
        told.append(f"pods in {environment} {same if pods[0] == pods[1] else differs}")
    return told


def _message(entry: ModelFiles, back: Back, asked: Asked, told: Sequence[str]) -> str:
    lines = "".join(f"- {line}\n" for line in told)
    return (
        f"Take {entry.name} back to version {back.good.version}\n\n"
        f"Version {back.bad.version} ({back.bad.digest}) is in quarantine now: {asked.reason}\n\n{lines}"
    )
