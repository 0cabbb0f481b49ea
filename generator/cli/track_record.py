"""`sluice track-record`: what plans promised, and what their releases did."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, emit_page, note


@click.command("track-record")
@click.option(
    "--format", "fmt", type=click.Choice(("text", "json", "html")), default="text", show_default=True,
    help="Output format.",
)  # fmt: skip
@root_option
def command(fmt: str, root: Path | None) -> None:
    """Compare what plans promised with what releases did.

    Every record that the checked-out branch ever had counts once. A false rollback is an abort of a release that the
    same environment completed later, unchanged, or that people released from quarantine. A harm that got through is a
    completed release that was taken back later. Exit code 1: a promise of false rollbacks is broken, by more than
    chance explains.
    """
    from generator.history.git import Git
    from generator.odds.track_record import track_records
    from generator.pipeline.track_record import past
    from generator.report.track_record import document, table

    session = open_session(root)
    git = Git.at(session.root)
    known = past(git, git.commit("HEAD") or "HEAD")
    if known.untrusted:
        note(f"records that can't be trusted and are left out: {known.untrusted}")
    if git.shallow:
        note("this clone is shallow: its history begins late; `git fetch --unshallow` brings the rest")
    found = track_records(known)
    if fmt == "html":
        from generator.history.recorded import mapping
        from generator.report.pages.track_record import track_record_page

        metadata = mapping(mapping(session.repository.platform_document.data).get("metadata"))
        name = str(metadata.get("name") or "models")
        emit_page(track_record_page(name, known, found, session.templates))
    else:
        emit(document(known, found) if fmt == "json" else table(found))
    if any(one.broken for one in found):
        click.get_current_context().exit(1)
