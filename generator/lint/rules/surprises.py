"""Rules on Rollouts that the controller accepts and that do something else than they seem to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.lint.objects import Body, as_int, as_map, as_text, has, selects
from generator.lint.rollout import BLUE_GREEN, CANARY, ROUTING
from generator.lint.rules.autoscalers import autoscalers
from generator.lint.rules.contexts import VALIDATION, RolloutContext
from generator.source.finding import Severity

_PERCENT: Final = re.compile(r"(\d{1,3})%")
_ALONE: Final = ("setWeight", "pause", "experiment", "analysis")


@rule(
    "ANA442",
    "warning",
    "an aborted version is never scaled down",
    scope=RolloutContext,
    why="`abortScaleDownDelaySeconds: 0` does not mean at once, it means never: the pods of the aborted version keep "
    "running until they are deleted by hand.",
    remedy="Set `abortScaleDownDelaySeconds` to 30 or more, or leave it out.",
    example="spec: {strategy: {canary: {abortScaleDownDelaySeconds: 0}}}",
    instead="spec: {strategy: {canary: {abortScaleDownDelaySeconds: 30}}}",
    source="Argo Rollouts 1.10, utils/defaults/defaults.go",
)
def abort_keeps_pods(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that `abortScaleDownDelaySeconds` is not 0."""
    for path, strategy in ((CANARY, ctx.rollout.canary), (BLUE_GREEN, ctx.rollout.blue_green)):
        if (strategy or {}).get("abortScaleDownDelaySeconds") == 0:
            yield Problem(
                (*path, "abortScaleDownDelaySeconds"), "with 0 the pods of an aborted version keep running"
            )


@rule(
    "ANA443",
    "info",
    "the stable version loses its pods during a canary",
    scope=RolloutContext,
    why="With `dynamicStableScale` an abort can return traffic only as fast as stable pods start.",
    remedy="Use `dynamicStableScale` only where pods cost more than a quick rollback is worth.",
    example="spec: {strategy: {canary: {dynamicStableScale: true}}}",
    instead="spec: {strategy: {canary: {dynamicStableScale: false}}}",
    source="Argo Rollouts 1.10, utils/replicaset/canary.go",
)
def stable_shrinks(ctx: RolloutContext) -> Iterator[Problem]:
    """Check for `dynamicStableScale`."""
    if (ctx.rollout.canary or {}).get("dynamicStableScale") is True:
        yield Problem(
            (*CANARY, "dynamicStableScale"), "a rollback waits until stable pods have started again"
        )


