"""`sluice diff`: semantic changes against a revision or a cluster."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from generator.cli.options import check_cluster_options, cluster_options, root_option
from generator.pipeline.selection import one_environment, select
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, emit_paged
from generator.report.diffs.revision import HEAD, Compared, at_revision, compare_with, stop_at
from generator.source.errors import CliError


@click.command("diff")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--against", metavar="REV", help=f"A revision of git to compare with; default: {HEAD}.")
@cluster_options("Compare with the cluster: a server-side dry run, which stores nothing.")
@click.option("--env", "environment", metavar="NAME", help="With --cluster: the environment of that cluster.")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(("text", "markdown", "json")),
    default="text",
    show_default=True,
    help="Output format.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything differs.")
@root_option
def command(
    paths: tuple[str, ...],
    *,
    against: str | None,
    cluster: bool,
    environment: str | None,
    context: str | None,
    kubeconfig: Path | None,
    fmt: str,
    exit_code: bool,
    root: Path | None,
) -> None:
    """Show semantic changes against a revision or a cluster.

    PATH is a spec, a team's folder or TEAM/MODEL, also of a removed model; default: all. Both states are planned and
    compared as values: model version, data, weights, holds, thresholds, guards, gates, replicas, image, budget and
    odds. Odds of both are for the same harms: those that either state guards against. Each change is looser, stricter
    or neither, and starts a release, applies at once to everybody, or is a rule of the next release. A different
    notation of the same value is not a difference. With --cluster it shows what a sync would change, without the
    weights that the controller is changing.
    """
    session = open_session(root, near=paths)
    if cluster:
        if against:
            raise CliError("choose one of --against and --cluster")
        compared = _with_cluster(session, paths, environment, kubeconfig, context)
    else:
        given = {"--env": environment, "--context": context, "--kubeconfig": kubeconfig}
        check_cluster_options(given, cluster=False)
        revision = against or HEAD
        compared = compare_with(session, revision, _names(session, revision, paths))
    (emit if fmt == "json" else emit_paged)(_formatted(compared, fmt))
    unreadable = any(found.status == "unreadable" for found in compared.found.found)
    if unreadable or (exit_code and compared.found.differ):
        click.get_current_context().exit(1)


def _formatted(compared: Compared, fmt: str) -> str:
    if fmt == "json":
        from generator.report.diffs.document import document

        return document(compared.found, compared.against)
    if fmt == "markdown":
        from generator.report.diffs.markdown import markdown

        return markdown(compared.found, compared.label)
    from generator.report.diffs.text import by_model
    from generator.report.tables import Screen

    screen = Screen.of(sys.stdout)
    return by_model(compared.found, compared.label, screen)


def _with_cluster(
    session: Session,
    paths: tuple[str, ...],
    environment: str | None,
    kubeconfig: Path | None,
    context: str | None,
) -> Compared:
    from generator.report.diffs.live import with_cluster

    stop_at(session.repository.findings)
    environment = one_environment(session, environment)
    entries = select(session, paths).entries
    found, address = with_cluster(session, entries, environment, kubeconfig, context)
    return Compared(f"the cluster at {address}", {"cluster": address, "environment": environment}, found)


def _names(session: Session, against: str, paths: tuple[str, ...]) -> list[str] | None:
    """Return the named models; a removed one can only be named as TEAM/MODEL or by its team."""
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
