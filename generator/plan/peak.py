"""The resources that a plan needs: between releases, and at the peak of a release."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from generator.dataclass import dataclass
from generator.plan.values import Plan
from generator.source.quantity import parse_quantity, quantity_amount

# Requests of one gate's pod, as rendered (templates/kubernetes/_gate-container.yaml.j2), if no engine reads its data.
GATE_CPU, GATE_MEMORY = 0.5, 2**30
# Limits on local storage of a gate's pod: its container, and Argo's `wait` with the default of the LimitRange.
GATE_SCRATCH, WAIT_STORAGE = 10 * 2**30, 2**30
# Without a router the controller starts a quarter more pods before it stops old ones (maxSurge of the template).
SURGE = 0.25


@dataclass(frozen=True, slots=True)
class Need:
    """Resource requests of some pods.

    Args:
        pods: number of pods.
        cpu: cores.
        memory: bytes.
        gpu: devices.
        storage: limits on local storage, in bytes.
        services: Services that lead to them.
    """

    pods: int
    cpu: float
    memory: int
    gpu: int = 0
    storage: int = 0
    services: int = 0

    def __add__(self, other: Need) -> Need:
        return Need(
            self.pods + other.pods,
            self.cpu + other.cpu,
            self.memory + other.memory,
            self.gpu + other.gpu,
            self.storage + other.storage,
            self.services + other.services,
        )


@dataclass(frozen=True, slots=True)
class Peak:
    """The pods that run side by side while a new version is released.

    Args:
        stable: pods of the stable version, scaled up as far as its autoscaler goes.
        fresh: pods of the new version, just before the old ones are removed.
        shadow: pods that answer copied requests.
        gates: pods of the gates.
    """

    stable: Need
    fresh: Need
    shadow: Need
    gates: Need

    @property
    def total(self) -> Need:
        """The sum of all."""
        return self.stable + self.fresh + self.shadow + self.gates


def peak(plan: Plan) -> Peak:
    """Return what a plan needs at the peak of a release.

    A canary behind a router ends with both versions at full size, whatever the largest weight was: the controller keeps
    the old pods until all new ones are ready (Argo Rollouts 1.10, rollout/replicaset.go). So does a blue-green.
    """
    largest = plan.capacity.max_replicas
    counted = plan.rollout.strategy == "canary" and not plan.routing.router.splits_requests
    fresh = math.ceil(largest * SURGE) if counted else largest
    return Peak(
        stable=_pods(plan, largest, _services(plan)),
        fresh=_pods(plan, fresh),
        shadow=_pods(plan, shadow_pods(plan)),
        gates=_gates(plan) if "cluster" in plan.enforcement else Need(0, 0, 0),
    )


def steady_state(plan: Plan, *, scaled_up: bool = False) -> Need:
    """Return what a plan needs between releases.

    Args:
        plan: the plan.
        scaled_up: count the largest number of pods that the autoscaler may start, not the smallest.
    """
    replicas = plan.capacity.max_replicas if scaled_up else plan.capacity.min_replicas
    return _pods(plan, replicas) + _pods(plan, shadow_pods(plan))


def shadow_pods(plan: Plan) -> int:
    """Return the number of shadow pods: a share of the smallest number of pods; 0 without a shadow."""
    shadow = plan.rollout.shadow
    return max(1, math.ceil(plan.capacity.min_replicas * shadow.percent)) if shadow else 0


def _gates(plan: Plan) -> Need:
    """Return what the pods of all gates need, which may run at once; images with an engine get its resources."""
    engines = {gate.spec.image for gate in plan.gates if gate.spec.needs.engine}
    cpu, memory, scratch = map(quantity_amount, plan.gate_pods.resources)
    total = Need(0, 0, 0)
    for gate in plan.gates:
        own = (GATE_CPU, GATE_MEMORY, GATE_SCRATCH)
        if gate.spec.image in engines:
            own = (float(cpu), int(memory), int(scratch))
        total += Need(1, own[0], own[1], storage=own[2] + WAIT_STORAGE)
    return total


def _services(plan: Plan) -> int:
    """Return the number of Services of a model."""
    two = plan.rollout.strategy == "blue-green" or plan.routing.router.splits_requests
    return 1 + two + bool(plan.feedback) + bool(plan.rollout.shadow)


def pod_amount(plan: Plan, resource: str, model: str, group: str = "requests") -> Decimal:
    """Return what one pod requests of a resource, or its limit, in cores or bytes.

    Sidecars start before init containers and run until the end: a pod needs the larger of both phases, as the scheduler
    counts (KEP-753).

    Args:
        plan: the plan.
        resource: as `cpu`.
        model: what the model's container has.
        group: requests or limits.
    """
    aside = sum((_amount(one, resource, group) for one in plan.pod.sidecars), Decimal())
    first = max((_amount(one, resource, group) for one in plan.pod.init_containers), default=Decimal())
    return aside + max(quantity_amount(model), first)


def _amount(container: Mapping[str, Any], resource: str, group: str) -> Decimal:
    found = container.get("resources")
    values = found.get(group) if isinstance(found, dict) else None
    number = parse_quantity(values.get(resource)) if isinstance(values, dict) else None
    return number or Decimal()  # PLAN561 for what is not a quantity


def _pods(plan: Plan, count: int, services: int = 0) -> Need:
    need = plan.capacity
    cpu, memory = float(pod_amount(plan, "cpu", need.cpu)), int(pod_amount(plan, "memory", need.memory))
    storage = int(pod_amount(plan, "ephemeral-storage", need.storage, "limits"))
    return Need(count, count * cpu, count * memory, count * need.gpu, count * storage, services)
