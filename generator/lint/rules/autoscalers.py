"""Rules on autoscalers of Rollouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.lint.objects import Body, Object, as_map, as_text, each, has, selects
from generator.lint.pods import containers, labels_of, templates_of
from generator.lint.rollout import ROUTING
from generator.lint.rules.contexts import RolloutContext
from generator.source.finding import Severity


def autoscalers(ctx: RolloutContext) -> Iterator[Object]:
    """Yield the autoscalers of the Rollout."""
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
    for scaler in autoscalers(ctx):
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
    for scaler in autoscalers(ctx):
        if _reads_memory(scaler):
            message = f"{scaler} counts the memory of both versions while a canary runs"
            yield Problem(ROUTING, message, "scale on CPU or on requests")


def _reads_memory(scaler: Object) -> bool:
    """Return whether a metric of an HPA, or a trigger of a ScaledObject, is memory."""
    resources = ("resource", "containerResource")
    read = {
        as_text(as_map(metric.get(kind)).get("name"))
        for _, metric in each(scaler.spec.get("metrics"), ())
        for kind in resources
    }
    triggers = {as_text(trigger.get("type")) for _, trigger in each(scaler.spec.get("triggers"), ())}
    return "memory" in read | triggers


_REF: Final = """\
spec:
  template:
  selector: {{matchLabels: {{app: model}}}}
  workloadRef: {{apiVersion: apps/v1, kind: Deployment, name: model{scale}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: model, namespace: shop}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: model}}}}
  template:
    metadata: {{labels: {{app: model}}}}
    spec:
      containers:
        - {{name: model, image: "registry.example/model:7", lifecycle: {{preStop: {{sleep: {{seconds: 9}}}}}}}}
"""
_SCALER: Final = """\
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: model, namespace: shop}}
spec:
  scaleTargetRef: {{apiVersion: {api}, kind: {kind}, name: model}}
  maxReplicas: 5
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: {target}}}}}}}]
"""


def _scaler(kind: str, target: str = 'AverageValue, averageValue: "1"') -> str:
    api = "argoproj.io/v1alpha1" if kind == "Rollout" else "apps/v1"
    return _SCALER.format(api=api, kind=kind, target=target)


@rule(
    "ANA449",
    "error",
    "an autoscaler scales the Deployment instead of the Rollout",
    scope=RolloutContext,
    why="The pods belong to the Rollout, so the autoscaler moves a Deployment that should have none, and the release "
    "keeps its size.",
    remedy="Name the Rollout in `scaleTargetRef` (apiVersion: argoproj.io/v1alpha1, kind: Rollout).",
    example=_REF.format(replicas=0, scale="") + _scaler("Deployment"),
    instead=_REF.format(replicas=0, scale="") + _scaler("Rollout"),
    source="argoproj/argo-rollouts#4288, #4110; Argo Rollouts 1.10, docs/migrating.md",
)
def scales_the_deployment(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no autoscaler has the Deployment of a workloadRef, or one of the Rollout's name, as its target."""
    ref = as_map(ctx.rollout.spec.get("workloadRef"))
    for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
        for scaler in ctx.objects.of_kind(kind):
            target = as_map(scaler.spec.get("scaleTargetRef"))
            name = as_text(target.get("name"))
            if (
                as_text(target.get("kind")) or "Deployment"
            ) != "Deployment" or scaler.namespace != ctx.namespace:
                continue
            behind = ref.get("kind") == "Deployment" and ref.get("name") == name
            alone = name == ctx.document.name and ctx.objects.find("Deployment", ctx.namespace, name) is None
            if behind or (alone and not ref):
                message = f"{scaler} scales the Deployment {name}, whose pods belong to {ctx.document}"
                severity: Severity | None = None if behind else "warning"
                path = ("spec", "scaleTargetRef", "kind" if has(target, "kind") else "name")
                yield Problem(path, message, document=scaler, severity=severity)


