"""`sluice status`: git beside the cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from generator.cli.options import root_option
from generator.cluster.server import ClusterError, Server, connect
from generator.pipeline.selection import select
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, note
from generator.plan.model_files import ModelFiles
from generator.report.statuses.beside import Beside
from generator.report.statuses.written import as_json, text
from generator.source.errors import CliError

Ask = Callable[[str], Server]


@click.command("status")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--env", "environment", metavar="NAME", help="One environment; default: all.")
@click.option("--cluster", is_flag=True, help="Ask the cluster, too.")
@click.option(
    "--context", "contexts", multiple=True, metavar="[ENV=]NAME",
    help="With --cluster: a context of the kubeconfig, for all environments or for one.",
)  # fmt: skip
@click.option(
    "--kubeconfig", metavar="FILE", type=click.Path(path_type=Path), help="With --cluster: another one."
)
@click.option("--watch", is_flag=True, help="With --cluster: tell each change until nothing moves any more.")
@click.option(
    "--interval", metavar="SECONDS", type=click.FloatRange(0.1, 3600), default=5.0, show_default=True,
    help="With --watch: how often to ask.",
)  # fmt: skip
@click.option(
    "--format", "fmt", type=click.Choice(("text", "json")), default="text", show_default=True, help="Form."
)
@root_option
def command(
    paths: tuple[str, ...],
    environment: str | None,
    contexts: tuple[str, ...],
    kubeconfig: Path | None,
    interval: float,
    fmt: str,
    root: Path | None,
    *,
    cluster: bool,
    watch: bool,
) -> None:
    """Show each model's state in git and in the cluster.

    PATH is a spec, a team's folder, or TEAM/MODEL; default: all. Without --cluster only git is told. Nothing changes:
    the exact Argo commands to go on, to abort or to try again are printed. Exit code 1: a rollout was aborted or is
    degraded.
    """
    if not cluster and (contexts or kubeconfig or watch):
        raise CliError("--context, --kubeconfig and --watch belong to --cluster")
    session = open_session(root)
    rows = _git(session, select(session, paths).entries, environment)
    if not cluster:
        emit(_write(rows, fmt))
        return
    ask = _servers(kubeconfig, contexts, {row.plan.identity.environment for row in rows})
    try:
        rows = _watch(session, rows, ask, fmt, interval) if watch else _asked(session, rows, ask)
    except ClusterError as error:
        raise CliError(str(error)) from error
    if not watch:
        emit(_write(rows, fmt))
    click.get_current_context().exit(int(any(row.aborted for row in rows)))


def _write(rows: Sequence[Beside], fmt: str) -> str:
    return as_json(rows) if fmt == "json" else text(rows)


def _git(session: Session, entries: Sequence[ModelFiles], environment: str | None) -> list[Beside]:
    """What git says, of all models that can be planned."""
    from generator.pipeline.evaluate import read_evidence_of

    platform = session.repository.platform
    if platform is None:
        raise CliError("the platform can't be used; `sluice validate` says why")
    if environment is not None and environment not in platform.environments:
        raise CliError(f"there is no environment {environment}; known: {', '.join(platform.environments)}")
    rows = []
    for entry in entries:
        resolved = session.resolve(entry)
        if not resolved.plans:
            note(f"{entry.name} can't be planned: see `sluice validate {entry.name}`")
            continue
        content = read_evidence_of(entry, session.repository).content
        gates = tuple((gate.name, gate.verdict) for gate in content.predicate.gates) if content else ()
        plans = [planned.plan for planned in resolved.plans]
        rows += [Beside(plan, gates) for plan in plans if environment in {None, plan.identity.environment}]
    return rows


def _servers(kubeconfig: Path | None, contexts: Sequence[str], environments: set[str]) -> Ask:
    """Whom to ask about an environment; each server is connected to once."""
    named: dict[str, str | None] = {"": None}
    for text_ in contexts:
        environment, given, context = text_.rpartition("=")
        if given and environment not in environments:
            raise CliError(f"--context {text_}: there is no environment {environment} here")
        named[environment] = context
    made: dict[str | None, Server] = {}

    def ask(environment: str) -> Server:
        context = named.get(environment, named[""])
        if context not in made:
            made[context] = connect(kubeconfig, context)
        return made[context]

    return ask


def _asked(session: Session, rows: Sequence[Beside], ask: Ask) -> list[Beside]:
    """The same rows with what the cluster says."""
    from generator.cluster.running import application, rollout
    from generator.plan.names import application as called

    del session
    found = []
    for row in rows:
        identity, server = row.plan.identity, ask(row.plan.identity.environment)
        live = rollout(server, identity.namespace, identity.model)
        synced = application(server, row.plan.delivery.argocd_namespace, called(identity))
        found.append(Beside(row.plan, row.gates, asked=True, live=live, synced=synced))
    return found


def _watch(session: Session, rows: Sequence[Beside], ask: Ask, fmt: str, interval_s: float) -> list[Beside]:
    """Tell what changed, again and again, until every model is settled."""
    told: Sequence[Beside] = ()
    while True:
        found = _asked(session, rows, ask)
        changed = [row for row in found if row not in told]
        if changed:
            emit(_write(changed, fmt))
        if all(row.settled for row in found):
            return found
        told = found
        time.sleep(interval_s)
