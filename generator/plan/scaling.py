"""The autoscaler while a canary runs: it counts the pods of both versions, and its tolerance miscounts them.

The status of a Rollout counts all pods of a canary, and its selector selects them (Argo Rollouts 1.10,
rollout/canary.go). The Horizontal Pod Autoscaler, which KEDA uses, compares their use or requests with its
target. By default it changes nothing as long as they are within 10% of it (Kubernetes 1.36,
pkg/controller/podautoscaler/replica_calculator.go). Then

- for a metric of all pods together (KEDA) it keeps the number that the status reports, as the number of stable pods:
  that adds a stable pod for each canary pod, the canary grows with them, and at the next evaluation there are too many.
  This needs a canary of at most a ninth of the stable pods.
- for CPU it keeps the number of stable pods, although all pods together may be almost twice as many: their average
  hides that those of one version are overloaded.

Without a tolerance below the target, both compute the number of pods from the work alone. The field
for it has existed since Kubernetes 1.35 and KEDA 2.18.
"""

from __future__ import annotations

from typing import Final

from generator.plan.load import canary_pods
from generator.plan.values import Plan
from generator.routers.argo_rollouts import minor
from generator.spec.environment import Controllers
from generator.spec.rollout import CohortStep

DEFAULT_TOLERANCE: Final = 0.1
"""What Kubernetes tolerates on either side of a target unless the autoscaler says otherwise."""

_SINCE: Final = {"kubernetes": (1, 35), "keda": (2, 18)}
_NAMES: Final = {"kubernetes": "Kubernetes", "keda": "KEDA"}


def too_old(versions: Controllers, kind: str) -> list[str]:
    """Return what must be upgraded before an autoscaler of this kind accepts a tolerance, as "KEDA 2.18"."""
    needed = {name: since for name, since in _SINCE.items() if name in {"kubernetes", kind}}
    return [
        f"{_NAMES[name]} {major}.{second}"
        for name, (major, second) in needed.items()
        if minor(getattr(versions, name)) < (major, second)
    ]


def counts_both(plan: Plan) -> bool:
    """Return whether an autoscaler counts a canary's pods on top of the stable ones.

    Without a router the canary's pods replace stable ones, and for a blue-green only the active version counts.
    """
    splits = plan.rollout.stage == "canary" and plan.routing.router.splits_requests
    return plan.capacity.autoscaler is not None and splits


def adopted(plan: Plan) -> tuple[int, int] | None:
    """Return numbers of stable and canary pods at which the default tolerance adds a stable pod for each canary pod.

    The first step, with the fewest stable pods; None where no step has so few canary pods.
    """
    cohort = any(isinstance(step, CohortStep) for step in plan.rollout.steps)
    scales = [0] * cohort + [plan.step_load(weight).scale for weight in plan.rollout.weights]
    for scale in scales:
        for stable in range(max(1, plan.capacity.min_replicas), plan.capacity.max_replicas):
            canary = canary_pods(stable, scale) if scale else 1
            if stable >= (1 - DEFAULT_TOLERANCE) * (stable + canary) - 1e-9:
                return stable, canary
    return None


def largest_idle_use(plan: Plan) -> float | None:
    """Return the use of an idle pod, as a share of its CPU request, from which on releases start pods without need.

    With u of use that does not follow the traffic and the target T, n stable pods and as many canary pods, as at the
    end of each canary, ask for 2 n u/T pods: more than n from T/2 on. None for autoscalers that count requests.
    """
    counted = counts_both(plan) and plan.capacity.autoscaler == "hpa"
    return plan.capacity.target_cpu / 2 if counted else None
