"""Rollouts and guards made by hand: spec records without the text they are usually read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from generator.plan.guards import Comparison, Guard, Limit
from generator.plan.values import Plan
from generator.spec.rollout import ApproveStep, BlueGreen, Preview, Step, WeightStep


def weight_step(weight: int, hold: float = 60.0) -> WeightStep:
    return WeightStep.model_construct(weight=weight, hold=hold)


def approval(role: str = "model-risk") -> ApproveStep:
    return ApproveStep.model_construct(approve=role)


def with_steps(plan: Plan, steps: Sequence[Step]) -> Plan:
    """The same plan with other steps."""
    return replace(plan, rollout=plan.rollout.model_copy(update={"steps": list(steps)}))


def blue_green(plan: Plan, guards: Sequence[Guard], approve: str = "manual", watch: float = 900.0) -> Plan:
    """The same plan as a switch with these guards."""
    rollout = BlueGreen.model_construct(
        strategy="blue-green",
        approve=approve,
        preview=Preview(),
        guards=[],
        watch=watch,
        risk=plan.rollout.risk,
        no_data="pause",
    )
    return replace(plan, rollout=rollout, guards=tuple(guards))


def as_limit(guard: Comparison, limit: float) -> Limit:
    """The same counters with a bare limit."""
    kept = {f.name for f in fields(Limit)} & {f.name for f in fields(Comparison)}
    values = {name: getattr(guard, name) for name in kept}
    return Limit(**values, signal=guard.counts, limit=limit)
