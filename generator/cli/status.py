"""`sluice status`: each model's state in git and in the cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import check_cluster_options, cluster_options, json_option, root_option
from generator.pipeline.selection import gaps, select
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note

if TYPE_CHECKING:
    from generator.pipeline.status import StatusRow


@click.command("status")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--env", "environment", metavar="NAME", help="One environment; default: all.")
@cluster_options("Query the cluster, too.", several=True)
@click.option("--watch", is_flag=True, help="With --cluster: show each change until every release has ended.")
@click.option(
    "--interval", metavar="SECONDS", type=click.FloatRange(0.1, 3600), default=5.0, show_default=True,
    help="With --watch: time between two queries.",
)  # fmt: skip
@json_option
@root_option
def command(
    paths: tuple[str, ...], environment: str | None, contexts: tuple[str, ...], kubeconfig: Path | None,
    interval: float, fmt: str, root: Path | None, *, cluster: bool, watch: bool,
) -> None:  # fmt: skip
    """Show each model's state in git and in the cluster.

    PATH is a spec, a team's folder, or TEAM/MODEL; default: all. Without --cluster only git is read. Nothing changes:
    the Argo commands to continue, abort or try again are printed. Exit code 1: a rollout was aborted or is degraded.
    """
    from generator.pipeline.status import Servers, rows_in_git, watched, with_cluster

    given = {"--context": contexts, "--kubeconfig": kubeconfig, "--watch": watch}
    check_cluster_options(given, cluster=cluster)
    session = open_session(root, near=paths)
    selection = select(session, paths)
    for gap in gaps(session) if selection.everything else ():
        note(gap)
    rows: Sequence[StatusRow] = rows_in_git(session, selection.entries, environment)
    if not cluster:
        emit(_shown(rows, fmt))
        if rows and fmt == "text":
            note("this is the state in git; --cluster shows what runs, too")
        return
    servers = Servers.of(kubeconfig, contexts, {row.plan.identity.environment for row in rows})
    if watch:
        before: Sequence[StatusRow] = ()
        for found in watched(rows, servers, interval):
            emit(_shown([row for row in found if row not in before], fmt))
            before = rows = found
    else:
        rows = with_cluster(rows, servers)
        emit(_shown(rows, fmt))
    click.get_current_context().exit(int(any(row.aborted for row in rows)))


def _shown(rows: Sequence[StatusRow], fmt: str) -> str:
    from generator.report.status import as_json, text
    from generator.report.tables import Screen

    return as_json(rows) if fmt == "json" else text(rows, Screen.of(sys.stdout))
