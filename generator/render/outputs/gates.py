"""The gates as an Argo Workflow, for tiers that enforce them in the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from generator.plan.gates import with_moving_windows
from generator.plan.names import Names, gate_workflow
from generator.plan.recurring_gates import daily_watch, in_cluster
from generator.plan.values import Gate, Plan
from generator.render.output import Output
from generator.render.scalars import inert_json
from generator.spec.gate_tools import BARE
from generator.spec.gates import CustomGate

_OWN = "own-"
WATCH_FOLDER: Final = "watch"
"""Folder of the claim that holds the inputs of the watch."""

# Gauges of the daily watch, which Argo Workflows exports with the prefix `argo_workflows_` (its docs/metrics.md).
METRIC_TIME: Final = "sluice_watch_time"
METRIC_PASSED: Final = "sluice_watch_passed"
# First release of Argo Workflows with `schedules` instead of `schedule`.
_SCHEDULES: Final = (3, 6)


def gates(plan: Plan) -> Iterator[Output]:
    """Yield the Workflow before a release, and the daily watch; none if the tier enforces gates only in git."""
    if not in_cluster(plan):
        return
    context = _context(plan.gates, _release(plan))
    yield Output(
        "workflow-gates.yaml",
        "kubernetes/workflow-gates.yaml.j2",
        {**context, "workflow": gate_workflow(plan), "inputs_path": ""},
    )
    recurring = daily_watch(plan)
    if recurring:
        yield _watch(plan, recurring)


def _watch(plan: Plan, gates: Sequence[Gate]) -> Output:
    """Return the daily watch, whose gates read production data: it is new each day, so no lock can name it."""
    release = _release(plan)
    fresh = {gate.spec.needs.fresh for gate in gates}
    release["lock"]["data"] = {ref: data for ref, data in release["lock"]["data"].items() if ref not in fresh}
    labels = {
        "environment": plan.identity.environment,
        "model": plan.identity.model,
        "team": plan.identity.team,
    }
    return Output(
        "cronworkflow-watch.yaml",
        "kubernetes/cronworkflow-watch.yaml.j2",
        {
            **_context([with_moving_windows(gate) for gate in gates], release),
            "workflow": Names.of(plan).recheck,
            "inputs_path": WATCH_FOLDER,
            "several": _version(plan.delivery.workflows) >= _SCHEDULES,
            "metrics": {"time": METRIC_TIME, "passed": METRIC_PASSED},
            "metric_labels": [{"key": key, "value": value} for key, value in labels.items()],
        },
    )


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")[:2]))


def _context(found: Sequence[Gate], release: dict[str, Any]) -> dict[str, Any]:
    ended = (f"({gate.name}.Succeeded || {gate.name}.Failed || {gate.name}.Errored)" for gate in found)
    used = {gate.spec.image for gate in found}
    return {
        "gates": [_task(gate) for gate in found],
        "tools": sorted(name for name in used if name is not None),
        "own": [_own(gate, gate.spec) for gate in found if isinstance(gate.spec, CustomGate)],
        "bare": BARE,
        "engines": sorted({gate.spec.image or "" for gate in found if gate.spec.needs.engine}),
        "depends": " && ".join(ended),
        "release": inert_json(release),
        "configs": inert_json([gate.config for gate in found]),
    }


def used_images(plan: Plan) -> list[str]:
    """Return the names of our images that the Workflow uses, sorted; none without a Workflow."""
    found = {gate.spec.image for gate in plan.gates} | {BARE}
    return sorted(name for name in found if name is not None) if in_cluster(plan) else []


def _task(gate: Gate) -> dict[str, Any]:
    template = gate.spec.image or _OWN + gate.name
    return {"task": gate.name, "template": template, "config": inert_json(gate.config)}


def _own(gate: Gate, spec: CustomGate) -> dict[str, Any]:
    """Return the container of a custom gate."""
    return {"template": _OWN + gate.name, "image": spec.custom, "args": spec.args}


def _release(plan: Plan) -> dict[str, Any]:
    """Return the release for a container: a `generator.gates.pod.ReleaseInfo`."""
    version = plan.version
    model = {
        "ref": version.ref,
        "resolved": version.resolved,
        "version": version.label,
        "digest": version.digest,
        "at": version.at,
        "by": "the lock",
    }
    data = {ref: {"digest": digest, "resolved": ref} for ref, digest in plan.data}
    return {
        "model": f"{plan.identity.team}/{plan.identity.model}",
        "framework": plan.server.framework,
        "gateKey": plan.gate_key,
        "guaranteed": plan.gate_pods.guaranteed,
        "waived": {gate.name: gate.waiver.until for gate in plan.gates if gate.waiver},
        "lock": {"schema": "sluice/lock/v1", "model": model, "data": data},
    }
