"""Rules on traffic that goes nowhere or to the wrong version: load balancers, subsets, weights, KServe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.lint.objects import Body, Object, as_int, as_map, as_text, each
from generator.lint.rollout import CANARY, ROUTING
from generator.lint.rules.contexts import RolloutContext, TreeContext
from generator.source.document import Path

_USE_ANNOTATION: Final = "use-annotation"
_MODE: Final = "serving.kserve.io/deploymentMode"
_KNATIVE: Final = ("Serverless", "Knative")
_INGRESS: Final = """\
spec: {{strategy: {{canary: {{trafficRouting: {{alb: {{servicePort: 80, ingress: model}}}}}}}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: model, namespace: shop}}
spec: {{rules: [{{http: {{paths: [{{backend: {{service: {{name: model-stable, port: {port}}}}}}}]}}}}]}}
"""
_SUBSETS: Final = """\
spec:
  strategy:
    canary:
      canaryService:
      stableService:
      replicaProgressThreshold: {{type: Percentage, value: 50}}
      canaryMetadata: {{labels: {{role: canary}}}}
      trafficRouting:
        istio:
          virtualService: {{name: model}}
          destinationRule: {{name: model, canarySubsetName: canary, stableSubsetName: stable}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: model, namespace: shop}}
spec: {{host: model, subsets: [{{name: stable, labels: {{app: model}}}}, {{name: {name}, labels: {{{label}}}}}]}}
"""
_INFERENCE: Final = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {{name: model, namespace: shop, annotations: {{serving.kserve.io/deploymentMode: {mode}}}}}
spec: {{predictor: {{canaryTrafficPercent: 10, model: {{modelFormat: {{name: sklearn}}, storageUri: "s3://m/1"}}}}}}
"""


