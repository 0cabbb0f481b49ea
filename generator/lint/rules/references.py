"""Rules on what a Rollout refers to: Services, workloads and analysis templates, and the arguments of templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from generator.lint.controller import int_value
from generator.lint.engine import Problem, rule
from generator.lint.links import meant, proof
from generator.lint.objects import Body, Object, Reference, as_list, as_map, as_text, each, is_placeholder
from generator.lint.rules.arguments import declared, fill, is_set, merged, names, tags, without_value
from generator.lint.rules.contexts import (
    INVALID,
    REFERENCES,
    RolloutContext,
    UseContext,
    invalid_rollout,
    invalid_use,
)
from generator.lint.rules.steps import metadata_resolves
from generator.source.document import Path

_CONTROLLER = "Argo Rollouts 1.10, rollout/controller.go"
_HELPERS = "Argo Rollouts 1.10, utils/analysis/helpers.go"
_HASH_LABEL = "rollouts-pod-template-hash"
_MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"


def _absent(ctx: RolloutContext) -> Iterator[tuple[Path, str, bool, str]]:
    """Yield the objects that a Rollout names and that are not in the tree.

    Path and sentence of each, whether it is wrong, and the name that may be meant.
    """
    for reference in ctx.rollout.references:
        kind, name = reference.kind, reference.name
        if ctx.objects.find(kind, reference.namespace, name) is None and not is_placeholder(name):
            why = proof(ctx.objects, reference)
            clue = f"; {why}" if why else ""
            message = f"{kind} `{name}` is not in the tree{clue}"
            yield reference.path, message, ctx.complete or bool(why), meant(why)


def _absent_templates(ctx: UseContext) -> Iterator[tuple[Path, str, bool, str]]:
    """Yield the templates of a use that are not in the tree, as `_absent` does."""
    for missing in ctx.missing:
        kind, _, name = missing.partition(" ")
        if is_placeholder(name):
            continue
        path = next(
            ((*at, "templateName") for at, ref in ctx.use.named if ref.get("templateName") == name),
            ctx.templates_path,
        )
        namespace = "" if kind.startswith("Cluster") else ctx.document.namespace
        why = proof(ctx.objects, Reference(path, "argoproj.io", kind, namespace, name))
        clue = f"; {why}" if why else ""
        yield path, f"{missing} is not in the tree{clue}", ctx.complete or bool(why), meant(why)


@rule(
    "ROL201",
    "error",
    "an object that the Rollout names does not exist",
    scope=RolloutContext,
    why=INVALID,
    remedy="Add the object, or correct the name.",
    example="spec: {strategy: {canary: {trafficRouting: , canaryService: model-new}}}",
    instead="spec: {strategy: {canary: {trafficRouting: , canaryService: model-canary}}}",
    source=_CONTROLLER,
)
def missing_objects(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no name misses an object by a slip or its namespace, and none at all in a complete tree."""
    for path, message, wrong, name in _absent(ctx):
        if wrong:
            yield Problem(path, message, replacement=name)


@rule(
    "ROL220",
    "info",
    "an object that the Rollout names is not in the tree",
    scope=RolloutContext,
    why="The object may be in another repository or folder, so it was not checked whether it exists and fits.",
    remedy="Verify the Rollout together with the tree that has the object.",
    example="""
spec: {strategy: {canary: {trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: other, namespace: shop}}}}}}
""",
    instead="""
spec: {strategy: {canary: {trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: model, namespace: shop}}}}}}
""",
    source=_CONTROLLER,
)
def objects_elsewhere(ctx: RolloutContext) -> Iterator[Problem]:
    """Check for objects that a Rollout names and that are not in the tree."""
    for path, message, wrong, _ in _absent(ctx):
        if not wrong:
            yield Problem(path, f"not checked: {message}")


