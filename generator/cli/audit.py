"""`sluice audit`: which versions were merged, since when, why, on which evidence; from git alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, emit_page, emit_paged, note


@click.command("audit")
@click.argument("model", required=False)
@click.option(
    "--at", metavar="DATE", help="A day (2026-11-25, in UTC), or a moment (2026-11-25T09:30:00+01:00)."
)
@click.option("--branch", metavar="NAME", help="The branch that Argo CD syncs; default: the platform's.")
@click.option(
    "--format", "fmt", type=click.Choice(("text", "json", "csv", "html")), default="text", show_default=True,
    help="Output format.",
)  # fmt: skip
@root_option
def command(model: str | None, at: str | None, branch: str | None, fmt: str, root: Path | None) -> None:
    """Show which versions were merged, since when, why and on which evidence.

    MODEL is TEAM/MODEL, also one that was removed or renamed; default: all models. Without --at, all versions of MODEL
    are shown, or today's versions of all models. Everything comes from git: the version of the branch, who merged it,
    approvals in commit messages; evidence, signatures, promotions, records and waivers of that time. Without a record
    git does not know how far a rollout came.
    """
    from generator.history.audit import Branch, Span, releases_in_git
    from generator.history.git import Git
    from generator.history.releases import History
    from generator.pipeline.signing import with_signers
    from generator.report.audit import write
    from generator.report.tables import Screen

    session = open_session(root)
    git = Git.at(session.root)
    platform = session.repository.platform
    end = Branch.of(git, branch, platform.git.revision if platform else "main")
    if end.missing:
        note(f"there is no branch `{end.missing}` here; the audit ends at what is checked out")
    if git.shallow:
        note("this clone is shallow: its history begins late; `git fetch --unshallow` brings the rest")
    when = session.today.isoformat() if at is None and not model else at
    releases = releases_in_git(History.of(git, end.commit), model, None if when is None else Span.of(when))
    releases = with_signers(git, releases)
    show = {"text": emit_paged, "html": emit_page}.get(fmt, emit)
    show(write(fmt, releases, when or "", Screen.of(sys.stdout)))
