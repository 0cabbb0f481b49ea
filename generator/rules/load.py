"""The rule on latency guards: they compare versions only while the pods of both have about the same load."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.plan.load import COMPARABLE, StepLoad, comparable_weights
from generator.plan.values import Capacity
from generator.rules.context import GUARDS, STEPS, Context, weight_steps
from generator.source.finding import Fix


@rule(
    "CAN213",
    "error",
    "a latency guard never compares pods with the same load",
    scope=Context,
    why="Requests wait in a pod's queue, so a busier pod is slower with the same version. The controller keeps all "
    "stable pods and rounds the number of canary pods up, so the loads differ at most weights: a good version is "
    "rolled back, or a slow one is missed. Sluice compares latencies only between loads of 0.8 to 1.25, and here no "
    "step has them.",
    remedy="Choose a weight that whole pods can make; 50% always works.",
    example="""
spec:
  replicas: 4
  rollout:
    steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 60m}]
    guards: [{metric: slow-rate, slowerThan: 250ms, baseline: 2%, detect: {rise: 50%}}]
""",
    instead="""
spec:
  replicas: 4
  rollout:
    steps: [{weight: 5%, hold: 60m}, {weight: 23%, hold: 60m}]
    guards: [{metric: slow-rate, slowerThan: 250ms, baseline: 2%, detect: {rise: 50%}}]
""",
    repair="review",
    source="Argo Rollouts 1.10, utils/replicaset/canary.go",
)
def unequal_loads(context: Context) -> Iterator[Problem]:
    """Check that at least one step gives a canary pod about the load of a stable pod."""
    plan = context.plan
    loads = plan.step_loads
    guards = [guard for guard in plan.guards if plan.compares_loads(guard)]
    if not guards or not loads or any(load.comparable for load in loads):
        return
    carried = ", ".join(f"{load.text} at {load.weight}%" for load in loads)
    for guard in guards:
        message = (
            f"`{guard.name}` compares nothing: a canary pod carries {carried} of the load of a stable pod; "
        )
        message += f"{1 / COMPARABLE:g} to {COMPARABLE:g} is comparable"
        hint, fix = _nearest(context, loads)
        yield Problem((*GUARDS, guard.index), message, hint, fix=fix)


def _nearest(context: Context, loads: tuple[StepLoad, ...]) -> tuple[str, Fix | None]:
    """Return the hint: the smallest change of a weight that makes its loads comparable."""
    capacity, position = context.plan.capacity, len(loads) - 1
    lowest = loads[position - 1].weight + 1 if position else 1
    possible = comparable_weights(capacity.min_replicas, capacity.max_replicas)
    fitting = [weight for weight in possible if weight >= lowest]
    last = loads[position].weight
    if not fitting:
        return "add a step at 50%", None
    weight = min(fitting, key=lambda one: abs(one - last))
    index = weight_steps(context)[position]
    hint = f"write {weight}% instead of {last}% in the last step{_of_pods(capacity)}"
    return hint, Fix((*STEPS, index, "weight"), f"{weight}%")


def _of_pods(capacity: Capacity) -> str:
    if capacity.min_replicas == capacity.max_replicas:
        return f": {capacity.min_replicas} pods can make it"
    return f": {capacity.min_replicas} to {capacity.max_replicas} pods can make it"