def _services(ctx: RolloutContext) -> Iterator[tuple[Path, Object]]:
    """Yield the Services of the Rollout that are in the tree."""
    for reference in ctx.rollout.services:
        service = ctx.objects.find("Service", reference.namespace, reference.name)
        if service is not None:
            yield reference.path, service


@invalid_rollout(
    "ROL202",
    "a Service does not select the pods of the Rollout",
    because="The Service would have no endpoints.",
    remedy="Make every key of the Service's selector equal to a label of the pod template.",
    example="""\
apiVersion: v1
kind: Service
metadata: {name: model-canary, namespace: shop}
spec: {selector: {app: other}, ports: [{port: 80}]}
""",
    instead="""\
apiVersion: v1
kind: Service
metadata: {name: model-canary, namespace: shop}
spec: {selector: {app: model}, ports: [{port: 80}]}
""",
    source=REFERENCES,
)
def service_without_pods(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that every Service of a Rollout selects its pods."""
    if ctx.pod_template is None:
        return
    labels = as_map(as_map(ctx.pod_template[1].get("metadata")).get("labels"))
    for path, service in _services(ctx):
        for key, value in as_map(service.spec.get("selector")).items():
            if key != _HASH_LABEL and labels.get(key) != value:
                message = f"Service `{service.name}` selects `{key}: {value}`, which the pods do not have"
                yield Problem(path, message)


@invalid_rollout(
    "ROL203",
    "two Rollouts use the same Service",
    because="Each Rollout would change the selector of the Service for its own pods.",
    remedy="Give each Rollout its own Services.",
    example="""\
apiVersion: v1
kind: Service
metadata:
  name: model-canary
  namespace: shop
  annotations: {argo-rollouts.argoproj.io/managed-by-rollouts: other}
spec: {selector: {app: model}, ports: [{port: 80}]}
""",
    instead="""\
apiVersion: v1
kind: Service
metadata:
  name: model-canary
  namespace: shop
  annotations: {argo-rollouts.argoproj.io/managed-by-rollouts: model}
spec: {selector: {app: model}, ports: [{port: 80}]}
""",
    source=REFERENCES,
)
def shared_service(ctx: RolloutContext) -> Iterator[Problem]:
    """Check that no other Rollout uses a Service, by its annotation or in the tree."""
    me = ctx.document.name
    for path, service in _services(ctx):
        owner = service.annotations.get(_MANAGED_BY, me)
        if owner != me:
            yield Problem(path, f"Service `{service.name}` is managed by the Rollout `{owner}`")
    for reference in ctx.rollout.services:
        for other in sorted(ctx.owners.get((ctx.namespace, reference.name), set()) - {me}):
            message = f"the Rollout `{other}` uses the Service `{reference.name}` as well"
            yield Problem(reference.path, message)


@rule(
    "ROL209",
    "error",
    "a template that the Rollout uses does not exist",
    scope=UseContext,
    why=INVALID,
    remedy="Add the template, or correct the name; `clusterScope: true` means a ClusterAnalysisTemplate.",
    example="spec: {strategy: {canary: {steps: [{setWeight: 50}, {analysis: {templates: [{templateName: speed}]}}]}}}",
    source=_CONTROLLER,
)
def missing_templates(ctx: UseContext) -> Iterator[Problem]:
    """Check that no name misses a template by a slip, its scope or namespace, and none at all in a complete tree."""
    for path, message, wrong, name in _absent_templates(ctx):
        if wrong:
            yield Problem(path, message, replacement=name)


@rule(
    "ROL221",
    "info",
    "a template that the Rollout uses is not in the tree",
    scope=UseContext,
    why="The template may be in another repository or folder, so its metrics and arguments were not checked.",
    remedy="Verify the Rollout together with the tree that has the template.",
    example="""
spec:
  strategy:
    canary:
      steps: [{setWeight: 5}, {pause: {duration: 10m}}, {analysis: {templates: [{templateName: elsewhere}]}}]
""",
    source=_CONTROLLER,
)
def templates_elsewhere(ctx: UseContext) -> Iterator[Problem]:
    """Check for templates that a Rollout uses and that are not in the tree."""
    for path, message, wrong, _ in _absent_templates(ctx):
        if not wrong:
            yield Problem(path, f"not checked: {message}")


def _repeated(found: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(found).items() if times > 1]


def _named(items: Iterable[object], key: str) -> list[str]:
    return [as_text(as_map(item).get(key)) for item in items]


@rule(
    "ROL210",
    "error",
    "templates that are used together do not fit together",
    scope=UseContext,
    why=f"The controller merges the templates of one analysis into one run. {INVALID}",
    remedy="Make the names of metrics and rules unique, and give every argument one default or a value.",
    example="""\
spec: {strategy: {canary: {steps: [{setWeight: 50}, {analysis: {templates: [{templateName: quality}]}}]}}}
""",
    instead="""\
spec:
  strategy:
    canary:
      steps:
        - {setWeight: 50}
        - {analysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}]}}
