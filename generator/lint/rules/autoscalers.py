"""Rules on autoscalers of Rollouts."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.lint.objects import Object, as_map, each, has
from generator.lint.rollout import ROUTING
from generator.lint.rules.contexts import RolloutContext


def _autoscalers(ctx: RolloutContext) -> Iterator[Object]:
    for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
        for scaler in ctx.objects.of_kind(kind):
            target = as_map(scaler.spec.get("scaleTargetRef"))
            names = target.get("kind") == "Rollout" and target.get("name") == ctx.document.name
            if names and scaler.namespace == ctx.namespace:
                yield scaler


@rule(
    "ANA448",
    "warning",
    "`spec.replicas` is set although an autoscaler sets it, too",
    scope=RolloutContext,
    why="Every sync sets the count back to the value in git, until the autoscaler changes it again.",
    remedy="Leave `spec.replicas` out of the Rollout.",
    example="""\
spec: {replicas: 3}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: model, namespace: shop}
spec: {scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: model}, maxReplicas: 5}
""",
    instead="""\
spec: {replicas: }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: model, namespace: shop}
spec: {scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: model}, maxReplicas: 5}
""",
    source="Argo Rollouts 1.10, rollout/sync.go",
)
def two_owners_of_replicas(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no autoscaler has a Rollout with `spec.replicas` as its target."""
    if not has(ctx.rollout.spec, "replicas"):
        return
    for scaler in _autoscalers(ctx):
        yield Problem(("spec", "replicas"), f"{scaler} sets the replicas as well")


@rule(
    "ANA466",
    "warning",
    "an autoscaler counts the memory of a canary's pods",
    scope=RolloutContext,
    why="The autoscaler counts the pods of both versions, and memory does not follow the traffic: at a use u, a target "
    "T and w canary pods for each stable pod it requests u (1 + w) / T times the stable pods. From w = T/u - 1 on it "
    "adds pods again and again, up to the maximum.",
    remedy="Scale on CPU or on requests, or keep its use below half of the target.",
    example="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: model, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: model}
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 60}}}]
""",
    instead="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: model, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: model}
  maxReplicas: 5
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
""",
    source="Argo Rollouts 1.10, rollout/canary.go; argoproj/argo-rollouts#2857",
)
def memory_of_canaries(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no autoscaler of a canary behind a router reads memory."""
    if ctx.rollout.routing is None:
        return
    for scaler in _autoscalers(ctx):
        if _reads_memory(scaler):
            message = f"{scaler} counts the memory of both versions while a canary runs"
            yield Problem(ROUTING, message, "scale on CPU or on requests")


def _reads_memory(scaler: Object) -> bool:
    """Return whether a metric of an HPA, or a trigger of a ScaledObject, is memory."""
    resources = ("resource", "containerResource")
    read = {
        as_map(metric.get(kind)).get("name")
        for _, metric in each(scaler.spec.get("metrics"), ())
        for kind in resources
    }
    triggers = {trigger.get("type") for _, trigger in each(scaler.spec.get("triggers"), ())}
    return "memory" in read | triggers
