"""`sluice plan`: what a release will do, for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.options import root_option
from generator.gates.gate_status import gate_statuses
from generator.pipeline.evaluate import plans_of, read_evidence_of
from generator.pipeline.selection import select_one
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, has_color, note
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.report.sections import Section, sections
from generator.report.sections.schema import SCHEMA
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.report.compared.asked import Compared

_BOLD, _END = "\x1b[1m", "\x1b[0m"


@click.command("plan")
@click.argument("specs", nargs=-1, metavar="[SPEC]...", type=click.Path())
@click.option("--all", "every", is_flag=True, help="All models of the repository.")
@click.option(
    "--env", "environment", metavar="NAME", help="One environment; default: all, in the platform's order."
)
@click.option(
    "--against", metavar="REV", help="Tell what differs from this revision of git; html compares with HEAD."
)
@click.option(
    "--format",
    "fmt",
    type=click.Choice(("text", "markdown", "json", "html")),
    default="text",
    show_default=True,
    help="Form; markdown is the comment on a pull request.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for html: an index and one page a model.",
)
@root_option
def command(
    specs: tuple[str, ...],
    *,
    every: bool,
    environment: str | None,
    against: str | None,
    fmt: str,
    output: Path | None,
    root: Path | None,
) -> None:
    """Show what a release will do, minute by minute.

    SPEC is the spec, or TEAM/MODEL. Told are: the timeline with who can stop what, what an abort does on this router,
    what is not covered, who may do what, and every value with the line that decided it. With --all --against it is
    the blast radius: how many bundles a change of the platform changes, and how.
    """
    session = open_session(root)
    entries = _entries(session, specs, every=every)
    session.require_platform(environment)
    if fmt == "html":
        _html(session, entries, environment, against, output)
        return
    if output is not None:
        raise CliError("--output is for --format html")
    compared = _compared(session, against, entries, every=every) if against else None
    if every and (compared or fmt != "json"):
        _all(session, entries, environment, compared, fmt)
    elif fmt == "markdown":
        _comment(session, entries, environment, compared)
    else:
        told = [
            (entry, _sections(session, entry, p))
            for entry in entries
            for p in plans_of(session, entry, environment)
        ]
        emit((_json if fmt == "json" else _text)(told, compared))


def _sections(session: Session, entry: ModelFiles, planned: Planned) -> list[Section]:
    return sections(planned, gate_statuses(planned.plan, read_evidence_of(entry, session.repository)))


def _entries(session: Session, specs: tuple[str, ...], *, every: bool) -> tuple[ModelFiles, ...]:
    if every == bool(specs):
        raise CliError(
            "name a SPEC, or --all for every model" if not every else "name a SPEC or --all, not both"
        )
    return session.entries if every else tuple(dict.fromkeys(select_one(session, spec) for spec in specs))


def _compared(session: Session, against: str, entries: Sequence[ModelFiles], *, every: bool) -> Compared:
    from generator.report.compared.asked import compare_with

    return compare_with(session, against, None if every else [entry.name for entry in entries])


def _all(
    session: Session,
    entries: Sequence[ModelFiles],
    environment: str | None,
    compared: Compared | None,
    fmt: str,
) -> None:
    """All models: the blast radius of a change, or each model in one line."""
    from generator.report.overview import overviews

    if compared is None:
        rows = overviews(session, entries, environment)
        if fmt == "markdown":
            from generator.report.comment import Told, comment

            emit(comment([Told(row, (), ()) for row in rows], None))
            return
        from generator.report.overview import as_table

        emit("".join(f"{line}\n" for line in as_table(rows)))
        return
    if fmt == "markdown":
        changed = {found.name for found in compared.found.found}
        _comment(session, [entry for entry in entries if entry.name in changed], environment, compared)
    elif fmt == "json":
        from generator.report.compared.document import document

        emit(document(compared.found, compared.against))
    else:
        from generator.report.compared.text import blast_radius

        emit(blast_radius(compared.found, compared.label, color=has_color(sys.stdout)))


def _comment(
    session: Session, entries: Sequence[ModelFiles], environment: str | None, compared: Compared | None
) -> None:
    from generator.report.comment import comment
    from generator.report.told import told_models

    emit(comment(told_models(session, entries, environment, compared), compared))


def _html(
    session: Session,
    entries: Sequence[ModelFiles],
    environment: str | None,
    against: str | None,
    output: Path | None,
) -> None:
    from generator.report.compared.asked import compare_with, compare_with_head
    from generator.report.pages.plan import Against
    from generator.report.pages.site import page_of, write_site

    if output is None and len(entries) != 1:
        raise CliError("several pages need a folder: name it with --output")
    names = [entry.name for entry in entries]
    compared = compare_with(session, against, names) if against else compare_with_head(session, names)
    label, by_plan = (compared.label, compared.by_plan) if compared else ("", {})
    if output is not None:
        broken = write_site(session, entries, environment, label, by_plan, output)
        note(f"wrote {output / 'index.html'} and {len(entries) - broken} pages")
        if broken:
            note(f"{broken} models can't be planned: see `sluice validate`")
            click.get_current_context().exit(1)
        return
    (entry,) = entries
    found = plans_of(session, entry, None)
    chosen = next((p for p in found if p.plan.identity.environment == environment), found[-1])
    difference = by_plan.get((entry.name, chosen.plan.identity.environment))
    emit(page_of(session, entry, found, environment, Against(label, difference)))


def _json(told: Sequence[tuple[ModelFiles, list[Section]]], compared: Compared | None) -> str:
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "plans": [{section.key: section.data for section in plan} for _, plan in told],
    }
    if compared:
        from generator.report.compared.document import document as diff

        document["diff"] = json.loads(diff(compared.found, compared.against))
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _text(told: Sequence[tuple[ModelFiles, list[Section]]], compared: Compared | None) -> str:
    parts = [_plan(entry, plan) for entry, plan in told]
    if compared:
        from generator.report.compared.text import by_model

        color = has_color(sys.stdout)
        parts.insert(0, by_model(compared.found, compared.label, color=color))
    return "\n".join(parts)


def _plan(entry: ModelFiles, plan: list[Section]) -> str:
    environment = next(section.data["environment"] for section in plan if section.key == "release")
    color = has_color(sys.stdout)
    parts = [_heading(f"{entry.name} in {environment}", color=color)]
    for section in plan:
        body = "".join(f"  {line}".rstrip() + "\n" for line in section.lines)
        parts.append(f"{_heading(section.title, color=color)}{body}")
    return "\n".join(parts)


def _heading(title: str, *, color: bool) -> str:
    return f"{_BOLD}{title}{_END}\n" if color else f"{title}\n"