""",
    source=_HELPERS,
)
def conflicting_templates(ctx: UseContext) -> Iterator[Problem]:
    """Check that templates that are used together have unique metrics, one default per argument, and all values."""
    for field, key in (("metrics", "name"), ("dryRun", "metricName"), ("measurementRetention", "metricName")):
        items = [item for template in ctx.templates for item in as_list(template.spec.get(field))]
        for name in _repeated(_named(items, key)):
            yield Problem(ctx.templates_path, f"the templates have two entries `{name}` in `{field}`")
    defaults: dict[str, set[str]] = {}
    for arg in declared(ctx.templates):
        if isinstance(arg.get("value"), str):
            defaults.setdefault(as_text(arg.get("name")), set()).add(arg["value"])
    for name in [name for name, values in defaults.items() if len(values) > 1]:
        yield Problem(ctx.templates_path, f"the templates give the argument `{name}` different defaults")
    for name in _without_value(ctx) if ctx.use.moment != "background" else ():
        yield Problem((*ctx.use.path, "args"), *without_value(name, ctx.templates, ctx.use.args))


def _without_value(ctx: UseContext) -> list[str]:
    """Return the arguments without a value (`MergeArgs`); a background run needs one for each without a default."""
    if ctx.missing:
        return []
    args = declared(ctx.templates)
    passed = set(names(ctx.use.args))
    given = passed if metadata_resolves(ctx.use) else set()
    bare = {name for name, arg in merged(args).items() if not is_set(arg)} - given
    if ctx.use.moment == "background":
        bare |= set(names(arg for arg in args if not is_set(arg))) - passed
    return sorted(bare)


@invalid_use(
    "ROL211",
    "a dry-run or retention rule is both in a template and in a step",
    because="The controller merges the rules of every step with those of the templates, related or not.",
    remedy="Give `dryRun` and `measurementRetention` in the Rollout only, never in a template.",
    example="""\
spec:
  strategy:
    canary:
      steps:
        - {setWeight: 50}
        - analysis:
            templates: [{templateName: quality}]
            args: [{name: hash, value: x}]
            measurementRetention: [{metricName: errors, limit: 5}, {metricName: errors, limit: 9}]
""",
    instead="""\
spec:
  strategy:
    canary:
      steps:
        - {setWeight: 50}
        - analysis:
            templates: [{templateName: quality}]
            args: [{name: hash, value: x}]
            measurementRetention: [{metricName: errors, limit: 5}]
