"""Rules on analysis runs that end with an Error when they start."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from generator.lint.controller import go_duration, is_dns_label, is_templated
from generator.lint.engine import Problem, rule
from generator.lint.objects import as_list, as_map, as_text, has
from generator.lint.rules.arguments import tags
from generator.lint.rules.contexts import TemplateContext, UseContext
from generator.lint.rules.metric import MetricContext
from generator.promql import regexps

_FACTORY: Final = "Argo Rollouts 1.10, utils/analysis/factory.go"
_HELPERS: Final = "Argo Rollouts 1.10, utils/analysis/helpers.go"
_JOB: Final = "Argo Rollouts 1.10, metricproviders/job/job.go"
_RUN_FAILS: Final = "The AnalysisRun ends with an Error as soon as it starts, and the release is aborted."
_PROVIDERS: Final = frozenset(
    {"prometheus", "job", "web", "wavefront", "kayenta", "datadog", "newRelic", "cloudWatch", "graphite"}
    | {"influxdb", "skywalking"}
)
_LIMITS: Final = (
    "count",
    "failureLimit",
    "consecutiveSuccessLimit",
    "inconclusiveLimit",
    "consecutiveErrorLimit",
)
# A Job is named `<uid of the run>.<metric>.<number>` and has at most 63 characters: this many are left for the metric.
_KEPT: Final = 63 - len("........-....-....-....-............") - len("..99")
_REGEXP_REMEDY: Final = "Use a regular expression that matches the name of a metric, such as `.*` for all."


@rule(
    "ANA301",
    "error",
    "a template has no metrics, or two with the same name",
    scope=TemplateContext,
    why=_RUN_FAILS,
    remedy="Add a metric, or rename one of the two.",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors, namespace: shop}
spec: {metrics: []}
""",
    instead="""\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: errors, namespace: shop}
spec: {metrics: [{name: errors, provider: {plugin: {a/b: {}}}}]}
""",
    source=_FACTORY,
)
def unnamed_metrics(ctx: TemplateContext) -> Iterator[Problem]:
    """Check that a template has metrics with unique names; a template that only combines others needs none."""
    if not ctx.metrics and not as_list(ctx.spec.get("templates")):
        yield Problem(("spec", "metrics"), "the template has no metrics")
    counts = Counter(as_text(metric.get("name")) for _, metric in ctx.metrics)
    for path, metric in ctx.metrics:
        if counts[as_text(metric.get("name"))] > 1:
            yield Problem((*path, "name"), f"two metrics are named `{metric.get('name')}`")


@rule(
    "ANA302",
    "error",
    "a limit of a metric is negative, or no limit decides",
    scope=MetricContext,
    why=_RUN_FAILS,
    remedy="Use 0 or more; `failureLimit: -1` needs a `consecutiveSuccessLimit`.",
    example="inconclusiveLimit: -1",
    instead="inconclusiveLimit: 0",
    source=_FACTORY,
)
def negative_limits(ctx: MetricContext) -> Iterator[Problem]:
    """Check that no limit of a metric is negative, and that failures or successes can decide it."""
    for name in _LIMITS[2:]:
        if ctx.limit(name) < 0:
            yield Problem((*ctx.path, name), f"`{name}` is {ctx.limit(name)}")
    if ctx.limit("failureLimit") < -1:
        yield Problem((*ctx.path, "failureLimit"), f"`failureLimit` is {ctx.limit('failureLimit')}, below -1")
    if ctx.limit("failureLimit") == -1 and ctx.limit("consecutiveSuccessLimit") == 0:
        yield Problem((*ctx.path, "failureLimit"), "neither failures nor successes can decide this metric")


@rule(
    "ANA303",
    "error",
    "the limits of a metric cannot be reached within its count",
    scope=MetricContext,
    why=_RUN_FAILS,
    remedy="Raise `count`, or lower the limits.",
    example="{count: 5, failureLimit: 1, consecutiveSuccessLimit: 5}",
    instead="{count: 6, failureLimit: 1, consecutiveSuccessLimit: 5}",
    source=_FACTORY,
)
def unreachable_limits(ctx: MetricContext) -> Iterator[Problem]:
    """Check that the limits of a metric can be reached within its `count`, if no argument hides them."""
    count, inconclusive = ctx.limit("count"), ctx.limit("inconclusiveLimit")
    needed = max(ctx.limit("failureLimit"), 0) + ctx.limit("consecutiveSuccessLimit")
    if count > 0 and ctx.is_literal(*_LIMITS) and count < max(needed, inconclusive):
        message = f"`count` is {count}, but the limits need {max(needed, inconclusive)} measurements"
        yield Problem((*ctx.path, "count"), message)


