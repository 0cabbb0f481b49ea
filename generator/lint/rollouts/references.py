"""Rules about what a Rollout refers to: Services and analysis templates (R1 to R3, R9 to R15)."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator

from generator.lint.go_values import int_value
from generator.lint.rollouts import resolve
from generator.lint.rollouts.model import Body, Object, Path, as_list, as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.routes import route_references
from generator.lint.rollouts.steps import metadata_resolves_in
from generator.lint.rollouts.view import RolloutContext, UseContext

_REFERENCES = "pkg/apis/rollouts/validation/validation_references.go"
_HASH_LABEL = "rollouts-pod-template-hash"
_MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"


def _absent(ctx: RolloutContext) -> Iterator[Flaw]:
    namespace = ctx.rollout.object.key.namespace
    wanted = [(path, "Service", name) for path, name in ctx.rollout.services]
    if ctx.rollout.has_ref:
        ref = as_map(ctx.rollout.spec["workloadRef"])
        wanted.append((("spec", "workloadRef", "name"), as_text(ref.get("kind")), as_text(ref.get("name"))))
    for path, kind, name in [*wanted, *route_references(ctx.rollout)]:
        if ctx.objects.get(kind, namespace, name) is None:
            near = difflib.get_close_matches(name, ctx.objects.names(kind), n=1)
            yield (
                path,
                f"{kind} {name!r} is not in the tree" + (f"; did you mean {near[0]!r}?" if near else ""),
            )


@rule(
    "ROL201",
    "error",
    "every object that a Rollout names is in the tree",
    scope="rollout",
    hint="Add the object or correct the name.",
    origin="R1 R4 to R8 rollout/controller.go",
)
def named_objects_exist(ctx: RolloutContext) -> Iterator[Flaw]:
    """R1 and the existence part of R5 to R8, where the tree is said to be complete."""
    yield from _absent(ctx) if ctx.complete else ()


@rule(
    "ROL220",
    "info",
    "what a Rollout names can be looked at",
    scope="rollout",
    hint="Lint it together with the tree that holds the object to have it checked.",
    origin="R1 R4 to R8 rollout/controller.go",
)
def not_checked(ctx: RolloutContext) -> Iterator[Flaw]:
    """What was not checked because it lives elsewhere."""
    for path, message in () if ctx.complete else _absent(ctx):
        yield path, f"not checked: {message}"


def _pod_labels(ctx: RolloutContext) -> Body | None:
    found = ctx.pod_template
    return as_map(as_map(found[1].get("metadata")).get("labels")) if found else None


def _services(ctx: RolloutContext) -> Iterator[tuple[Path, Object]]:
    for path, name in ctx.rollout.services:
        service = ctx.objects.get("Service", ctx.rollout.object.key.namespace, name)
        if service is not None:
            yield path, service


@rule(
    "ROL202",
    "error",
    "Services select the pods of the Rollout",
    scope="rollout",
    hint="Make every key of the Service's selector equal to a label of the pod template.",
    origin=f"R2 {_REFERENCES}",
)
def services_select_pods(ctx: RolloutContext) -> Iterator[Flaw]:
    """R2."""
    labels = _pod_labels(ctx)
    for path, service in _services(ctx) if labels is not None else ():
        for key, value in as_map(as_map(service.body.get("spec")).get("selector")).items():
            if key != _HASH_LABEL and (labels or {}).get(key) != value:
                yield path, f"Service {service.key.name!r} selects {key}={value}, which the pods do not carry"


@rule(
    "ROL203",
    "error",
    "no two Rollouts share a Service",
    scope="rollout",
    hint="Give each Rollout Services of its own.",
    origin=f"R3 {_REFERENCES}",
)
def services_are_not_shared(ctx: RolloutContext) -> Iterator[Flaw]:
    """R3: by annotation, or because another Rollout of the tree names the Service."""
    me = ctx.rollout.object
    for path, service in _services(ctx):
        annotations = as_map(as_map(service.body.get("metadata")).get("annotations"))
        owner = annotations.get(_MANAGED_BY, me.key.name)
        if owner != me.key.name:
            yield path, f"Service {service.key.name!r} is managed by the Rollout {owner!r}"
    for path, name in ctx.rollout.services:
        for other in sorted(ctx.owners.get((me.key.namespace, name), set()) - {me.key.name}):
            yield path, f"the Rollout {other!r} names the Service {name!r} too"


@rule(
    "ROL209",
    "error",
    "every template that is referred to exists",
    scope="use",
    hint="Add the template or correct the name; clusterScope: true means a ClusterAnalysisTemplate.",
    origin="R9 rollout/controller.go",
)
def templates_exist(ctx: UseContext) -> Iterator[Flaw]:
    """R9, where the tree is said to be complete."""
    for name in ctx.missing if ctx.complete else ():
        yield (*ctx.use.path, "templates"), f"{name} is not in the tree"


@rule(
    "ROL221",
    "info",
    "the templates that a Rollout uses can be looked at",
    scope="use",
    hint="Lint it together with the tree that holds the template to have it checked.",
    origin="R9 rollout/controller.go",
)
def templates_not_checked(ctx: UseContext) -> Iterator[Flaw]:
    """What was not checked because a template lives elsewhere."""
    for name in () if ctx.complete else ctx.missing:
        yield (*ctx.use.path, "templates"), f"not checked: {name} is not in the tree"


def _specs(ctx: UseContext) -> list[Body]:
    return [as_map(template.body.get("spec")) for template in ctx.templates]


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _named(items: Iterable[object], key: str) -> list[str]:
    return [as_text(as_map(item).get(key)) for item in items]


@rule(
    "ROL210",
    "error",
    "templates used together fit together",
    scope="use",
    hint="Make names of metrics and rules unique, and give every argument one default or a value.",
    origin="R10 utils/analysis/helpers.go",
)
def templates_fit_together(ctx: UseContext) -> Iterator[Flaw]:
    """R10."""
    path = (*ctx.use.path, "templates")
    for field, key in (("metrics", "name"), ("dryRun", "metricName"), ("measurementRetention", "metricName")):
        items = [item for spec in _specs(ctx) for item in as_list(spec.get(field))]
        for name in _repeated(_named(items, key)):
            yield path, f"the templates have two entries {name!r} under {field}"
    defaults: dict[str, set[str]] = {}
    for arg in resolve.declared(ctx.templates):
        if isinstance(arg.get("value"), str):
            defaults.setdefault(as_text(arg.get("name")), set()).add(arg["value"])
    for name in [name for name, values in defaults.items() if len(values) > 1]:
        yield path, f"the templates give the argument {name!r} different defaults"
    if ctx.use.moment != "background":
        for name in _unset(ctx):
            yield (*ctx.use.path, "args"), f"the argument {name!r} gets no value"


def _unset(ctx: UseContext) -> list[str]:
    """Arguments that get no value (MergeArgs); a background run must be given all without a default."""
    declared = resolve.declared(ctx.templates)
    passed = set(resolve.names(ctx.use.args))
    given = passed if metadata_resolves_in(ctx.use) else set()
    bare = {name for name, arg in resolve.merged(declared).items() if not resolve.is_set(arg)} - given
    if ctx.use.moment == "background":
        bare |= set(resolve.names(arg for arg in declared if not resolve.is_set(arg))) - passed
    return [] if ctx.missing else sorted(bare)


@rule(
    "ROL211",
    "error",
    "dry-run and retention rules are given in one place",
    scope="use",
    hint="Give dryRun and measurementRetention in the Rollout only, never in a template.",
    origin=f"R11 {_REFERENCES}",
)
def rules_in_one_place(ctx: UseContext) -> Iterator[Flaw]:
    """R11: the controller merges the templates of each use with the rules of every step, related or not."""
    for field in ("dryRun", "measurementRetention"):
        own = {name for spec in _specs(ctx) for name in _named(as_list(spec.get(field)), "metricName")}
        for _, step in ctx.rollout.steps:
            rules = _named(as_list(as_map(step.get("analysis")).get(field)), "metricName")
            for name in sorted({*own.intersection(rules), *_repeated(rules)}):
                yield (*ctx.use.path, "templates"), f"{field} has {name!r} both in a template and in a step"


@rule(
    "ROL212",
    "error",
    "a template declares every argument it uses",
    scope="use",
    hint="Declare the argument in the same template; nothing but arguments may stand in braces.",
    origin=f"R12 {_REFERENCES}",
)
def arguments_are_declared(ctx: UseContext) -> Iterator[Flaw]:
    """R12 (all but background runs)."""
    for template, spec in zip(ctx.templates, _specs(ctx), strict=True):
        known = {f"args.{name}" for name in _named(as_list(spec.get("args")), "name")}
        unknown = (
            sorted(set(resolve.tags(spec.get("metrics"))) - known) if ctx.use.moment != "background" else []
        )
        for tag in unknown:
            yield (*ctx.use.path, "templates"), f"{template.key} uses {{{{{tag}}}}} without declaring it"


@rule(
    "ROL213",
    "error",
    "a run that the rollout waits for comes to an end",
    scope="use",
    hint="Give the metric a count; keep endless metrics in a template of their own for canary.analysis.",
    origin=f"R13 {_REFERENCES}",
)
def runs_end(ctx: UseContext) -> Iterator[Flaw]:
    """R13."""
    for template, metric in _endless(ctx):
        if not resolve.tags(metric.get("count")):
            name = f"metric {metric.get('name')!r} of {template.key}"
            yield (*ctx.use.path, "templates"), f"{name} has an interval and no count: it never ends"


@rule(
    "ROL214",
    "error",
    "the count of a metric is a literal",
    scope="use",
    hint="Write the number into the template, or give the argument a default there.",
    origin=f"R14 {_REFERENCES}",
)
def count_is_literal(ctx: UseContext) -> Iterator[Flaw]:
    """R14: the check puts a word in the place of an argument without a default, and a word counts as 0."""
    for template, metric in _endless(ctx):
        if resolve.tags(metric.get("count")):
            name = f"metric {metric.get('name')!r} of {template.key}"
            yield (*ctx.use.path, "templates"), f"the count of {name} is an argument without a default"


def _endless(ctx: UseContext) -> Iterator[tuple[Object, Body]]:
    for template, spec in zip(ctx.templates, _specs(ctx), strict=True):
        args = [as_map(arg) for arg in as_list(spec.get("args"))]
        values = {as_text(arg.get("name")): arg.get("value") or "dummy-value" for arg in args}
        for metric in as_list(spec.get("metrics")) if ctx.use.moment != "background" else ():
            filled = resolve.fill(as_map(metric), values)
            if filled.get("interval") and int_value(filled.get("count")) == 0:
                yield template, as_map(metric)


@rule(
    "ROL215",
    "error",
    "the background run gets a value for every argument",
    scope="use",
    hint="Pass the argument under canary.analysis.args.",
    origin=f"R15 {_REFERENCES}",
)
def background_arguments(ctx: UseContext) -> Iterator[Flaw]:
    """R15."""
    for name in _unset(ctx) if ctx.use.moment == "background" else ():
        yield (*ctx.use.path, "args"), f"the argument {name!r} gets no value"