@rule(
    "ANA450",
    "error",
    "a Deployment and a Rollout run the same pods",
    scope=RolloutContext,
    why="Both have the same selector, so every pod runs twice, and Services send requests to the old ones as well.",
    remedy="Remove the Deployment, or let the Rollout take its pods over with `workloadRef`.",
    example="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: model, namespace: shop}
spec:
  selector: {matchLabels: {app: model}}
  template:
    metadata: {labels: {app: model}}
    spec: {containers: [{name: model, image: "registry.example/model:7"}]}
""",
    instead="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: model, namespace: shop}
spec:
  selector: {matchLabels: {app: trainer}}
  template:
    metadata: {labels: {app: trainer}}
    spec: {containers: [{name: model, image: "registry.example/model:7"}]}
""",
    source="Argo Rollouts 1.10, docs/migrating.md",
)
def two_owners_of_pods(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no Deployment next to the Rollout has its selector and its pods."""
    if ctx.rollout.has_workload_ref:
        return
    labels, selector = labels_of(ctx.rollout.template), as_map(ctx.rollout.spec.get("selector"))
    for deployment in ctx.objects.next_to("apps", "Deployment"):
        theirs = as_map(deployment.spec.get("selector"))
        if deployment.namespace != ctx.namespace or deployment.spec.get("replicas") == 0:
            continue
        pods = [labels_of(template) for _, template in templates_of(deployment)]
        if selector and theirs and selects(theirs, labels) and any(selects(selector, own) for own in pods):
            message = f"{deployment} and {ctx.document} select the same pods, so they run twice"
            yield Problem(("spec", "selector"), message, document=deployment, on_key=True)


@rule(
    "ANA451",
    "warning",
    "the Deployment behind a workloadRef keeps its pods",
    scope=RolloutContext,
    why="Without `scaleDown` the controller never scales the Deployment down: its pods run next to those of the "
    "Rollout, and take requests.",
    remedy="Set `workloadRef.scaleDown` to onsuccess or progressively, or the replicas of the Deployment to 0.",
    example=_REF.format(replicas=3, scale=""),
    instead=_REF.format(replicas=3, scale=", scaleDown: onsuccess"),
    source="Argo Rollouts 1.10, rollout/sync.go and docs/migrating.md",
)
def deployment_keeps_pods(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the Deployment of a workloadRef has no replicas, or is scaled down."""
    ref = as_map(ctx.rollout.spec.get("workloadRef"))
    if as_text(ref.get("scaleDown")) not in ("", "never") or ref.get("kind") != "Deployment":
        return
    deployment = ctx.objects.find("Deployment", ctx.namespace, as_text(ref.get("name")))
    if deployment is not None and deployment.spec.get("replicas") != 0:
        pods = deployment.spec.get("replicas", 1)
        message = f"{deployment} keeps its {pods} pod{'s' * (pods != 1)}: `scaleDown` is not set"
        yield Problem(("spec", "workloadRef"), message, on_key=True)


@rule(
    "ANA467",
    "warning",
    "an autoscaler needs a request that no container has",
    scope=RolloutContext,
    why="A use in percent is a share of what the containers request. Where one requests nothing, the autoscaler never "
    "computes a number, and never scales.",
    remedy="Give every container a request, or use `AverageValue`.",
    example="""\
spec: {template: {spec: {containers: [{resources: }]}}}
"""
    + _scaler("Rollout", "Utilization, averageUtilization: 60"),
    instead="""\
spec: {template: {spec: {containers: [{resources: {requests: {cpu: 100m}}}]}}}
"""
    + _scaler("Rollout", "Utilization, averageUtilization: 60"),
    source="Kubernetes 1.36, pkg/controller/podautoscaler/replica_calculator.go",
)
def share_of_nothing(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that every container requests what an autoscaler of the Rollout wants a share of."""
    template = ctx.pod_template
    for scaler in autoscalers(ctx) if template is not None else ():
        for path, resource in _shares(scaler):
            for _, container in containers(template[1]) if template else ():
                resources = as_map(container.get("resources"))
                given = {**as_map(resources.get("limits")), **as_map(resources.get("requests"))}
                if resource not in given:
                    message = (
                        f"{scaler} needs the {resource} request of the container {container.get('name')}"
                    )
                    yield Problem(path, message, document=scaler)
                    break


def _shares(scaler: Object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the resources of which an autoscaler wants a share of the requests."""
    if has(scaler.spec, "targetCPUUtilizationPercentage"):
        yield ("spec", "targetCPUUtilizationPercentage"), "cpu"
    for at, metric in each(scaler.spec.get("metrics"), ("spec", "metrics")):
        resource: Body = as_map(metric.get("resource"))
        if as_map(resource.get("target")).get("type") == "Utilization":
            yield (*at, "resource"), as_text(resource.get("name"))
    for at, trigger in each(scaler.spec.get("triggers"), ("spec", "triggers")):
        metadata = as_map(trigger.get("metadata"))
        kind = as_text(trigger.get("metricType")) or as_text(metadata.get("type"))
        if trigger.get("type") in ("cpu", "memory") and kind == "Utilization":
            yield at, as_text(trigger.get("type"))
