"""The gates as an Argo Workflow, for tiers that enforce them in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.plan.gate_tools import BARE, image_of
from generator.plan.names import gate_workflow
from generator.plan.values import Gate, Plan
from generator.render.output import Output
from generator.render.scalars import inert_json

_OWN = "own-"


def gates(plan: Plan) -> Iterator[Output]:
    """The Workflow; none where the tier enforces gates in git alone, or there are none."""
    if not in_cluster(plan):
        return
    ended = (f"({gate.name}.Succeeded || {gate.name}.Failed || {gate.name}.Errored)" for gate in plan.gates)
    yield Output(
        "workflow-gates.yaml",
        "kubernetes/workflow-gates.yaml.j2",
        {
            "workflow": gate_workflow(plan),
            "gates": [_task(gate) for gate in plan.gates],
            "tools": [name for name in used_images(plan) if name != BARE or _reads_reports(plan)],
            "own": [_own(gate) for gate in plan.gates if image_of(gate.kind, gate.config) is None],
            "bare": BARE,
            "depends": " && ".join(ended),
            "release": inert_json(_release(plan)),
            "configs": inert_json([gate.config for gate in plan.gates]),
        },
    )


def in_cluster(plan: Plan) -> bool:
    """Whether the bundle carries a gate Workflow."""
    return bool(plan.gates) and "cluster" in plan.enforcement


def used_images(plan: Plan) -> list[str]:
    """Names of the images of ours that the Workflow uses, sorted; none without one."""
    found = {image_of(gate.kind, gate.config) for gate in plan.gates} | {BARE}
    return sorted(name for name in found if name is not None) if in_cluster(plan) else []


def _reads_reports(plan: Plan) -> bool:
    return any(image_of(gate.kind, gate.config) == BARE for gate in plan.gates)


def _task(gate: Gate) -> dict[str, Any]:
    image = image_of(gate.kind, gate.config)
    return {"task": gate.name, "template": image or _OWN + gate.name, "config": inert_json(gate.config)}


def _own(gate: Gate) -> dict[str, Any]:
    """The container that a custom gate brings."""
    return {
        "template": _OWN + gate.name,
        "image": gate.config["custom"],
        "args": gate.config.get("args", []),
    }


def _release(plan: Plan) -> dict[str, Any]:
    """What `generator.gates.pod.Told` reads: everything that a container has to know of the release."""
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
        "framework": plan.bento.framework,
        "gateKey": plan.gate_key,
        "guaranteed": plan.gate_pods.guaranteed,
        "waived": {gate.name: gate.waiver.until for gate in plan.gates if gate.waiver},
        "lock": {"schema": "sluice/lock/v1", "model": model, "data": data},
    }
