"""What a plan needs of a cluster: all the time, and at the peak of a release."""

from __future__ import annotations

import math
from dataclasses import dataclass

from generator.plan.values import Plan
from generator.source.quantity import quantity_amount

# Requests of one gate's pod, as rendered (templates/kubernetes/_gate-container.yaml.j2).
GATE_CPU, GATE_MEMORY = 0.5, 2**30
# Without a router the controller starts a quarter more pods before it stops old ones (rollout-canary.yaml.j2).
SURGE = 0.25


@dataclass(frozen=True, slots=True)
class Need:
    """Requests of some pods.

    Args:
        pods: how many.
        cpu: cores.
        memory: bytes.
        gpu: devices.
    """

    pods: int = 0
    cpu: float = 0.0
    memory: int = 0
    gpu: int = 0

    def __add__(self, other: Need) -> Need:
        return Need(
            self.pods + other.pods, self.cpu + other.cpu, self.memory + other.memory, self.gpu + other.gpu
        )


@dataclass(frozen=True, slots=True)
class Peak:
    """What runs side by side while a new version is released.

    Args:
        stable: the version that serves, with all pods that its autoscaler may start.
        fresh: the new version at its most, just before the old one goes.
        shadow: the pods that answer copies.
        gates: the pods that judge before the release.
    """

    stable: Need
    fresh: Need
    shadow: Need
    gates: Need

    @property
    def total(self) -> Need:
        """All of it."""
        return self.stable + self.fresh + self.shadow + self.gates


def peak(plan: Plan) -> Peak:
    """Return the most that a plan needs at a time.

    A routed canary ends with both versions at full size: the controller keeps the old one until the new one has all
    pods (Argo Rollouts 1.10, rollout/replicaset.go), whatever the largest weight was. So does a blue-green.
    """
    largest = plan.capacity.max_replicas
    gates = len(plan.gates) if "cluster" in plan.enforcement else 0
    counted = plan.rollout.strategy == "canary" and not plan.routing.router.splits_requests
    fresh = math.ceil(largest * SURGE) if counted else largest
    return Peak(
        stable=_pods(plan, largest),
        fresh=_pods(plan, fresh),
        shadow=_pods(plan, shadow_pods(plan)),
        gates=Need(gates, gates * GATE_CPU, gates * GATE_MEMORY),
    )


def steady_state(plan: Plan, *, scaled_up: bool = False) -> Need:
    """Return what a plan needs between releases.

    Args:
        plan: the plan.
        scaled_up: with every pod that the autoscaler may start, instead of the fewest.
    """
    replicas = plan.capacity.max_replicas if scaled_up else plan.capacity.min_replicas
    return _pods(plan, replicas) + _pods(plan, shadow_pods(plan))


def shadow_pods(plan: Plan) -> int:
    """Pods that answer copies: their share of the fewest pods; 0 without a shadow."""
    shadow = plan.rollout.shadow
    return max(1, math.ceil(plan.capacity.min_replicas * shadow.percent)) if shadow else 0


def _pods(plan: Plan, count: int) -> Need:
    need = plan.capacity
    cpu, memory = float(quantity_amount(need.cpu)), int(quantity_amount(need.memory))
    return Need(count, count * cpu, count * memory, count * need.gpu)