@rule(
    "ANA304",
    "error",
    "the interval or delay of a metric is missing or invalid",
    scope=MetricContext,
    why=f"Durations are those of Go, which has no unit for days. {_RUN_FAILS}",
    remedy="Write a duration such as 30s, 5m or 24h; a `count` above 1 needs an `interval`.",
    example="interval: 1d",
    instead="interval: 24h",
    source=_FACTORY,
)
def invalid_durations(ctx: MetricContext) -> Iterator[Problem]:
    """Check that `interval` and `initialDelay` are Go durations, and that several measurements have an interval."""
    for name in ("interval", "initialDelay"):
        text = as_text(ctx.body.get(name))
        if text and not is_templated(text) and go_duration(text) is None:
            yield Problem((*ctx.path, name), f"`{text}` is not a duration such as 30s, 5m or 24h")
    if ctx.limit("count") > 1 and not ctx.body.get("interval"):
        yield Problem((*ctx.path, "count"), f"{ctx.limit('count')} measurements need an `interval`")


@rule(
    "ANA305",
    "error",
    "a metric does not have exactly one provider",
    scope=MetricContext,
    why=_RUN_FAILS,
    remedy="Keep one provider.",
    example="provider: {plugin: {a/b: {}, c/d: {}}}",
    instead="provider: {plugin: {a/b: {}}}",
    source=_FACTORY,
)
def not_one_provider(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a metric has exactly one provider; two plugins are two."""
    provider = as_map(ctx.body.get("provider"))
    count = sum(has(provider, name) for name in _PROVIDERS) + len(as_map(provider.get("plugin")))
    if count != 1:
        yield Problem((*ctx.path, "provider"), f"the metric has {count or 'no'} providers")


def _unmatched(rules: Sequence[object], metrics: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the patterns that match no metric, with their positions."""
    for i, item in enumerate(rules):
        pattern = as_text(as_map(item).get("metricName"))
        if regexps.is_evaluated(pattern) and not matches(pattern, metrics):
            yield i, pattern


def matches(pattern: str, metrics: Iterable[str]) -> bool:
    """Return whether an unanchored Go regular expression matches a name; one that is not evaluated matches none."""
    return any(regexps.matches(pattern, name, whole=False) for name in metrics)


def metric_names(ctx: UseContext) -> list[str]:
    """Return the names of all metrics that a use runs."""
    return [
        as_text(as_map(metric).get("name"))
        for template in ctx.templates
        for metric in as_list(template.spec.get("metrics"))
    ]


@rule(
    "ANA306",
    "error",
    "a dry-run or retention rule of a Rollout matches no metric",
    scope=UseContext,
    why=_RUN_FAILS,
    remedy=_REGEXP_REMEDY,
    example="""\
spec:
  strategy:
    canary:
      steps:
        - setWeight: 50
        - analysis:
            templates: [{templateName: quality}]
            args: [{name: hash, value: x}]
            measurementRetention: [{metricName: latency, limit: 9}]
""",
    instead="""\
spec:
  strategy:
    canary:
      steps:
        - setWeight: 50
        - analysis:
            templates: [{templateName: quality}]
            args: [{name: hash, value: x}]
            measurementRetention: [{metricName: errors, limit: 9}]
""",
    source=_HELPERS,
)
def unmatched_rules(ctx: UseContext) -> Iterator[Problem]:
    """Check that each rule of a use, and of its templates, matches one of the metrics that run."""
    if ctx.missing:
        return
    metrics = metric_names(ctx)
    for field in ("dryRun", "measurementRetention"):
        for i, pattern in _unmatched(as_list(ctx.use.body.get(field)), metrics):
            yield Problem((*ctx.use.path, field, i), f"`{pattern}` matches no metric")
        rules = [item for template in ctx.templates for item in as_list(template.spec.get(field))]
        for _, pattern in _unmatched(rules, metrics):
            yield Problem(
                ctx.templates_path, f"the `{field}` rule `{pattern}` of a template matches no metric"
            )


@rule(
    "ANA316",
    "error",
    "a dry-run or retention rule of an AnalysisRun matches no metric",
    scope=TemplateContext,
    why=_RUN_FAILS,
    remedy=_REGEXP_REMEDY,
    example="""\
kind: AnalysisRun
spec: {dryRun: [{metricName: latency}]}
""",
    instead="""\
kind: AnalysisRun
spec: {dryRun: [{metricName: errors}]}
""",
    source=_HELPERS,
)
def unmatched_rules_of_run(ctx: TemplateContext) -> Iterator[Problem]:
    """Check that each rule of an AnalysisRun that is written by hand matches one of its metrics."""
    metrics = [as_text(metric.get("name")) for _, metric in ctx.metrics]
    for field in ("dryRun", "measurementRetention") if ctx.document.kind == "AnalysisRun" else ():
        for i, pattern in _unmatched(as_list(ctx.spec.get(field)), metrics):
            yield Problem(("spec", field, i), f"`{pattern}` matches no metric")


@rule(
    "ANA307",
    "error",
    "something other than a declared argument is in double braces",
    scope=MetricContext,
    why=f"Double braces are for arguments only. {_RUN_FAILS}",
    remedy="Declare the argument, or write the braces of other template languages differently.",
    example="provider: {prometheus: {address: 'http://prometheus:9090', query: 'sum(x{pod=\"{{ $labels.pod }}\"})'}}",
    instead="provider: {prometheus: {address: 'http://prometheus:9090', query: 'sum(x{hash=\"{{args.hash}}\"})'}}",
    source="Argo Rollouts 1.10, utils/template/template.go",
)
def undeclared_braces(ctx: MetricContext) -> Iterator[Problem]:
    """Check that every name in double braces is an argument that the template declares."""
    for tag in sorted(set(tags(ctx.body))):
        if tag.removeprefix("args.") not in ctx.declared or not tag.startswith("args."):
            yield Problem(ctx.path, f"`{{{{{tag}}}}}` is not a declared argument")


@rule(
    "ANA309",
    "error",
    "the address of Prometheus is not a URL",
    scope=MetricContext,
    why="Every measurement is an Error, and the fifth Error in a row aborts the release.",
    remedy="Write the address with its scheme, such as `http://prometheus.monitoring:9090`.",
    example="provider: {prometheus: {address: 'prometheus:9090', query: 'sum(x)'}}",
    instead="provider: {prometheus: {address: 'http://prometheus:9090', query: 'sum(x)'}}",
    source="Argo Rollouts 1.10, metricproviders/prometheus/prometheus.go",
)
def address_without_scheme(ctx: MetricContext) -> Iterator[Problem]:
    """Check that the address begins with http:// or https://, unless it is an argument."""
    address = as_text(ctx.settings.get("address"))
    known = ctx.provider == "prometheus" and address and not is_templated(address)
    if known and not re.match(r"https?://[^\s/]", address):
        message = (
            f"`{address}` is not a URL such as http://{address if '/' not in address else 'prometheus:9090'}"
        )
        yield Problem((*ctx.path, "provider", "prometheus", "address"), message)


@rule(
    "ANA310",
    "error",
    "the name of a Job metric cannot be part of the name of a Job",
    scope=MetricContext,
    why="The Job is named after the metric. Kubernetes refuses it, every measurement is an Error, and the release is "
    "aborted.",
    remedy=f"Use lower-case letters, digits and dashes, and no dash where the name is cut ({_KEPT} characters).",
    example="""\
name: Check
provider:
  job:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: 600
      template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    instead="""\
name: check
provider:
  job:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: 600
      template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    source=f"{_JOB}, newJobName",
)
def invalid_job_name(ctx: MetricContext) -> Iterator[Problem]:
    """Check the name of a Job metric as a whole and where it is cut."""
    if ctx.provider != "job":
        return
    if not is_dns_label(ctx.name) or any(ctx.name[:kept].endswith("-") for kept in (_KEPT, _KEPT + 1)):
        yield Problem((*ctx.path, "name"), f"Kubernetes refuses the Job of a metric named `{ctx.name}`")


@rule(
    "ANA317",
    "error",
    "two Job metrics differ only in the part of their names that is cut off",
    scope=TemplateContext,
    why="Both metrics get one Job, and with it one verdict.",
    remedy=f"Let the names differ within the first {_KEPT} characters.",
    example="""
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: checks, namespace: shop}
spec:
  metrics:
    - name: compare-with-the-champion-on-recent-data
      provider:
        job:
          spec:
            activeDeadlineSeconds: 600
            backoffLimit: 0
            template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
    - name: compare-with-the-champion-on-older-data
      provider:
        job:
          spec:
            activeDeadlineSeconds: 600
            backoffLimit: 0
            template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    instead="""
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: checks, namespace: shop}
spec:
  metrics:
    - name: recent-data
      provider:
        job:
          spec:
            activeDeadlineSeconds: 600
            backoffLimit: 0
            template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
    - name: older-data
      provider:
        job:
          spec:
            activeDeadlineSeconds: 600
            backoffLimit: 0
            template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    source=f"{_JOB}, newJobName",
)
def same_job_names(ctx: TemplateContext) -> Iterator[Problem]:
    """Check that the names of Job metrics differ in the part that becomes the name of the Job."""
    seen: dict[str, str] = {}
    for path, metric in ctx.metrics:
        name = as_text(metric.get("name"))
        if as_map(metric.get("provider")).get("job") is None:
            continue
        other = seen.setdefault(name[:_KEPT], name)
        if other != name:
            yield Problem((*path, "name"), f"the Jobs of `{other}` and `{name}` get the same name")
