"""The gates that run in the cluster, and those that run again every day after the release."""

from __future__ import annotations

import hashlib
from typing import Final

from generator.plan.values import Gate, Plan

_SPREAD_MINUTES: Final = 60


def in_cluster(plan: Plan) -> bool:
    """Return whether the bundle carries a gate Workflow."""
    return bool(plan.gates) and "cluster" in plan.enforcement


def daily_watch(plan: Plan) -> tuple[Gate, ...]:
    """Return the gates that a daily watch runs again; none without a time, or without gates in the cluster."""
    if not (plan.gate_pods.watch and in_cluster(plan)):
        return ()
    return tuple(gate for gate in plan.gates if gate.spec.recurring)


def daily_cron(start: str | None, name: str) -> str:
    """Return when a model's daily watch starts, as a cron expression; empty without a time.

    Args:
        start: earliest start of a watch, `hh:mm` (UTC).
        name: name of the model; each starts at its own minute of the following hour, so that not all start at once.
    """
    if start is None:
        return ""
    hour, _, minute = start.partition(":")
    offset = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % _SPREAD_MINUTES
    at = (60 * int(hour) + int(minute) + offset) % (24 * 60)
    return f"{at % 60} {at // 60} * * *"
