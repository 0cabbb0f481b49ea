"""`sluice gates submit` and `sluice gates fetch`: run gates in the cluster, and copy their evidence into git."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator.cli.options import root_option
from generator.pipeline.selection import select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.cluster.workflows import Server

F = TypeVar("F", bound="Callable[..., Any]")


def _options(function: F) -> F:
    """Add the options for the environment and the connection to its Workflows."""
    for option in (
        click.option("--env", "environment", required=True, metavar="ENV", help="The environment."),
        click.option(
            "--server", envvar="ARGO_SERVER", metavar="URL", default="",
            help="An Argo Workflows server; default: Kubernetes, with the kubeconfig. ARGO_TOKEN is its token.",
        ),
        click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig."),
        click.option("--ca", type=click.Path(dir_okay=False, exists=True), help="Certificates to trust."),
        root_option,
    ):  # fmt: skip
        function = option(function)
    return function


@click.command("submit")
@click.argument("spec", type=click.Path())
@click.option(
    "--wait", metavar="SECONDS", type=click.FloatRange(0, 86400), help="Wait at most this long for the end."
)
@_options
def submit(
    spec: str,
    environment: str,
    server: str,
    context: str,
    ca: str | None,
    wait: float | None,
    root: Path | None,
) -> None:
    """Run the gates of SPEC in the cluster of one environment.

    The Workflow is the one in the bundle; it is not run again for the same gate key. Exit code 1, with --wait: it did
    not succeed.
    """
    from generator.pipeline import gate_workflows
    from generator.pipeline.gates import model_gates

    session = open_session(root)
    model = model_gates(session, select_one(session, spec))
    plan, cluster = gate_workflows.planned_in_cluster(model, environment).plan, _server(server, context, ca)
    where = gate_workflows.workflow_name(plan)
    emit(f"{where}: {gate_workflows.submit(model, plan, cluster)}\n")
    if wait is None:
        emit(f"next: sluice gates fetch {model.entry.name} --env {environment}\n")
        return
    ended = gate_workflows.wait(plan, cluster, wait)
    emit(f"{where}: {ended}\n")
    click.get_current_context().exit(0 if ended == "Succeeded" else 1)


@click.command("fetch")
@click.argument("spec", type=click.Path())
@_options
def fetch(spec: str, environment: str, server: str, context: str, ca: str | None, root: Path | None) -> None:
    """Copy the evidence of a run in the cluster into git.

    Nothing is written unless the document is about the locked model and data, and about exactly these gates. Exit code
    1: it is not accepted, or a gate did not pass.
    """
    from generator.pipeline import gate_workflows
    from generator.pipeline.gates import model_gates
    from generator.report.formats import render
    from generator.report.sections.gates import gates_table
    from generator.report.tables import Screen

    session = open_session(root)
    model = model_gates(session, select_one(session, spec))
    planned = gate_workflows.planned_in_cluster(model, environment)
    evidence, entries = gate_workflows.fetch(model, planned, _server(server, context, ca))
    if evidence.findings:
        emit(render(evidence.findings, "text", screen=Screen.of_messages(sys.stdout)))
        click.get_current_context().exit(1)
    emit("\n".join(gates_table(entries, Screen.of(sys.stdout))) + "\n")
    note(f"wrote {evidence.file}")
    if any(entry.verdict != "pass" for entry in entries):
        click.get_current_context().exit(1)


def _server(address: str, context: str, ca: str | None) -> Server:
    from generator.cluster.workflows import ArgoServer, Kubernetes

    if not address:
        return Kubernetes(context)
    address = address if "://" in address else f"https://{address}"  # as `argo` reads ARGO_SERVER
    if not address.startswith(("http://", "https://")):
        raise CliError(f"--server needs an address with http:// or https://, not {address}")
    insecure = os.environ.get("ARGO_INSECURE_SKIP_VERIFY", "").lower() == "true"
    return ArgoServer(address, os.environ.get("ARGO_TOKEN", ""), ca or "", insecure)
