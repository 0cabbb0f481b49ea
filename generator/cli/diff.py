"""`sluice diff`: what changed, as a reviewer would say it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from generator.cli.compared.asked import HEAD, compare_with
from generator.cli.compared.revision import at_revision
from generator.cli.session import Session, open_session, root_option, select
from generator.cli.terminal import emit, has_color


@click.command("diff")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--against", metavar="REV", default=HEAD, show_default=True, help="A revision of git to compare with."
)
@click.option(
    "--format",
    "fmt",
    type=click.Choice(("text", "markdown", "json")),
    default="text",
    show_default=True,
    help="Form.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 when anything differs.")
@root_option
def command(paths: tuple[str, ...], *, against: str, fmt: str, exit_code: bool, root: Path | None) -> None:
    """Tell what differs from a revision: decisions, not lines.

    PATH names specs, teams' folders or models, also one that is gone; default: all. Both states are planned and
    compared as values: model version, data, weights, holds, thresholds, guards, gates, replicas, image, budget and
    odds. What is only written in another way is no difference.
    """
    session = open_session(root)
    compared = compare_with(session, against, _names(session, against, paths))
    if fmt == "json":
        from generator.cli.compared.document import document

        emit(document(compared.found, compared.against))
    elif fmt == "markdown":
        from generator.cli.compared.markdown import markdown

        emit(markdown(compared.found, compared.label))
    else:
        from generator.cli.compared.text import by_model

        emit(by_model(compared.found, compared.label, color=has_color(sys.stdout)))
    unreadable = any(found.status == "unreadable" for found in compared.found.found)
    if unreadable or (exit_code and compared.found.differ):
        click.get_current_context().exit(1)


def _names(session: Session, against: str, paths: tuple[str, ...]) -> list[str] | None:
    """Models that were named; one that is gone can only be named by team and model, or by the team."""
    if not paths:
        return None
    with at_revision(session, against) as revision:
        old = [entry.name for entry in revision.session.entries]
    named = {path.rstrip("/") for path in paths}
    gone = {name for name in old if {name, name.split("/")[0]} & named}
    known = tuple(path for path in paths if not any(path.rstrip("/") in {n, n.split("/")[0]} for n in gone))
    here = select(session, known).entries if known else ()
    own = {entry.name for entry in session.entries if {entry.name, entry.team} & named}
    return sorted(gone | own | {entry.name for entry in here})
