"""Rules on the spec of a Rollout: counts, selector, source of pods, and strategy, also of blue-green."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint.controller import is_label_value, is_qualified_name
from generator.lint.engine import Problem, rule
from generator.lint.objects import as_int, as_list, as_map, as_text, each, has, selects
from generator.lint.rollout import BLUE_GREEN, CANARY
from generator.lint.rules.contexts import RolloutContext, invalid_rollout

_REF_KINDS: Final = ("Deployment", "ReplicaSet", "PodTemplate")
_OPERATORS: Final = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_DEFAULT_HISTORY: Final = 10
_DEFAULT_DEADLINE_S: Final = 600


@invalid_rollout(
    "ROL101",
    "`spec.replicas` is negative",
    remedy="Set `spec.replicas` to 0 or more, or leave it out when an autoscaler sets it.",
    example="spec: {replicas: -1}",
    instead="spec: {replicas: 3}",
)
def negative_replicas(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that `spec.replicas` is not negative."""
    if as_int(ctx.rollout.spec.get("replicas")) < 0:
        yield Problem(("spec", "replicas"), f"`spec.replicas` is {ctx.rollout.spec['replicas']}")


@invalid_rollout(
    "ROL102",
    "`spec.selector` is missing, empty or invalid",
    because="The controller finds the pods of the Rollout by the selector.",
    remedy="Give `spec.selector.matchLabels` at least one label of the pod template.",
    example="spec: {selector: }",
    instead="spec: {selector: {matchLabels: {app: model}}}",
)
def unusable_selector(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the selector is there and valid; a Rollout with a `workloadRef` may leave it out."""
    spec, path = ctx.rollout.spec, ("spec", "selector")
    selector = as_map(spec.get("selector"))
    labels, expressions = as_map(selector.get("matchLabels")), as_list(selector.get("matchExpressions"))
    if not ctx.rollout.has_workload_ref:
        if not labels and not expressions:
            yield Problem(
                path,
                "`spec.selector` selects nothing" if has(spec, "selector") else "`spec.selector` is missing",
            )
        for key, value in labels.items():
            if not is_qualified_name(str(key)) or not is_label_value(as_text(value)):
                yield Problem((*path, "matchLabels", key), f"`{key}: {value}` is not a valid label")
    for at, expression in each(expressions, (*path, "matchExpressions")):
        operator, values = as_text(expression.get("operator")), as_list(expression.get("values"))
        if operator not in _OPERATORS:
            yield Problem(
                (*at, "operator"), f"`{operator}` is not an operator; use one of {', '.join(_OPERATORS)}"
            )
        elif bool(values) != _OPERATORS[operator]:
            verb = "accepts no" if values else "needs"
            yield Problem((*at, "values"), f"the operator {operator} {verb} values")
        if not is_qualified_name(as_text(expression.get("key"))):
            yield Problem((*at, "key"), f"`{expression.get('key')}` is not a valid label key")
        if wrong := [value for value in values if not is_label_value(as_text(value))]:
            yield Problem((*at, "values"), f"`{wrong[0]}` is not a valid label value")


@invalid_rollout(
    "ROL103",
    "`spec.workloadRef` and `spec.template` are both set",
    because="With two pod templates it is not defined which one runs.",
    remedy="Remove either `spec.workloadRef` or `spec.template`.",
    example="spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: model}}",
    instead="spec: {workloadRef: }",
)
def two_pod_templates(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that a Rollout with a `workloadRef` has no pod template with labels or annotations."""
    metadata = as_map(ctx.rollout.template.get("metadata"))
    if ctx.rollout.has_workload_ref and (
        as_map(metadata.get("labels")) or as_map(metadata.get("annotations"))
    ):
        yield Problem(("spec", "template"), "there is a `template` next to the `workloadRef`")


@rule(
    "ROL104",
    "error",
    "`spec.workloadRef` names a kind that has no usable pod template",
    scope=RolloutContext,
    why="The controller can take pods from a Deployment, a ReplicaSet or a PodTemplate only. It reports the "
    "Rollout as invalid and starts nothing.",
    remedy=f"Refer to one of {', '.join(_REF_KINDS)}.",
    example="spec: {template: , selector: , workloadRef: {apiVersion: apps/v1, kind: StatefulSet, name: model}}",
    instead="spec: {template: , selector: , workloadRef: {apiVersion: apps/v1, kind: Deployment, name: model}}",
    source="Argo Rollouts 1.10, rollout/templateref.go",
)
def unusable_workload_kind(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the `workloadRef` names a Deployment, a ReplicaSet or a PodTemplate."""
    kind = as_map(ctx.rollout.spec.get("workloadRef")).get("kind")
    if ctx.rollout.has_workload_ref and kind not in _REF_KINDS:
        yield Problem(("spec", "workloadRef", "kind"), f"a Rollout cannot take its pods from a {kind}")


@invalid_rollout(
    "ROL105",
    "the selector does not match the pod template",
    because="The controller would not find the pods that it creates.",
    remedy="Give the pod template every label that `spec.selector` requires.",
    example="spec: {selector: {matchLabels: {app: model, tier: web}}}",
    instead="spec: {selector: {matchLabels: {app: model}}}",
)
def selector_misses_template(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the selector matches the labels of the pod template."""
    labels = as_map(as_map(ctx.rollout.template.get("metadata")).get("labels"))
    selector = as_map(ctx.rollout.spec.get("selector"))
    if not ctx.rollout.has_workload_ref and not selects(selector, labels):
        yield Problem(
            ("spec", "template", "metadata", "labels"), "`spec.selector` does not match these labels"
        )


@invalid_rollout(
    "ROL109",
    "a time or a limit of the Rollout is negative",
    remedy="Use 0 or more.",
    example="spec: {minReadySeconds: -5}",
    instead="spec: {minReadySeconds: 5}",
)
def negative_limit(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that `minReadySeconds`, `revisionHistoryLimit` and `progressDeadlineSeconds` are not negative."""
    for key in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        if as_int(ctx.rollout.spec.get(key)) < 0:
            yield Problem(("spec", key), f"`spec.{key}` is {ctx.rollout.spec[key]}")


@invalid_rollout(
    "ROL110",
    "the progress deadline is not longer than `minReadySeconds`",
    because="Pods would miss the deadline before they can count as ready.",
    remedy="Make `progressDeadlineSeconds` (600 when left out) larger than `minReadySeconds`.",
    example="spec: {minReadySeconds: 600}",
    instead="spec: {minReadySeconds: 600, progressDeadlineSeconds: 900}",
)
def deadline_before_ready(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the progress deadline is longer than `minReadySeconds`."""
    deadline = as_int(ctx.rollout.spec.get("progressDeadlineSeconds"), _DEFAULT_DEADLINE_S)
    ready = as_int(ctx.rollout.spec.get("minReadySeconds"))
    if deadline <= ready:
        message = f"the progress deadline of {deadline:,} s is not longer than `minReadySeconds`, {ready:,} s"
        yield Problem(("spec", "progressDeadlineSeconds"), message)


@invalid_rollout(
    "ROL111",
    "a Rollout has no strategy, or two",
    remedy="Keep exactly one of `strategy.canary` and `strategy.blueGreen`.",
    example="spec: {strategy: }",
    instead="spec: {strategy: {blueGreen: {activeService: model-stable}}}",
)
def not_one_strategy(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that there is exactly one strategy."""
    if (ctx.rollout.canary is None) == (ctx.rollout.blue_green is None):
        both = ctx.rollout.canary is not None
        message = (
            "both `canary` and `blueGreen` are set" if both else "neither `canary` nor `blueGreen` is set"
        )
        yield Problem(("spec", "strategy"), message)


@invalid_rollout(
    "ROL121",
    "the active and the preview Service are the same",
    because="Blue-green keeps users on one Service and the new version on another.",
    remedy="Name an `activeService`, and another Service as `previewService` or none.",
    example="spec: {strategy: {blueGreen: {activeService: model-stable, previewService: model-stable}}}",
    instead="spec: {strategy: {blueGreen: {activeService: model-stable, previewService: model-canary}}}",
)
def same_services(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that the active and the preview Service differ; two missing names are equal, too."""
    strategy = ctx.rollout.blue_green
    if strategy is None or ctx.rollout.canary is not None:
        return
    active, preview = as_text(strategy.get("activeService")), as_text(strategy.get("previewService"))
    if active == preview:
        message = (
            f"`{active}` is both the active and the preview Service"
            if active
            else "`activeService` is missing"
        )
        yield Problem((*BLUE_GREEN, "activeService"), message)


@invalid_rollout(
    "ROL122",
    "more old revisions stay scaled up than are kept",
    remedy=f"Lower `scaleDownDelayRevisionLimit`, or raise `revisionHistoryLimit` ({_DEFAULT_HISTORY} when left "
    "out).",
    example="""\
spec:
  revisionHistoryLimit: 2
  strategy: {blueGreen: {activeService: model-stable, scaleDownDelayRevisionLimit: 3}}
""",
    instead="""\
spec:
  revisionHistoryLimit: 3
  strategy: {blueGreen: {activeService: model-stable, scaleDownDelayRevisionLimit: 3}}
""",
)
def history_too_short(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that `scaleDownDelayRevisionLimit` is not above `revisionHistoryLimit`."""
    strategy = ctx.rollout.blue_green or {}
    history = as_int(ctx.rollout.spec.get("revisionHistoryLimit"), _DEFAULT_HISTORY)
    scaled = as_int(strategy.get("scaleDownDelayRevisionLimit"), history)
    if ctx.rollout.canary is None and scaled > history:
        message = f"{scaled} old revisions are to stay scaled up, but only {history} are kept"
        yield Problem((*BLUE_GREEN, "scaleDownDelayRevisionLimit"), message)


@invalid_rollout(
    "ROL123",
    "`antiAffinity` is not exactly one of preferred and required",
    remedy="Keep one of the two; a preference needs a weight from 1 to 100.",
    example=f"spec: {{strategy: {{canary: {{antiAffinity: {{{_PREFERRED}: {{weight: 0}}}}}}}}}}",
    instead=f"spec: {{strategy: {{canary: {{antiAffinity: {{{_PREFERRED}: {{weight: 1}}}}}}}}}}",
)
def not_one_anti_affinity(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that an anti-affinity is either preferred, with a weight from 1 to 100, or required."""
    if None not in (ctx.rollout.canary, ctx.rollout.blue_green):
        return
    for base, strategy in ((CANARY, ctx.rollout.canary), (BLUE_GREEN, ctx.rollout.blue_green)):
        if not has(strategy or {}, "antiAffinity"):
            continue
        affinity, path = as_map((strategy or {})["antiAffinity"]), (*base, "antiAffinity")
        if has(affinity, _PREFERRED) == has(affinity, _REQUIRED):
            yield Problem(path, "`antiAffinity` must be either preferred or required")
        weight = as_map(affinity.get(_PREFERRED)).get("weight")
        if has(affinity, _PREFERRED) and not 1 <= as_int(weight) <= 100:
            yield Problem(
                (*path, _PREFERRED, "weight"), f"the weight must be from 1 to 100, not {as_int(weight)}"
            )
