"""`sluice record`: write down what a release did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import check_cluster_options, cluster_options, root_option
from generator.pipeline.selection import select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.pipeline.record import Recorded


@click.command("record")
@click.argument("spec", type=click.Path(), required=False)
@click.option("--env", "environment", metavar="NAME", help="The environment of the release.")
@cluster_options("Read the release from the cluster; nothing changes there.")
@click.option(
    "--from-notification", "notification", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True),
    help="Read the release from the body of a notification; `-` is standard input.",
)  # fmt: skip
@root_option
def command(
    spec: str | None, environment: str | None, context: str | None, kubeconfig: Path | None,
    notification: str | None, root: Path | None, *, cluster: bool,
) -> None:  # fmt: skip
    """Record what a release did, next to its spec.

    It is about the last release in an environment: `<model>.<environment>.record.json`. `sluice promote` reads it. An
    older record never replaces a newer one, and a release that has not ended has none: then the exit code is 1.
    """
    if cluster == (notification is not None):
        raise CliError("choose one: --cluster, or --from-notification FILE")
    check_cluster_options({"--context": context, "--kubeconfig": kubeconfig}, cluster=cluster)
    done = _notified(spec, environment, notification, root) if notification else None
    if done is None:
        if not (spec and environment):
            raise CliError("name a model and an environment: sluice record TEAM/MODEL --env NAME --cluster")
        done = _queried(spec, environment, context, kubeconfig, root)
    verdict = f"{done.content.verdict}, revision {done.content.rollout.revision}, ended {done.content.end}"
    emit(f"{'wrote' if done.written else 'kept'} {done.file}: {verdict}\n")
    for reason in done.content.reasons:
        emit(f"  {reason}\n")


def _queried(
    spec: str, environment: str, context: str | None, kubeconfig: Path | None, root: Path | None
) -> Recorded:
    from generator.cluster.ended_release import NotEndedError
    from generator.cluster.server import connect
    from generator.pipeline.record import from_cluster

    session = open_session(root)
    session.require_platform(environment)
    entry = select_one(session, spec)
    try:
        return from_cluster(session, entry, environment, connect(kubeconfig, context))
    except NotEndedError as error:
        note(f"no record of {entry.name} in {environment}: {error}")
        click.get_current_context().exit(1)


def _notified(spec: str | None, environment: str | None, file: str, root: Path | None) -> Recorded:
    from generator.pipeline.record import from_notification, release_in

    session = open_session(root)
    name, where, release = release_in(file)
    if environment not in {None, where}:
        raise CliError(f"the notification is about {where}, not about {environment}")
    session.require_platform(where)
    entry = select_one(session, name)
    if spec and select_one(session, spec) != entry:
        raise CliError(f"the notification is about {name}, not about {spec}")
    return from_notification(session, entry, where, release)
