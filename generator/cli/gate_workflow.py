"""`sluice gates submit` and `sluice gates fetch`: the gates in the cluster, and their evidence back into git."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator.cli.gate_plans import planned_of, plans_in
from generator.pipeline.session import Session, open_session, root_option, select_one
from generator.pipeline.terminal import emit, has_color, note
from generator.plan.names import gate_workflow
from generator.plan.values import Plan
from generator.report.formats import render
from generator.source.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.cluster.workflows.server import Server
    from generator.plan.entries import Entry
    from generator.plan.resolve import Planned

F = TypeVar("F", bound="Callable[..., Any]")
_POLL_S = 5.0


def _options(command: F) -> F:
    """Which environment, and the way to its Workflows."""
    for option in (
        click.option("--env", "environment", required=True, metavar="ENV", help="The environment."),
        click.option(
            "--server", envvar="ARGO_SERVER", metavar="URL", default="",
            help="An Argo Workflows server; default: Kubernetes, by the kubeconfig. ARGO_TOKEN is its token.",
        ),
        click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig."),
        click.option("--ca", type=click.Path(dir_okay=False, exists=True), help="Certificates to trust."),
        root_option,
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("submit")
@click.argument("spec", type=click.Path())
@click.option(
    "--wait", metavar="SECONDS", type=click.FloatRange(0, 86400), help="Wait for the end, at most so long."
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

    The Workflow is the one that is rendered into the bundle; one that ran for the same gate key is not run again. Exit
    code 1, with --wait: it did not succeed.
    """
    session = open_session(root)
    entry, planned = _one(session, spec, environment)
    plan, cluster = planned.plan, _server(server, context, ca)
    body = _workflow(session, plan)
    found = _created(cluster, body)
    where = f"{plan.identity.namespace}/{gate_workflow(plan)}"
    emit(f"{where}: {'submitted' if found is None else found}\n")
    if wait is None:
        emit(f"next: sluice gates fetch {entry.name} --env {environment}\n")
        return
    ended = _ended(cluster, plan, wait)
    emit(f"{where}: {ended}\n")
    click.get_current_context().exit(0 if ended == "Succeeded" else 1)


@click.command("fetch")
@click.argument("spec", type=click.Path())
@_options
def fetch(spec: str, environment: str, server: str, context: str, ca: str | None, root: Path | None) -> None:
    """Bring the evidence of gates that ran in the cluster back into git.

    Nothing is written unless the document is about the locked model and data, and about exactly these gates. Exit code
    1: it is refused, or a gate did not pass.
    """
    from generator.gates.document import Evidence, read_evidence, written
    from generator.gates.fetched import believed, merged
    from generator.gates.run import wanted
    from generator.pipeline.writing import write_file
    from generator.report.sections.gates import gates_table
    from generator.source.reader import display

    session = open_session(root)
    entry, planned = _one(session, spec, environment)
    text = _text(_server(server, context, ca), planned.plan)
    lock = planned.written.lock
    evidence = Evidence(display(entry.evidence, session.root), entry.name)
    content = believed(text, evidence, planned.plan, lock) if lock else None
    if content is None or lock is None:
        emit(render(evidence.findings, "text", color=has_color(sys.stdout)))
        click.get_current_context().exit(1)
    plans = [item.plan for item in planned_of(session, entry)]
    old = read_evidence(entry.evidence, session.root, entry.name).content
    write_file(entry.evidence, written(merged(content, old, plans, lock, wanted(plans))))
    emit("\n".join(gates_table(content.predicate.gates, color=has_color(sys.stdout))) + "\n")
    note(f"wrote {evidence.file}")
    if any(item.verdict != "pass" for item in content.predicate.gates):
        click.get_current_context().exit(1)


def _one(session: Session, spec: str, environment: str) -> tuple[Entry, Planned]:
    """The model, and its plan in an environment where its gates run in the cluster."""
    from generator.plan.again import in_cluster

    entry = select_one(session, spec)
    (planned,) = plans_in(planned_of(session, entry), environment)
    if not in_cluster(planned.plan):
        raise CliError(
            f"{entry.name} has no gates that run in the cluster: its tier enforces them in git, or it has none"
        )
    return entry, planned


def _server(address: str, context: str, ca: str | None) -> Server:
    from generator.cluster.workflows.server import ArgoServer, Kubernetes

    if not address:
        return Kubernetes(context)
    address = address if "://" in address else f"https://{address}"  # as `argo` takes ARGO_SERVER
    if not address.startswith(("http://", "https://")):
        raise CliError(f"--server takes an address with http:// or https://, not {address}")
    insecure = os.environ.get("ARGO_INSECURE_SKIP_VERIFY", "").lower() == "true"
    return ArgoServer(address, os.environ.get("ARGO_TOKEN", ""), ca or "", insecure)


def _workflow(session: Session, plan: Plan) -> dict[str, Any]:
    """The rendered Workflow as plain values."""
    import yaml

    from generator.render.bundle import render_outputs
    from generator.render.outputs.gates import gates

    files = render_outputs(gates(plan), plan, session.templates)
    return dict(yaml.safe_load(files["workflow-gates.yaml"]))


def _created(cluster: Server, body: dict[str, Any]) -> str | None:
    """None when it was created; else what became of the one that is there."""
    from generator.cluster.workflows.failure import ALREADY_THERE, WorkflowError
    from generator.cluster.workflows.outcome import phase

    meta = body["metadata"]
    try:
        cluster.create(body)
    except WorkflowError as error:
        if error.code != ALREADY_THERE:
            raise CliError(str(error)) from error
        there = _get(cluster, meta["namespace"], meta["name"])
        return f"already there, {phase(there).lower()}" if there else "already there"
    return None


def _get(cluster: Server, namespace: str, name: str) -> dict[str, Any] | None:
    from generator.cluster.workflows.failure import WorkflowError

    try:
        return cluster.get(namespace, name)
    except WorkflowError as error:
        raise CliError(str(error)) from error


def _ended(cluster: Server, plan: Plan, longest_s: float) -> str:
    from generator.cluster.workflows.outcome import ENDED, phase

    until = time.monotonic() + longest_s
    while True:
        found = _get(cluster, plan.identity.namespace, gate_workflow(plan))
        said = phase(found) if found else "Deleted"
        if said in ENDED or found is None or time.monotonic() >= until:
            return said
        time.sleep(min(_POLL_S, max(0.0, until - time.monotonic())))


def _text(cluster: Server, plan: Plan) -> str:
    """The document of a Workflow that has ended.

    Raises:
        CliError: there is none.
    """
    from generator.cluster.workflows.failure import WorkflowError
    from generator.cluster.workflows.outcome import ENDED, evidence, phase, said

    where = f"{plan.identity.namespace}/{gate_workflow(plan)}"
    workflow = _get(cluster, plan.identity.namespace, gate_workflow(plan))
    if workflow is None:
        raise CliError(f"there is no Workflow {where}: `sluice gates submit` starts it")
    state = phase(workflow)
    if state not in ENDED:
        raise CliError(f"{where} is still {state.lower()}")
    try:
        text = evidence(workflow)
    except WorkflowError as error:
        raise CliError(str(error)) from error
    if text is None:
        raise CliError(f"{where} ended as {state} without evidence: {said(workflow) or 'its pods say why'}")
    return text