""",
)
def repeated_rules(ctx: UseContext) -> Iterator[Problem]:
    """Check that a dry-run or retention rule is given once in the steps and the templates."""
    for field in ("dryRun", "measurementRetention"):
        own = {name for item in ctx.templates for name in _named(as_list(item.spec.get(field)), "metricName")}
        for _, step in ctx.rollout.steps:
            rules = _named(as_list(as_map(step.get("analysis")).get(field)), "metricName")
            for name in sorted({*own.intersection(rules), *_repeated(rules)}):
                yield Problem(
                    ctx.templates_path,
                    f"`{field}` has `{name}` twice: in a template and a step, or in one step",
                )


@invalid_use(
    "ROL212",
    "a template uses an argument that it does not declare",
    because="An argument of another template does not count.",
    remedy="Declare the argument in the same template; only arguments can be in braces.",
    example="""provider: {prometheus: {address: 'http://prometheus:9090', query: 'sum(x{pod="{{args.pod}}"})'}}""",
    instead="""provider: {prometheus: {address: 'http://prometheus:9090', query: 'sum(x{hash="{{args.hash}}"})'}}""",
)
def undeclared_arguments(ctx: UseContext) -> Iterator[Problem]:
    """Check that each template declares the arguments that it uses; the controller does not in background runs."""
    for template in ctx.templates if ctx.use.moment != "background" else ():
        known = {f"args.{name}" for name in _named(as_list(template.spec.get("args")), "name")}
        for tag in sorted(set(tags(template.spec.get("metrics"))) - known):
            yield Problem(ctx.templates_path, f"{template} uses `{{{{{tag}}}}}` without declaring it")


@invalid_use(
    "ROL213",
    "an analysis that the rollout waits for never ends",
    remedy="Give the metric a `count`, or use the template under `canary.analysis` only.",
    example="{interval: 1m, count: }",
    instead="{interval: 1m, count: 5}",
)
def endless_analysis(ctx: UseContext) -> Iterator[Problem]:
    """Check that a metric with an interval has a count where the release waits for its end."""
    for template, metric in _endless(ctx):
        if not tags(metric.get("count")):
            message = f"the metric `{metric.get('name')}` of {template} has an interval and no count, so it never ends"
            yield Problem(ctx.templates_path, message)


@rule(
    "ROL214",
    "error",
    "the count of a metric is an argument without a default",
    scope=UseContext,
    why="The controller validates the template with a word in place of the argument, and a word counts as 0. "
    f"{INVALID}",
    remedy="Write the number into the template, or give the argument a default there.",
    example='count: "{{args.hash}}"',
    instead="count: 5",
    source=REFERENCES,
)
def count_without_default(ctx: UseContext) -> Iterator[Problem]:
    """Check that the count of a metric is not 0 once the arguments are filled in as the controller does."""
    for template, metric in _endless(ctx):
        if tags(metric.get("count")):
            message = f"the count of the metric `{metric.get('name')}` of {template} is an argument without a default"
            yield Problem(ctx.templates_path, message)


def _endless(ctx: UseContext) -> Iterator[tuple[Object, Body]]:
    """Yield the metrics with an interval whose count is 0 for the controller's validation."""
    for template in ctx.templates if ctx.use.waits else ():
        args = [as_map(arg) for arg in as_list(template.spec.get("args"))]
        values = {as_text(arg.get("name")): arg.get("value") or "dummy-value" for arg in args}
        for _, metric in each(template.spec.get("metrics"), ()):
            filled = fill(metric, values)
            if filled.get("interval") and int_value(filled.get("count")) == 0:
                yield template, metric


@invalid_use(
    "ROL215",
    "an argument of the background analysis gets no value",
    remedy="Pass the argument under `canary.analysis.args`.",
    example="""\
spec: {strategy: {canary: {steps: [{setWeight: 50}, {pause: {}}], analysis: {templates: [{templateName: quality}]}}}}
---
{interval: 1m, count: }
""",
    instead="""\
spec:
  strategy:
    canary:
      steps: [{setWeight: 50}, {pause: {}}]
      analysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}]}
---
{interval: 1m, count: }
""",
)
def background_argument_without_value(ctx: UseContext) -> Iterator[Problem]:
    """Check that every argument of the background run gets a value."""
    for name in _without_value(ctx) if ctx.use.moment == "background" else ():
        yield Problem((*ctx.use.path, "args"), *without_value(name, ctx.templates, ctx.use.args))
