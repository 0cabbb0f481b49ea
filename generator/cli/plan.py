"""`sluice plan`: what a release will do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import check_cluster_options, cluster_options, root_option
from generator.pipeline.evaluate import plans_of
from generator.pipeline.rendered_state import rendered_state
from generator.pipeline.selection import gaps, one_environment, select_one
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, emit_page, emit_paged, note
from generator.plan.model_files import ModelFiles
from generator.report.plan_output import PlanRequest, plan_output
from generator.report.tables import Screen
from generator.source.errors import CliError
from generator.spec.quantities import plural

if TYPE_CHECKING:
    from generator.report.diffs.revision import Compared
    from generator.report.records import FirstSync


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
@click.option("--full", is_flag=True, help="Show everything, for every environment.")
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
    help="Folder for html: an index and one page for each model.",
)
@cluster_options("Show what a first sync does to what is in the cluster already; stores nothing.")
@click.option(
    "--first-sync",
    "report",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Show the effects in the output of an earlier `plan --cluster --format json`, without a cluster.",
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
    cluster: bool,
    context: str | None,
    kubeconfig: Path | None,
    report: Path | None,
    root: Path | None,
    full: bool,
) -> None:
    """Show what a release will do, minute by minute.

    SPEC is the spec, or TEAM/MODEL. One screen shows the timeline, the odds, the cost, findings, what an abort does,
    and how the environments differ. --full shows one plan for each environment: also gates, guards, what is not
    covered, who may do what, and every value with the line that decided it. With --all it is one line for each model;
    with --all --against, how many bundles a change affects, and how. If rendered files are not what the specs give, the
    first line says so. Exit code 1 means that a model can't be planned.
    """
    session = open_session(root, near=specs)
    session.remember_digests()
    entries = _entries(session, specs, every=every)
    session.require_platform(environment)
    for gap in gaps(session) if every else ():
        note(gap)
    if full and (every or fmt != "text"):
        raise CliError("--full needs a SPEC and --format text; the other formats are complete")
    if (cluster or report) and (fmt == "html" or (fmt == "json" and every and against)):
        named = "--cluster" if cluster else "--first-sync"
        raise CliError(f"{named} is shown in text, in markdown, and in json without --all and --against")
    if fmt == "html":
        _html(session, entries, environment, against, output)
        return
    if output is not None:
        raise CliError(
            "--output needs --format html",
            f"save another format with `>`, for example `sluice plan {' '.join(specs) or '--all'} > plan.txt`",
        )
    names = None if every else [entry.name for entry in entries]
    compared = _compared(session, against, names) if against else None
    screen = Screen.of(sys.stdout)
    state = rendered_state(session, names or ())
    heading = "" if state.agrees else state.line
    if heading and fmt == "json":
        note(heading)
    touched = _first_sync(session, entries, environment, context, kubeconfig, report, cluster=cluster)
    request = PlanRequest(session, entries, every, environment, compared, full, screen, heading, touched)
    found = plan_output(request, fmt)
    (emit_paged if fmt == "text" else emit)(found.text)
    if not found.complete:
        click.get_current_context().exit(1)


def _entries(session: Session, specs: tuple[str, ...], *, every: bool) -> tuple[ModelFiles, ...]:
    if every == bool(specs):
        raise CliError(
            "name a SPEC, or --all for every model" if not every else "name a SPEC or --all, not both"
        )
    return session.entries if every else tuple(dict.fromkeys(select_one(session, spec) for spec in specs))


def _first_sync(
    session: Session,
    entries: Sequence[ModelFiles],
    environment: str | None,
    context: str | None,
    kubeconfig: Path | None,
    report: Path | None,
    *,
    cluster: bool,
) -> FirstSync | None:
    """Return the effects of a first sync, from the cluster or from a report; None where neither is named."""
    check_cluster_options({"--context": context, "--kubeconfig": kubeconfig}, cluster=cluster)
    if not cluster and report is None:
        return None
    from generator.report.first_sync import query_cluster, read_first_sync

    if report is not None:
        return read_first_sync(report)
    return query_cluster(session, entries, one_environment(session, environment), kubeconfig, context)


def _compared(session: Session, against: str, names: Sequence[str] | None) -> Compared:
    from generator.report.diffs.revision import compare_with

    return compare_with(session, against, names)


def _html(
    session: Session,
    entries: Sequence[ModelFiles],
    environment: str | None,
    against: str | None,
    output: Path | None,
) -> None:
    from generator.report.diffs.revision import compare_with, compare_with_head
    from generator.report.overview import chosen
    from generator.report.pages.plan import Against
    from generator.report.pages.site import page_of, write_site

    if output is None and len(entries) != 1:
        raise CliError("several pages need a folder; choose it with --output")
    names = [entry.name for entry in entries]
    compared = compare_with(session, against, names) if against else compare_with_head(session, names)
    label, by_plan = (compared.label, compared.by_plan) if compared else ("", {})
    if output is not None:
        broken = write_site(session, entries, environment, label, by_plan, output)
        note(f"wrote {output / 'index.html'} and {plural(len(entries) - broken, 'page')}")
        if broken:
            note(f"{plural(broken, 'model')} can't be planned: see `sluice validate`")
            click.get_current_context().exit(1)
        return
    (entry,) = entries
    found = plans_of(session, entry, None)
    shown = chosen(found, environment).plan.identity.environment
    difference = by_plan.get((entry.name, shown))
    emit_page(page_of(session, entry, found, environment, Against(label, difference)))
