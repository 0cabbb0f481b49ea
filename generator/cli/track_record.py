"""`sluice track-record`: what plans promised, and what their releases did."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note


@click.command("track-record")
@click.option(
    "--format", "fmt", type=click.Choice(("text", "json")), default="text", show_default=True,
    help="Output format.",
)  # fmt: skip
@root_option
def command(fmt: str, root: Path | None) -> None:
    """Compare what plans promised with what releases did.

    Every record that the checked-out branch ever had counts once. A false rollback is an abort of a release that the
    same environment completed later, unchanged. Exit code 1: a promise is broken, by more than chance explains.
    """
    from generator.history.git import Git
    from generator.odds.track_record import track_records
    from generator.pipeline.track_record import past_releases
    from generator.report.track_record import table

    session = open_session(root)
    git = Git.at(session.root)
    releases, untrusted = past_releases(git, git.commit("HEAD") or "HEAD")
    if untrusted:
        note(f"records that can't be trusted and are left out: {untrusted}")
    if git.shallow:
        note("this clone is shallow: its history begins late; `git fetch --unshallow` brings the rest")
    found = track_records(releases)
    if fmt == "json":
        emit(json.dumps([dataclasses.asdict(one) for one in found], indent=2) + "\n")
    else:
        emit(table(found))
    if any(one.broken for one in found):
        click.get_current_context().exit(1)
