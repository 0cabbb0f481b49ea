"""Rules about a Rollout's spec as a whole (S1 to S8 of the fact sheet; validation.go ValidateRolloutSpec)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from generator.lint.go_values import is_label_value, is_qualified_name
from generator.lint.rollouts import fields, podtemplate, schema
from generator.lint.rollouts.model import Body, as_int, as_list, as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import RolloutContext, has

_VALIDATION = "pkg/apis/rollouts/validation/validation.go"
_REF_KINDS = ("Deployment", "ReplicaSet", "PodTemplate")
_OPERATORS = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}


@rule(
    "ROL101",
    "error",
    "replicas is not negative",
    scope="rollout",
    hint="Set spec.replicas to 0 or more, or leave it out under an autoscaler.",
    origin=f"S1 {_VALIDATION}",
)
def replicas_not_negative(ctx: RolloutContext) -> Iterator[Flaw]:
    """S1."""
    if as_int(ctx.rollout.spec.get("replicas")) < 0:
        yield ("spec", "replicas"), f"replicas is {ctx.rollout.spec['replicas']}"


@rule(
    "ROL102",
    "error",
    "the selector is present, valid and not empty",
    scope="rollout",
    hint="Give spec.selector.matchLabels at least one label that the pod template carries.",
    origin=f"S2 {_VALIDATION}",
)
def selector_is_usable(ctx: RolloutContext) -> Iterator[Flaw]:
    """S2."""
    spec, path = ctx.rollout.spec, ("spec", "selector")
    selector = as_map(spec.get("selector"))
    empty = not as_map(selector.get("matchLabels")) and not as_list(selector.get("matchExpressions"))
    if not ctx.rollout.has_ref and (not has(spec, "selector") or empty):
        yield path, "there is no selector, or it is empty"
    if not ctx.rollout.has_ref:
        yield from _label_flaws(as_map(selector.get("matchLabels")))
    yield from _expression_flaws(as_list(selector.get("matchExpressions")))


def _label_flaws(labels: Body) -> Iterator[Flaw]:
    for key, value in labels.items():
        if not is_qualified_name(str(key)) or not is_label_value(as_text(value)):
            yield (
                ("spec", "selector", "matchLabels", key),
                f"{key}={value} is no label that Kubernetes accepts",
            )


def _expression_flaws(expressions: Sequence[object]) -> Iterator[Flaw]:
    for i, item in enumerate(expressions):
        expression, path = as_map(item), ("spec", "selector", "matchExpressions", i)
        operator, values = as_text(expression.get("operator")), as_list(expression.get("values"))
        if operator not in _OPERATORS:
            yield (*path, "operator"), f"{operator!r} is not one of {', '.join(_OPERATORS)}"
        elif bool(values) != _OPERATORS[operator]:
            yield (*path, "values"), f"the operator {operator} {'needs' if not values else 'takes no'} values"
        if not is_qualified_name(as_text(expression.get("key"))):
            yield (*path, "key"), f"{expression.get('key')!r} is no label key"
        if not all(is_label_value(as_text(value)) for value in values):
            yield (*path, "values"), "a value is no value that a label may have"


@rule(
    "ROL103",
    "error",
    "a workloadRef and a template exclude each other",
    scope="rollout",
    hint="Remove either spec.workloadRef or spec.template.",
    origin=f"S3 {_VALIDATION}",
)
def one_source_of_pods(ctx: RolloutContext) -> Iterator[Flaw]:
    """S3 (the controller looks at the template's labels and annotations only)."""
    metadata = as_map(ctx.rollout.template.get("metadata"))
    if ctx.rollout.has_ref and (as_map(metadata.get("labels")) or as_map(metadata.get("annotations"))):
        yield ("spec", "template"), "there is a template beside a workloadRef"


@rule(
    "ROL104",
    "error",
    "a workloadRef names a kind that the controller can read",
    scope="rollout",
    hint=f"Refer to one of {', '.join(_REF_KINDS)}.",
    origin="S4 rollout/templateref.go",
)
def workload_kind(ctx: RolloutContext) -> Iterator[Flaw]:
    """S4."""
    ref = as_map(ctx.rollout.spec.get("workloadRef"))
    if ctx.rollout.has_ref and ref.get("kind") not in _REF_KINDS:
        yield ("spec", "workloadRef", "kind"), f"the kind {ref.get('kind')!r} is not supported"


@rule(
    "ROL105",
    "error",
    "the selector matches the pod template",
    scope="rollout",
    hint="Make the labels of the pod template carry everything the selector asks for.",
    origin=f"S5 {_VALIDATION}",
)
def selector_matches_template(ctx: RolloutContext) -> Iterator[Flaw]:
    """S5, first part."""
    if ctx.rollout.has_ref:
        return
    labels = as_map(as_map(ctx.rollout.template.get("metadata")).get("labels"))
    selector = as_map(ctx.rollout.spec.get("selector"))
    wanted = as_map(selector.get("matchLabels")).items()
    held = [_holds(as_map(item), labels) for item in as_list(selector.get("matchExpressions"))]
    if any(labels.get(key) != value for key, value in wanted) or not all(held):
        yield ("spec", "template", "metadata", "labels"), "the selector does not match these labels"


def _holds(expression: Body, labels: Body) -> bool:
    key, values = as_text(expression.get("key")), as_list(expression.get("values"))
    operator = as_text(expression.get("operator"))
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return operator not in _OPERATORS or (key in labels) == (operator == "Exists")


def _template_flaws(ctx: RolloutContext, flaws: Iterator[Flaw]) -> Iterator[Flaw]:
    if not ctx.rollout.has_ref:
        for path, message in flaws:
            yield ("spec", "template", *path), message


@rule(
    "ROL106",
    "error",
    "the pod template has properly named containers with images",
    scope="rollout",
    hint="Name every container with a DNS label of its own and give it an image.",
    origin="S5 k8s.io/kubernetes/pkg/apis/core/validation",
)
def containers_are_named(ctx: RolloutContext) -> Iterator[Flaw]:
    """S5, containers."""
    yield from _template_flaws(ctx, podtemplate.container_flaws(ctx.rollout.template))


@rule(
    "ROL107",
    "error",
    "pods of a Rollout run for ever",
    scope="rollout",
    hint="Remove restartPolicy and activeDeadlineSeconds from the pod template.",
    origin="S5 k8s.io/kubernetes/pkg/apis/apps/validation",
)
def pods_run_for_ever(ctx: RolloutContext) -> Iterator[Flaw]:
    """S5, what a ReplicaSet adds."""
    pod, path = as_map(ctx.rollout.template.get("spec")), ("spec", "template", "spec")
    if ctx.rollout.has_ref:
        return
    if as_text(pod.get("restartPolicy")) not in {"", "Always"}:
        yield (*path, "restartPolicy"), f"the restart policy is {pod['restartPolicy']!r}"
    if has(pod, "activeDeadlineSeconds"):
        yield (*path, "activeDeadlineSeconds"), "the pods have a deadline"


@rule(
    "ROL108",
    "error",
    "volumes are properly named and every mount has one",
    scope="rollout",
    hint="Give each volume a DNS label of its own, and mount only volumes of this pod.",
    origin="S5 k8s.io/kubernetes/pkg/apis/core/validation",
)
def volumes_are_named(ctx: RolloutContext) -> Iterator[Flaw]:
    """S5, volumes."""
    yield from _template_flaws(ctx, podtemplate.volume_flaws(ctx.rollout.template))


@rule(
    "ROL109",
    "error",
    "times and limits are not negative",
    scope="rollout",
    hint="Use 0 or more.",
    origin=f"S6 {_VALIDATION}",
)
def counts_not_negative(ctx: RolloutContext) -> Iterator[Flaw]:
    """S6."""
    for key in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        if as_int(ctx.rollout.spec.get(key)) < 0:
            yield ("spec", key), f"{key} is negative"


@rule(
    "ROL110",
    "error",
    "the progress deadline is longer than the readiness wait",
    scope="rollout",
    hint="Raise progressDeadlineSeconds (600 when left out) above minReadySeconds.",
    origin=f"S7 {_VALIDATION}",
)
def deadline_after_ready(ctx: RolloutContext) -> Iterator[Flaw]:
    """S7."""
    deadline = as_int(ctx.rollout.spec.get("progressDeadlineSeconds"), 600)
    if deadline <= as_int(ctx.rollout.spec.get("minReadySeconds")):
        yield ("spec", "progressDeadlineSeconds"), f"{deadline} s is not longer than minReadySeconds"


@rule(
    "ROL111",
    "error",
    "there is exactly one strategy",
    scope="rollout",
    hint="Keep either strategy.canary or strategy.blueGreen.",
    origin=f"S8 {_VALIDATION}",
)
def one_strategy(ctx: RolloutContext) -> Iterator[Flaw]:
    """S8."""
    if (ctx.rollout.canary is None) == (ctx.rollout.blue_green is None):
        both = ctx.rollout.canary is not None
        yield ("spec", "strategy"), "there are two strategies" if both else "there is no strategy"


@rule(
    "ROL112",
    "error",
    "every value has the type that the controller reads",
    scope="rollout",
    hint="Write the value in the type that the message names.",
    origin="pkg/apis/rollouts/v1alpha1/types.go",
)
def types_fit(ctx: RolloutContext) -> Iterator[Flaw]:
    """The API server refuses what the CRD cannot hold."""
    spec = ctx.rollout.object.body.get("spec")
    template = as_map(spec).get("template")
    for path, wanted in (
        *schema.wrong_types(spec, fields.ROLLOUT, ("spec",)),
        *schema.wrong_types(template, fields.POD_TEMPLATE, ("spec", "template")),
    ):
        yield path, f"the value must be {wanted}"


@rule(
    "ROL113",
    "error",
    "every field is one that the controller knows",
    scope="rollout",
    hint="Correct the name of the field or remove it: the API server drops what it does not know.",
    origin="pkg/apis/rollouts/v1alpha1/types.go",
)
def fields_are_known(ctx: RolloutContext) -> Iterator[Flaw]:
    """What the official linter finds by strict decoding."""
    for path, near in schema.unknown_fields(ctx.rollout.object.body.get("spec"), fields.ROLLOUT, ("spec",)):
        yield path, f"there is no field {path[-1]!r}" + (f"; did you mean {near!r}?" if near else "")


@rule(
    "ROL114",
    "error",
    "labels, ports, environment, resources and probes of the pod template are valid",
    scope="rollout",
    hint="Correct the value: Kubernetes would refuse the pods.",
    origin="S5 k8s.io/kubernetes/pkg/apis/core/validation",
)
def pod_details_are_valid(ctx: RolloutContext) -> Iterator[Flaw]:
    """S5, the rest."""
    template: Mapping[str, object] = ctx.rollout.template
    for check in (
        podtemplate.metadata_flaws,
        podtemplate.port_flaws,
        podtemplate.env_flaws,
        podtemplate.resource_flaws,
        podtemplate.probe_flaws,
    ):
        yield from _template_flaws(ctx, check(template))
