"""`sluice plan`: what a release will do, for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.options import root_option
from generator.gates.gate_status import GateStatus, gate_statuses
from generator.pipeline.evaluate import PlannedModel, plan_model, plans_of, read_evidence_of
from generator.pipeline.selection import select_one
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, line_width, note
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.report.compared.revision import Compared


@click.command("plan")
@click.argument("specs", nargs=-1, metavar="[SPEC]...", type=click.Path())
@click.option("--all", "every", is_flag=True, help="All models of the repository.")
@click.option(
    "--env", "environment", metavar="NAME", help="One environment; default: all, in the platform's order."
)
@click.option(
    "--against",
    metavar="REV",
    help="Show what differs from this revision of git; html compares with HEAD.",
)
@click.option("--full", is_flag=True, help="Text: everything that is known, in every environment.")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(("text", "markdown", "json", "html")),
    default="text",
    show_default=True,
    help="Output format; markdown is the comment on a pull request.",
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
    full: bool,
) -> None:
    """Show what a release will do, minute by minute.

    SPEC is the spec, or TEAM/MODEL. One screen shows the timeline, the odds, the cost, findings, what an abort does,
    and how the environments differ. --full shows one plan for each environment: also gates, guards, what is not
    covered, who may do what, and every value with the line that decided it. With --all it is one line for each model;
    with --all --against, how many bundles a change affects, and how.
    """
    session = open_session(root)
    entries = _entries(session, specs, every=every)
    session.require_platform(environment)
    if fmt == "html" and not full:
        _html(session, entries, environment, against, output)
        return
    if output is not None:
        raise CliError("--output needs --format html")
    if full and (every or fmt != "text"):
        raise CliError("--full needs a SPEC and --format text; the other formats are complete")
    compared = _compared(session, against, entries, every=every) if against else None
    if every and (compared or fmt != "json"):
        _all(session, entries, environment, compared, fmt)
    elif fmt == "markdown":
        _comment(session, entries, environment, compared)
    else:
        models = [plan_model(session, entry, environment) for entry in entries]
        emit(
            _json(session, models, compared) if fmt == "json" else _text(session, models, compared, full=full)
        )


def _entries(session: Session, specs: tuple[str, ...], *, every: bool) -> tuple[ModelFiles, ...]:
    if every == bool(specs):
        raise CliError(
            "name a SPEC, or --all for every model" if not every else "name a SPEC or --all, not both"
        )
    return session.entries if every else tuple(dict.fromkeys(select_one(session, spec) for spec in specs))


def _compared(session: Session, against: str, entries: Sequence[ModelFiles], *, every: bool) -> Compared:
    from generator.report.compared.revision import compare_with

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
            from generator.report.comment import CommentEntry, comment

            emit(comment([CommentEntry(row, (), ()) for row in rows], None))
            return
        from generator.report.overview import as_table

        emit("".join(f"{line}\n" for line in as_table(rows, line_width(sys.stdout))))
        return
    if fmt == "markdown":
        changed = {found.name for found in compared.found.found}
        _comment(session, [entry for entry in entries if entry.name in changed], environment, compared)
    elif fmt == "json":
        from generator.report.compared.document import document

        emit(document(compared.found, compared.against))
    else:
        from generator.report.compared.text import blast_radius
        from generator.report.tables import Screen

        screen = Screen.of(sys.stdout)
        emit(blast_radius(compared.found, compared.label, screen))


def _comment(
    session: Session, entries: Sequence[ModelFiles], environment: str | None, compared: Compared | None
) -> None:
    from generator.report.comment import comment
    from generator.report.comment_entries import comment_entries

    emit(comment(comment_entries(session, entries, environment, compared), compared))


def _html(
    session: Session,
    entries: Sequence[ModelFiles],
    environment: str | None,
    against: str | None,
    output: Path | None,
) -> None:
    from generator.report.compared.revision import compare_with, compare_with_head
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


def _json(session: Session, models: Sequence[PlannedModel], compared: Compared | None) -> str:
    from generator.report.records import PLAN
    from generator.report.sections import sections

    document: dict[str, Any] = {
        "schema": PLAN,
        "plans": [
            {
                section.key: section.data
                for section in sections(planned, _statuses(session, model.entry)(planned))
            }
            for model in models
            for planned in model.plans
        ],
    }
    if compared:
        from generator.report.compared.document import document as diff

        document["diff"] = json.loads(diff(compared.found, compared.against))
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _text(session: Session, models: Sequence[PlannedModel], compared: Compared | None, *, full: bool) -> str:
    from generator.report.plan_text import full_plan, short_plan
    from generator.report.tables import Screen

    screen = Screen.of(sys.stdout)
    parts = []
    if compared:
        from generator.report.compared.text import by_model

        parts.append(by_model(compared.found, compared.label, screen))
    for model in models:
        statuses = _statuses(session, model.entry)
        if full:
            parts += [full_plan(planned, statuses(planned), screen) for planned in model.plans]
        else:
            parts.append(short_plan(model, statuses, screen))
    return "\n".join(parts)


def _statuses(session: Session, entry: ModelFiles) -> Callable[[Planned], Sequence[GateStatus]]:
    evidence = read_evidence_of(entry, session.repository)
    return lambda planned: gate_statuses(planned.plan, evidence)
