"""`sluice audit`: what was live, since when, why, on which evidence; from git alone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import root_option
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, note
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.history.git import Git
    from generator.history.releases import History, Release

_DAY = dt.timedelta(days=1)


@click.command("audit")
@click.argument("model", required=False)
@click.option(
    "--at", metavar="DATE", help="A day (2026-11-25, in UTC), or a moment (2026-11-25T09:30:00+01:00)."
)
@click.option("--branch", metavar="NAME", help="The branch that Argo CD syncs; default: the platform's.")
@click.option(
    "--format", "fmt", type=click.Choice(("text", "json", "csv", "html")), default="text", show_default=True,
    help="Form.",
)  # fmt: skip
@root_option
def command(model: str | None, at: str | None, branch: str | None, fmt: str, root: Path | None) -> None:
    """Show what was live, since when, why and on which evidence.

    MODEL is TEAM/MODEL, also one that is gone or had another name then; default: all models. Without --at all versions
    of it are told, or of all models today's. Everything comes from git: which version the branch asked for, who merged
    it, what messages say of approvals, evidence and waivers as they stood. Git does not know how far a rollout came.
    """
    from generator.history.git import Git
    from generator.history.releases import History

    session = open_session(root)
    git = Git.at(session.root)
    history = History.of(git, _revision(session, git, branch))
    span = None if at is None and model else moment(session.today.isoformat() if at is None else at)
    found = _found(history, model, span)
    _warn_shallow(git, history, span)
    if not found:
        raise CliError(_nothing(history, model, at))
    from generator.report.audits import write

    emit(write(fmt, found, at or ("" if model else session.today.isoformat())))


def moment(text: str) -> tuple[dt.datetime, dt.datetime]:
    """The time that a date means (UTC): from its first moment to before its last.

    A day is all of it; a time without an offset is UTC.

    Raises:
        CliError: it is no date.
    """
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
            return day, day + _DAY
        found = dt.datetime.fromisoformat(text)
        found = (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
        return found, found + dt.timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise CliError(f"`{text}` is no date; write 2026-11-25, or 2026-11-25T09:30:00+01:00") from error


def _revision(session: Session, git: Git, branch: str | None) -> str:
    """The commit that the audit ends at: the branch here, else the remote's, else what is checked out."""
    platform = session.repository.platform
    named = branch or (platform.git.revision if platform else "main")
    for candidate in (
        f"refs/heads/{named}",
        f"refs/remotes/origin/{named}",
        *([named] if branch else ["HEAD"]),
    ):
        commit = git.commit(candidate)
        if commit is not None:
            if candidate == "HEAD":
                note(f"there is no branch `{named}` here; what is checked out is told instead")
            return commit
    raise CliError(f"there is no branch `{named}` here" if branch else "this repository has no commit yet")


def _found(
    history: History, model: str | None, span: tuple[dt.datetime, dt.datetime] | None
) -> list[Release]:
    if span is None:
        return history.releases(_name(model or ""))
    names = [_name(model)] if model else history.names(*span)
    found = [release for name in names for release in history.releases(name, end=span[1])]
    return [release for release in found if release.until is None or release.until > span[0]]


def _name(text: str) -> str:
    """`team/model`, also from the path of one of its files."""
    return re.sub(
        r"(\.lock\.yaml|\.evidence\.json|\.yaml)$", "", text.removeprefix("./").removeprefix("specs/")
    )


def _warn_shallow(git: Git, history: History, span: tuple[dt.datetime, dt.datetime] | None) -> None:
    if not git.shallow:
        return
    first = history.changes[0].since if history.changes else None
    note(
        "this clone is shallow: nothing is known before its first commit; `git fetch --unshallow` brings the rest"
    )
    if span is not None and (first is None or span[0] < first):
        raise CliError(
            f"the clone begins after {span[0]:%Y-%m-%d %H:%M} UTC: it can't say what was live then"
        )


def _nothing(history: History, model: str | None, at: str | None) -> str:
    when = f" at {at}" if at else ""
    if model is None:
        return f"no model was live{when}"
    from generator.source.suggest import nearest

    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    known = history.names(dt.datetime.min.replace(tzinfo=dt.UTC), far)
    near = nearest(_name(model), known, 3)
    if _name(model) in known:
        return f"{model} was not live{when}"
    return f"git knows no {model}; " + (
        f"did you mean {' or '.join(near)}?" if near else f"known: {_some(known)}"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "none"
