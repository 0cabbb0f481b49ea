"""Gates in the cluster: submits the rendered Workflow once per gate key, and fetches its evidence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from generator.gates.document import Evidence, evidence_bytes, read_evidence
from generator.gates.run import accept_fetched, merge_fetched
from generator.pipeline.atomic_write import write_file
from generator.plan.names import gate_workflow
from generator.plan.recurring_gates import in_cluster
from generator.source.errors import CliError
from generator.source.reader import display

if TYPE_CHECKING:
    from generator.cluster.workflows import Server
    from generator.pipeline.gates import ModelGates
    from generator.plan.resolve import Planned
    from generator.plan.values import Plan
    from generator.spec.evidence import EvidenceEntry

_POLL_S: Final = 5.0


def workflow_name(plan: Plan) -> str:
    """Return namespace and name of the Workflow."""
    return f"{plan.identity.namespace}/{gate_workflow(plan)}"


def planned_in_cluster(model: ModelGates, environment: str) -> Planned:
    """Return the plan of an environment in which the gates run in the cluster.

    Raises:
        CliError: the environment does not exist, or has no gates in the cluster.
    """
    planned = model.planned_in(environment)
    if not in_cluster(planned.plan):
        raise CliError(
            f"{model.entry.name} has no gates that run in the cluster: its tier enforces them in git, or it has none"
        )
    return planned


def submit(model: ModelGates, plan: Plan, server: Server) -> str:
    """Create the Workflow. Return `submitted`, or the state of the existing one.

    Raises:
        WorkflowError: the server refuses, or does not answer.
    """
    from generator.cluster.workflows import WorkflowError, phase

    body = _workflow(model, plan)
    try:
        server.create(body)
    except WorkflowError as error:
        if error.reason != "exists":
            raise
        there = server.get(body["metadata"]["namespace"], body["metadata"]["name"])
        return f"already there, {phase(there).lower()}" if there else "already there"
    return "submitted"


def wait(plan: Plan, server: Server, longest_s: float) -> str:
    """Return the final phase of the Workflow, or its current one after the time limit."""
    from generator.cluster.workflows import ENDED, phase

    until = time.monotonic() + longest_s
    while True:
        found = server.get(plan.identity.namespace, gate_workflow(plan))
        state = phase(found) if found else "Deleted"
        if state in ENDED or found is None or time.monotonic() >= until:
            return state
        time.sleep(min(_POLL_S, max(0.0, until - time.monotonic())))


def fetch(model: ModelGates, planned: Planned, server: Server) -> tuple[Evidence, tuple[EvidenceEntry, ...]]:
    """Write the evidence of a finished Workflow next to the spec.

    Returns:
        The evidence, with findings if it is not accepted, and the fetched entries; nothing is written if there are
        findings.

    Raises:
        CliError: there is no evidence.
        WorkflowError: the server refuses, or does not answer.
    """
    entry, root = model.entry, model.session.root
    evidence = Evidence(display(entry.evidence, root), entry.name)
    content = accept_fetched(_text(planned.plan, server), evidence, planned.plan, model.lock)
    if content is None:
        return evidence, ()
    old = read_evidence(entry.evidence, root, entry.name).content
    merged = merge_fetched(content, old, model.plans, model.lock, model.everything)
    write_file(entry.evidence, evidence_bytes(merged))
    return evidence, tuple(content.predicate.gates)


def _workflow(model: ModelGates, plan: Plan) -> dict[str, Any]:
    """Return the rendered Workflow as plain values."""
    import yaml

    from generator.render.bundle import render_outputs
    from generator.render.outputs.gates import gates

    files = render_outputs(gates(plan), plan, model.session.templates)
    return dict(yaml.safe_load(files["workflow-gates.yaml"]))


def _text(plan: Plan, server: Server) -> str:
    """Return the document of a finished Workflow.

    Raises:
        CliError: there is none.
    """
    from generator.cluster.workflows import ENDED, evidence, message, phase

    where = workflow_name(plan)
    workflow = server.get(plan.identity.namespace, gate_workflow(plan))
    if workflow is None:
        raise CliError(f"no Workflow {where}", "`sluice gates submit` starts it")
    state = phase(workflow)
    if state not in ENDED:
        raise CliError(f"{where} is still {state.lower()}")
    text = evidence(workflow)
    if text is None:
        reason = message(workflow) or "the logs of its pods show why"
        raise CliError(f"{where} ended as {state} without evidence: {reason}")
    return text