@rule(
    "ROL222",
    "error",
    "the load balancer never reads the weights of the Rollout",
    scope=RolloutContext,
    why="The controller writes the weights into an annotation. The load balancer reads it only where the port of the "
    "backend is named `use-annotation`: with another port all requests stay where they are.",
    remedy="Write `port: {name: use-annotation}` for the rootService (without one, for the stableService).",
    example=_INGRESS.format(port="{number: 80}"),
    instead=_INGRESS.format(port="{name: use-annotation}"),
    source="Argo Rollouts 1.10, docs/features/traffic-management/alb.md and utils/ingress/ingress.go",
)
def weights_not_read(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the Ingress of an ALB names the port of the moved Service `use-annotation`."""
    alb = ctx.rollout.router("alb")
    if alb is None:
        return
    wanted = as_text(alb.get("rootService")) or as_text((ctx.rollout.canary or {}).get("stableService"))
    for reference in ctx.rollout.ingresses:
        ingress = ctx.objects.find("Ingress", reference.namespace, reference.name)
        ports = list(_ports(ingress, wanted)) if ingress is not None else []
        if ingress is not None and ports and _USE_ANNOTATION not in [name for _, name in ports]:
            path, found = ports[0]
            message = f"{ingress} sends to the port {found} of `{wanted}`, so the load balancer never reads the weights"
            yield Problem(path, message, document=ingress)


def _ports(ingress: Object, service: str) -> Iterator[tuple[Path, str]]:
    """Yield the ports of the backends of a Service, with their paths."""
    for at, item in each(ingress.spec.get("rules"), ("spec", "rules")):
        for where, entry in each(as_map(item.get("http")).get("paths"), (*at, "http", "paths")):
            backend = as_map(as_map(entry.get("backend")).get("service"))
            if as_text(backend.get("name")) == service:
                port = as_map(backend.get("port"))
                yield (*where, "backend", "service", "port"), str(port.get("name") or port.get("number"))


def _destination_rule(ctx: RolloutContext) -> tuple[Body, Object | None]:
    settings = as_map((ctx.rollout.router("istio") or {}).get("destinationRule"))
    return settings, ctx.objects.find("DestinationRule", ctx.namespace, as_text(settings.get("name")))


@rule(
    "ROL223",
    "error",
    "a subset of the Rollout is not in the DestinationRule",
    scope=RolloutContext,
    why="The controller never adds a subset. Requests for one that does not exist get 503.",
    remedy="Add the subset to the DestinationRule, or correct its name.",
    example=_SUBSETS.format(name="canari", label="app: model"),
    instead=_SUBSETS.format(name="canary", label="app: model"),
    source="Argo Rollouts 1.10, rollout/trafficrouting/istio/istio.go",
)
def missing_subset(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that both subsets are in the DestinationRule, if it is in the tree."""
    settings, found = _destination_rule(ctx)
    if found is None:
        return
    names = [as_text(subset.get("name")) for _, subset in each(found.spec.get("subsets"), ())]
    for key in ("canarySubsetName", "stableSubsetName"):
        wanted = as_text(settings.get(key))
        if wanted and wanted not in names:
            listed = f"it has {', '.join(names)}" if names else "it has none"
            message = f"{found} has no subset `{wanted}`; {listed}"
            yield Problem((*ROUTING, "istio", "destinationRule", key), message)


@rule(
    "ANA456",
    "warning",
    "a subset selects a label that changes at the promotion",
    scope=RolloutContext,
    why="At the promotion the labels of canaryMetadata and stableMetadata are changed on running pods. Between the "
    "changes no pod has the label of the subset, and requests get 503.",
    remedy="Select labels of the pod template: the controller adds the hash that distinguishes the versions.",
    example=_SUBSETS.format(name="canary", label="role: canary"),
    instead=_SUBSETS.format(name="canary", label="app: model"),
    source="Argo Rollouts 1.10, docs/features/ephemeral-metadata.md; argoproj/argo-rollouts#3108",
)
def changing_label(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the subsets select no label of canaryMetadata or stableMetadata."""
    settings, found = _destination_rule(ctx)
    ours = {as_text(settings.get(key)) for key in ("canarySubsetName", "stableSubsetName")}
    canary = ctx.rollout.canary or {}
    changing = {
        key
        for field in ("canaryMetadata", "stableMetadata")
        for key in as_map(as_map(canary.get(field)).get("labels"))
    }
    for at, subset in each(found.spec.get("subsets"), ("spec", "subsets")) if found is not None else ():
        for label in sorted(changing & set(as_map(subset.get("labels")))):
            if subset.get("name") in ours:
                message = (
                    f"the subset `{subset.get('name')}` selects `{label}`, which changes on running pods"
                )
                yield Problem((*at, "labels", label), message, document=found)


@rule(
    "ANA468",
    "warning",
    "the canary can have more pods than the Rollout",
    scope=RolloutContext,
    why="With `dynamicStableScale` a full promotion sets the weight to 100 x available canary pods / replicas. The "
    "router refuses a weight above 100, and the release is stuck.",
    remedy="Keep `setCanaryScale.replicas` at or below `spec.replicas`.",
    example="""\
spec:
  replicas: 1
  strategy:
    canary:
      dynamicStableScale: true
      steps: [{setCanaryScale: {replicas: 2}}, {pause: {}}, {setCanaryScale: {matchTrafficWeight: true}}]
""",
    instead="""\
spec:
  replicas: 2
  strategy:
    canary:
      dynamicStableScale: true
      steps: [{setCanaryScale: {replicas: 2}}, {pause: {}}, {setCanaryScale: {matchTrafficWeight: true}}]
""",
    source="Argo Rollouts 1.10, rollout/trafficrouting.go; argoproj/argo-rollouts#4424",
)
def weight_above_all(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no step gives the canary more pods than the Rollout has while the stable version shrinks."""
    replicas = ctx.rollout.spec.get("replicas", 1)
    if (ctx.rollout.canary or {}).get("dynamicStableScale") is not True or not isinstance(replicas, int):
        return
    for path, step in ctx.rollout.steps:
        pods = as_int(as_map(step.get("setCanaryScale")).get("replicas"))
        if pods > replicas > 0:
            message = (
                f"{pods} pods of {replicas} make a weight of {100 * pods // replicas} on a full promotion"
            )
            yield Problem((*path, "setCanaryScale", "replicas"), message)


@rule(
    "ANA470",
    "warning",
    "two Services without a router keep the versions apart",
    scope=RolloutContext,
    why="Without trafficRouting the share of a version is its share of the pods behind one Service. The controller "
    "makes each of the two select one version: callers of the stable one never reach the canary.",
    remedy="Add `trafficRouting`, or remove both Services and use one that selects all pods.",
    example="spec: {strategy: {canary: {trafficRouting: }}}",
    instead="spec: {strategy: {canary: {trafficRouting: , canaryService: , stableService: }}}",
    source="Argo Rollouts 1.10, rollout/service.go; argoproj/argo-rollouts#1760",
)
def two_services_without_router(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a canary with a weight has a router when it has two Services."""
    canary = ctx.rollout.canary or {}
    if ctx.rollout.routing or not (
        as_text(canary.get("canaryService")) and as_text(canary.get("stableService"))
    ):
        return
    if any(as_int(step.get("setWeight")) > 0 for _, step in ctx.rollout.steps):
        message = (
            f"callers of `{canary['stableService']}` never reach the canary: there is no `trafficRouting`"
        )
        yield Problem((*CANARY, "stableService"), message)


@rule(
    "ANA469",
    "warning",
    "the canary of an InferenceService gets all requests",
    scope=TreeContext,
    why="KServe reads `canaryTrafficPercent` in Knative mode only. In the raw (standard) mode, which is the default "
    "where nothing is set, the new model gets everything at once.",
    remedy="Set the deployment mode to Knative, or roll the model out with a Rollout.",
    example=_INFERENCE.format(mode="RawDeployment"),
    instead=_INFERENCE.format(mode="Knative"),
    source="KServe 0.16, pkg/controller/v1beta1/inferenceservice; kserve/kserve#5335",
)
def canary_without_knative(ctx: TreeContext) -> Iterator[Problem]:
    """Check that an InferenceService with a canary runs in Knative mode."""
    for item in ctx.objects.of_kind("InferenceService"):
        mode = as_text(item.annotations.get(_MODE))
        for part in ("predictor", "transformer", "explainer"):
            percent = as_map(item.spec.get(part)).get("canaryTrafficPercent")
            if percent is not None and percent != 100 and mode not in _KNATIVE:
                where = f"in {mode} mode" if mode else "unless the cluster's default is Knative mode"
                message = f"{item}: the new model gets all requests at once, not {percent}%, {where}"
                yield Problem(("spec", part, "canaryTrafficPercent"), message, document=item)