@rule(
    "ANA444",
    "warning",
    "a version that never becomes ready is not aborted",
    scope=RolloutContext,
    why="After the progress deadline the Rollout is reported as Degraded, but the new version stays up, and nothing "
    "moves until a person acts.",
    remedy="Set `spec.progressDeadlineAbort` to true, and the deadline above the time that a model needs to load.",
    example="spec: {progressDeadlineAbort: false}",
    instead="spec: {progressDeadlineAbort: true}",
    source="Argo Rollouts 1.10, rollout/sync.go",
)
def deadline_without_abort(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that `progressDeadlineAbort` is true."""
    if ctx.rollout.spec.get("progressDeadlineAbort") is not True:
        message = "a new version that never becomes ready stays up: `progressDeadlineAbort` is not true"
        yield Problem(("spec", "progressDeadlineAbort"), message)


@rule(
    "ANA447",
    "info",
    "an abort waits for the stable version to be fully available",
    scope=RolloutContext,
    why="Between Istio subsets the weight goes back only once every stable pod is available. Until then users "
    "stay on the aborted version.",
    remedy="Give the Rollout a `canaryService` and a `stableService`, or set `replicaProgressThreshold`.",
    example="""\
spec:
  strategy:
    canary:
      canaryService:
      stableService:
      trafficRouting:
        istio:
          virtualService: {name: model}
          destinationRule: {name: model, canarySubsetName: canary, stableSubsetName: stable}
""",
    instead="""\
spec:
  strategy:
    canary:
      canaryService:
      stableService:
      replicaProgressThreshold: {type: Percentage, value: 50}
      trafficRouting:
        istio:
          virtualService: {name: model}
          destinationRule: {name: model, canarySubsetName: canary, stableSubsetName: stable}
""",
    source="Argo Rollouts 1.10, rollout/trafficrouting.go",
)
def abort_waits(ctx: RolloutContext) -> Iterator[Problem]:
    """Check for Istio subsets without Services and without a `replicaProgressThreshold`."""
    canary, istio = ctx.rollout.canary or {}, ctx.rollout.router("istio") or {}
    subsets = has(istio, "destinationRule") and not as_text(canary.get("canaryService"))
    if subsets and not has(canary, "replicaProgressThreshold"):
        message = "after an abort users stay on the canary until every stable pod is available"
        yield Problem((*ROUTING, "istio", "destinationRule"), message)


@rule(
    "ANA452",
    "warning",
    "a promotion that needs approval also happens automatically",
    scope=RolloutContext,
    why="`autoPromotionSeconds` overrides `autoPromotionEnabled: false`: after that time the new version is promoted "
    "without approval.",
    remedy="Remove `autoPromotionSeconds`.",
    example="""\
spec:
  strategy: {blueGreen: {activeService: model-stable, autoPromotionEnabled: false, autoPromotionSeconds: 60}}
""",
    instead="spec: {strategy: {blueGreen: {activeService: model-stable, autoPromotionEnabled: false}}}",
    source="Argo Rollouts 1.10, rollout/bluegreen.go",
)
def timed_approval(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a promotion that waits for a person has no time after which it happens anyway."""
    strategy = ctx.rollout.blue_green or {}
    seconds = as_int(strategy.get("autoPromotionSeconds"))
    if strategy.get("autoPromotionEnabled") is False and seconds > 0:
        message = f"the new version is promoted after {seconds:,} s without approval"
        yield Problem((*BLUE_GREEN, "autoPromotionSeconds"), message)


@rule(
    "ANA453",
    "warning",
    "a disruption budget blocks the draining of nodes",
    scope=RolloutContext,
    why="A minimum as large as the number of pods blocks every eviction, so nodes cannot be drained for an upgrade.",
    remedy="Use `maxUnavailable: 1` in the PodDisruptionBudget.",
    example="""\
spec: {replicas: 3}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: model, namespace: shop}
spec: {minAvailable: 3, selector: {matchLabels: {app: model}}}
""",
    instead="""\
spec: {replicas: 3}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: model, namespace: shop}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: model}}}
""",
    source="Kubernetes 1.36, pkg/controller/disruption/disruption.go",
)
def budget_blocks_drain(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that disruption budgets require fewer pods than the Rollout has."""
    labels = as_map(as_map(ctx.rollout.template.get("metadata")).get("labels"))
    counts = [as_int(ctx.rollout.spec.get("replicas"))]
    for scaler in autoscalers(ctx):
        counts += [as_int(scaler.spec.get(key)) for key in ("minReplicas", "minReplicaCount")]
    fewest = min((count for count in counts if count > 0), default=0)
    for budget in ctx.objects.of_kind("PodDisruptionBudget"):
        selector = as_map(budget.spec.get("selector"))
        minimum, most = budget.spec.get("minAvailable"), budget.spec.get("maxUnavailable")
        rule_of = f"requires {minimum} available pods" if most is None else f"allows {most} unavailable pods"
        if _blocks(minimum, most, fewest) and selector and selects(selector, labels):
            path = ("spec", "minAvailable" if most is None else "maxUnavailable")
            yield Problem(path, f"{budget} {rule_of}, so none can be evicted", document=budget)


def _blocks(minimum: object, most: object, pods: int) -> bool:
    """Return whether a budget lets no pod go; percentages are rounded up."""
    if most is not None:
        return as_text(most).rstrip("%") == "0" or most == 0
    share = _PERCENT.fullmatch(as_text(minimum))
    if share is None:
        return as_int(minimum) >= pods > 0
    return int(share[1]) >= 100 or (pods > 0 and -(-pods * int(share[1]) // 100) >= pods)


@rule(
    "ANA454",
    "info",
    "a rollback within the window skips steps and analysis",
    scope=RolloutContext,
    why="A return to one of the last revisions takes effect at once, without steps and without analysis.",
    remedy="Leave `rollbackWindow` out if every change of version must pass its gates.",
    example="spec: {rollbackWindow: {revisions: 3}}",
    instead="spec: {rollbackWindow: }",
    source="Argo Rollouts 1.10, rollout/canary.go",
)
def unchecked_rollback(ctx: RolloutContext) -> Iterator[Problem]:
    """Check for a rollback window."""
    revisions = as_int(as_map(ctx.rollout.spec.get("rollbackWindow")).get("revisions"))
    if revisions > 0:
        message = f"going back by up to {revisions} revision{'s' * (revisions > 1)} skips steps and analysis"
        yield Problem(("spec", "rollbackWindow"), message)


@rule(
    "ANA462",
    "warning",
    "an operational switch is kept in git",
    scope=RolloutContext,
    why="`paused` and `restartAt` are temporary. In git they are applied again by every sync.",
    remedy="Remove the field; pause and restart with `kubectl argo rollouts`.",
    example="spec: {paused: true}",
    instead="spec: {paused: false}",
    source="Argo Rollouts 1.10, pkg/apis/rollouts/v1alpha1/types.go",
)
def switch_in_git(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that neither `paused` nor `restartAt` is set."""
    spec: Body = ctx.rollout.spec
    if spec.get("paused") is True:
        yield Problem(("spec", "paused"), "every sync pauses the Rollout")
    if has(spec, "restartAt"):
        yield Problem(("spec", "restartAt"), "every sync sets the time of a restart")


@rule(
    "ANA441",
    "warning",
    "a fixed canary scale gets more traffic than its pods can handle",
    scope=RolloutContext,
    why="`setCanaryScale` stays in effect until `matchTrafficWeight` ends it. With `replicas: 1` a later "
    "`setWeight: 50` "
    "sends half of all requests to one pod.",
    remedy="Add a step `setCanaryScale: {matchTrafficWeight: true}` before the weight rises.",
    example="spec: {strategy: {canary: {steps: [{setCanaryScale: {replicas: 1}}, {setWeight: 50}, {pause: {}}]}}}",
    instead="""\
spec:
  strategy:
    canary:
      steps: [{setCanaryScale: {replicas: 1}}, {setCanaryScale: {matchTrafficWeight: true}}, {setWeight: 50}]
""",
    source="Argo Rollouts 1.10, utils/replicaset/canary.go, UseSetCanaryScale",
)
def scale_not_given_back(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no weight rises while a fixed scale is in effect, and that no scale removes pods with traffic."""
    fixed, weight, enough = False, 0, 0
    for path, step in ctx.rollout.steps:
        weight = as_int(step.get("setWeight"), weight)
        if has(step, "setCanaryScale"):
            scale = as_map(step["setCanaryScale"])
            fixed, enough = scale.get("matchTrafficWeight") is not True, as_int(scale.get("weight"))
            if fixed and _too_few_pods(ctx, scale, weight):
                message = f"{weight}% of the traffic goes to fewer pods than before"
                yield Problem((*path, "setCanaryScale"), message)
                return
        elif fixed and as_int(step.get("setWeight")) > enough:
            message = "the traffic rises, but an earlier `setCanaryScale` keeps the number of pods"
            yield Problem((*path, "setWeight"), message)
            return


def _too_few_pods(ctx: RolloutContext, scale: Body, weight: int) -> bool:
    """Return whether a fixed scale removes pods that have traffic, as far as the numbers are known."""
    if has(scale, "weight"):
        return as_int(scale["weight"]) < weight
    pods = as_int(ctx.rollout.spec.get("replicas"))
    return has(scale, "replicas") and as_int(scale["replicas"]) * ctx.rollout.max_weight < pods * weight


@rule(
    "ANA445",
    "warning",
    "a weight is smaller than one pod",
    scope=RolloutContext,
    why="Without a router the smallest share is one pod: 5% of three pods is a third of the traffic.",
    remedy="Use a traffic router, or weights of at least 100 divided by the replicas.",
    example="spec: {replicas: 3, strategy: {canary: {trafficRouting: , steps: [{setWeight: 5}, {pause: {}}]}}}",
    instead="spec: {replicas: 3, strategy: {canary: {trafficRouting: , steps: [{setWeight: 34}, {pause: {}}]}}}",
    source="Argo Rollouts 1.10, utils/replicaset/canary.go",
)
def unattainable_weight(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that without a router every weight is at least one pod."""
    replicas = as_int(ctx.rollout.spec.get("replicas"), 0)
    for path, step in ctx.rollout.steps if ctx.rollout.routing is None and replicas > 0 else ():
        weight = as_int(step.get("setWeight"))
        if weight > 0 and weight * replicas < 100:
            message = (
                f"{weight}% of {replicas} pods is less than one pod, so the canary gets {100 / replicas:.0f}%"
            )
            severity: Severity | None = None if 100 / replicas > 2 * weight else "info"
            yield Problem((*path, "setWeight"), message, severity=severity)


@rule(
    "ANA455",
    "info",
    "an analysis step comes before the canary has traffic",
    scope=RolloutContext,
    why="Before the first `setWeight` no user reaches the canary, so there is nothing to measure.",
    remedy="Put a `setWeight` or a header route before the analysis.",
    example="""\
spec:
  strategy:
    canary:
      steps:
        - {analysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}]}}
        - {setWeight: 50}
""",
    instead="""\
spec:
  strategy:
    canary:
      steps:
        - {setWeight: 50}
        - {analysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}]}}
""",
    source="Argo Rollouts 1.10, rollout/canary.go",
)
def analysis_without_traffic(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the canary has traffic before the first analysis step."""
    brings = ("setHeaderRoute", "setMirrorRoute", "setCanaryScale", "plugin", "experiment")
    for path, step in ctx.rollout.steps:
        if as_int(step.get("setWeight")) > 0 or any(has(step, kind) for kind in brings):
            return
        if has(step, "analysis"):
            yield Problem((*path, "analysis"), "no traffic has been sent to the canary yet")


@rule(
    "ANA463",
    "warning",
    "the effect of a step with two keys is not defined",
    scope=RolloutContext,
    why="The controller accepts some combinations and then does only one of the two things.",
    remedy="Make it several steps.",
    example="spec: {strategy: {canary: {steps: [{setWeight: 5, setCanaryScale: {weight: 5}}, {pause: {}}]}}}",
    instead="spec: {strategy: {canary: {steps: [{setCanaryScale: {matchTrafficWeight: true}}, {setWeight: 5}]}}}",
    source=VALIDATION,
)
def undefined_combination(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a step has only one key if the controller would accept several."""
    extra = ("setCanaryScale", "setHeaderRoute", "setMirrorRoute", "plugin")
    for path, step in ctx.rollout.steps:
        kinds = [kind for kind in (*extra, *_ALONE) if has(step, kind)]
        if len(kinds) > 1 and kinds[0] in extra:
            yield Problem(path, f"{' and '.join(kinds)} are in one step, and only one of them takes effect")
