"""Which gates run in the cluster, and which of them again after the release."""

from __future__ import annotations

from typing import Final

from generator.plan.values import Gate, Plan

JUDGED_AGAIN: Final = frozenset({"drift", "fairness"})
"""Kinds of gates that are run again on what production saw."""


def in_cluster(plan: Plan) -> bool:
    """Whether the bundle carries a gate Workflow."""
    return bool(plan.gates) and "cluster" in plan.enforcement


def judged_again(plan: Plan) -> tuple[Gate, ...]:
    """Gates that a daily watch judges again; none where nobody asked for one, or no gate runs in the cluster."""
    if not (plan.gate_pods.watch and in_cluster(plan)):
        return ()
    return tuple(gate for gate in plan.gates if gate.kind in JUDGED_AGAIN)
