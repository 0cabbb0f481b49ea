"""Rules on analysis runs: what aborts a run when it starts, and metrics that cannot decide."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from generator.lint.controller import go_duration, int_value, is_dns_label, is_templated
from generator.lint.engine import Problem, rule
from generator.lint.objects import as_list, as_map, as_text, each, has
from generator.lint.rules.arguments import declared, names, tags
from generator.lint.rules.contexts import TemplateContext, UseContext
from generator.lint.rules.metric import MetricContext

_FACTORY: Final = "Argo Rollouts 1.10, utils/analysis/factory.go"
_HELPERS: Final = "Argo Rollouts 1.10, utils/analysis/helpers.go"
_JOB: Final = "Argo Rollouts 1.10, metricproviders/job/job.go"
_WEB: Final = "Argo Rollouts 1.10, metricproviders/webmetric/webmetric.go"
_ASSESS: Final = "Argo Rollouts 1.10, analysis/analysis.go, assessMetricStatus"
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
_GO_LACKS: Final = re.compile(r"\(\?(?:[=!>#]|<[=!]|P[=>])|\\[1-9]")
_PYTHON_LACKS: Final = re.compile(r"\\[pPzQC]|\[\[:|\(\?\w*U")
_TEXT_TEST: Final = re.compile(
    r"\bresult\s*(?:[!=]=\s*[\"'`]|(?:not\s+)?(?:contains|startsWith|endsWith|matches)\b)"
)
# A Job is named `<uid of the run>.<metric>.<number>` and has at most 63 characters: this many are left for the metric.
_KEPT: Final = 63 - len("........-....-....-....-............") - len("..99")
_REGEXP_REMEDY: Final = "Use a regular expression that matches the name of a metric, such as `.*` for all."


@rule(
    "ANA301",
    "error",
    "a template has no metrics, or two of one name",
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
        if not _PYTHON_LACKS.search(pattern) and not _matches(pattern, metrics):
            yield i, pattern


def _matches(pattern: str, metrics: Iterable[str]) -> bool:
    """Return whether an unanchored Go regular expression matches a name; an invalid one matches none."""
    try:
        return not _GO_LACKS.search(pattern) and any(re.search(pattern, name) for name in metrics)
    except re.error:
        return False


def _metric_names(ctx: UseContext) -> list[str]:
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
    metrics = _metric_names(ctx)
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


@rule(
    "ANA420",
    "error",
    "a Job metric has no deadline",
    scope=MetricContext,
    why="If the pod cannot start, the step never ends; when the run is then terminated, the metric is Successful.",
    remedy="Set `job.spec.activeDeadlineSeconds`.",
    example="""\
provider:
  job:
    spec:
      backoffLimit: 0
      template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    instead="""\
provider:
  job:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: 600
      template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    source=_JOB,
)
def job_without_deadline(ctx: MetricContext) -> Iterator[Problem]:
    """Check that the Job of a metric has a deadline."""
    if ctx.provider == "job" and not has(as_map(ctx.settings.get("spec")), "activeDeadlineSeconds"):
        message = "a Job without `activeDeadlineSeconds` may never end"
        yield Problem((*ctx.path, "provider", "job", "spec"), message)


@rule(
    "ANA421",
    "error",
    "a Job metric is tried until it passes",
    scope=MetricContext,
    why="Kubernetes runs a failing Job again, seven times in all by default: a flaky check passes in the end.",
    remedy="Set `job.spec.backoffLimit` to 0.",
    example="""\
provider:
  job:
    spec:
      activeDeadlineSeconds: 600
      template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    instead="""\
provider:
  job:
    spec:
      backoffLimit: 0
      activeDeadlineSeconds: 600
      template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.example/check:1"}]}}
""",
    source=_JOB,
)
def retried_job(ctx: MetricContext) -> Iterator[Problem]:
    """Check that the Job of a metric is tried once only, unless the number is an argument."""
    limit = as_map(ctx.settings.get("spec")).get("backoffLimit")
    if ctx.provider == "job" and limit != 0 and not is_templated(limit):
        tries = 7 if limit is None else int_value(limit) + 1
        path = (*ctx.path, "provider", "job", "spec", "backoffLimit")
        yield Problem(path, f"the Job is tried up to {tries} times")


@rule(
    "ANA422",
    "error",
    "a web metric compares plain text",
    scope=MetricContext,
    why="A response that is not JSON is Successful, and the condition is never evaluated.",
    remedy="Let the endpoint answer JSON and select the value with `jsonPath`, or use a Job.",
    example="""\
successCondition: result == "OK"
provider: {web: {url: "http://checks.shop/state"}}
""",
    instead="""\
successCondition: result == "OK"
provider: {web: {url: "http://checks.shop/state", jsonPath: "{$.state}"}}
""",
    source=_WEB,
)
def compared_text(ctx: MetricContext) -> Iterator[Problem]:
    """Check that no condition compares the whole response of a web metric with a text."""
    plain = not as_text(ctx.settings.get("jsonPath"))
    if ctx.provider == "web" and plain and _TEXT_TEST.search(f"{ctx.success} {ctx.failure}"):
        message = "a response that is not JSON is Successful, and the condition is not evaluated"
        yield Problem(ctx.path, message)


@rule(
    "ANA423",
    "info",
    "a web metric passes on a response that is not JSON",
    scope=MetricContext,
    why="Any 2xx response that is not JSON counts as Successful: a login page or the error page of a proxy passes.",
    remedy="Make sure that no proxy or login page answers 2xx with HTML.",
    example="""\
successCondition: result.ok
provider: {web: {url: "http://checks.shop/state"}}
""",
    source=_WEB,
)
def response_not_checked(ctx: MetricContext) -> Iterator[Problem]:
    """Check for web metrics, whose responses are not in a manifest."""
    if ctx.provider == "web" and (ctx.success or ctx.failure):
        message = "not checked: any 2xx response that is not JSON counts as Successful"
        yield Problem((*ctx.path, "provider", "web"), message)


@rule(
    "ANA424",
    "warning",
    "a background metric stops before the rollout ends",
    scope=MetricContext,
    why="A background run that has finished is not started again: later steps run without it.",
    remedy="Leave out `count` and give an `interval`; use another template for steps.",
    example="""\
spec:
  strategy:
    canary:
      steps: [{setWeight: 50}, {pause: {}}]
      analysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}]}
---
{interval: 1m, count: 5}
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
    source="Argo Rollouts 1.10, rollout/analysis.go, needsNewAnalysisRun",
)
def background_stops(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a metric of the background run has no end."""
    count = ctx.effective_count
    if "background" in ctx.moments and count is not None and ctx.is_literal("count"):
        message = f"in the background it stops guarding after {count} measurement{'s' * (count > 1)}"
        yield Problem(ctx.path, message)


@rule(
    "ANA428",
    "error",
    "inconclusive measurements end as a success",
    scope=MetricContext,
    why="A metric is inconclusive only after more than `inconclusiveLimit` such measurements. With a limit of "
    "`count` or more, a run without any data is Successful.",
    remedy="Keep `inconclusiveLimit` below `count`.",
    example='{failureCondition: "false", inconclusiveLimit: 5}',
    instead='{failureCondition: "false", inconclusiveLimit: 4}',
    source=_ASSESS,
)
def inconclusive_passes(ctx: MetricContext) -> Iterator[Problem]:
    """Check that `inconclusiveLimit` is below `count` where measurements can be inconclusive."""
    count, limit = ctx.effective_count, ctx.limit("inconclusiveLimit")
    undecided = bool(ctx.success and ctx.failure) or ctx.provider == "kayenta"
    if undecided and ctx.is_literal("count", "inconclusiveLimit") and count is not None and limit >= count:
        message = f"{count} inconclusive measurement{'s' * (count > 1)} would be Successful"
        yield Problem((*ctx.path, "inconclusiveLimit"), message)


@rule(
    "ANA430",
    "warning",
    "every metric of a run is a dry run",
    scope=UseContext,
    why="A run of dry runs decides nothing and only delays the rollout.",
    remedy="Take at least one metric out of `dryRun` when the trial is over.",
    example="""\
spec:
  strategy:
    canary:
      steps:
        - setWeight: 50
        - analysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}], dryRun: [{metricName: .*}]}
""",
    instead="""\
spec:
  strategy:
    canary:
      steps:
        - setWeight: 50
        - analysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}]}
""",
    source=_ASSESS,
)
def nothing_decides(ctx: UseContext) -> Iterator[Problem]:
    """Check that at least one metric of a run is not a dry run."""
    metrics = _metric_names(ctx)
    rules = [as_text(as_map(item).get("metricName")) for item in as_list(ctx.use.body.get("dryRun"))]
    if metrics and not ctx.missing and all(any(_matches(r, [name]) for r in rules) for name in metrics):
        yield Problem((*ctx.use.path, "dryRun"), "all metrics are dry runs, so nothing is decided")


@rule(
    "ANA433",
    "error",
    "a pod-hash argument is neither Latest nor Stable",
    scope=UseContext,
    why="Any other word becomes an empty value without an error, and the query selects the wrong pods.",
    remedy="Write Latest or Stable.",
    example="""\
spec:
  strategy:
    canary:
      steps:
        - setWeight: 50
        - analysis:
            templates: [{templateName: quality}]
            args: [{name: hash, valueFrom: {podTemplateHashValue: latest}}]
""",
    instead="""\
spec:
  strategy:
    canary:
      steps:
        - setWeight: 50
        - analysis:
            templates: [{templateName: quality}]
            args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]
""",
    source="Argo Rollouts 1.10, utils/analysis/factory.go, BuildArgumentsForRolloutAnalysisRun",
)
def unknown_hash(ctx: UseContext) -> Iterator[Problem]:
    """Check that every argument that is a pod hash is Latest or Stable."""
    for at, arg in each(ctx.use.body.get("args"), (*ctx.use.path, "args")):
        word = as_map(arg.get("valueFrom")).get("podTemplateHashValue")
        if word is not None and as_text(word) not in {"Latest", "Stable"}:
            near = as_text(word).capitalize()
            hint = f"; write {near}" if near in {"Latest", "Stable"} else ""
            message = f"`{word}` becomes an empty value{hint}"
            yield Problem((*at, "valueFrom", "podTemplateHashValue"), message)


@rule(
    "ANA434",
    "warning",
    "an argument is passed that no template declares",
    scope=UseContext,
    why="The controller ignores the argument without an error.",
    remedy="Declare the argument in the template, or stop passing it.",
    example="""\
spec:
  strategy:
    canary:
      steps:
        - setWeight: 50
        - analysis:
            templates: [{templateName: quality}]
            args: [{name: hash, value: x}, {name: service, value: model}]
""",
    instead="""\
spec:
  strategy:
    canary:
      steps:
        - setWeight: 50
        - analysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}]}
""",
    source=f"{_HELPERS}, MergeArgs",
)
def undeclared_argument(ctx: UseContext) -> Iterator[Problem]:
    """Check that every argument of a use is declared by one of its templates."""
    known = set(names(declared(ctx.templates)))
    for at, arg in () if ctx.missing else each(ctx.use.body.get("args"), (*ctx.use.path, "args")):
        if as_text(arg.get("name")) not in known:
            yield Problem(at, f"no template declares the argument `{arg.get('name')}`")


@rule(
    "ANA437",
    "info",
    "an analysis before promotion measures a version without users",
    scope=UseContext,
    why="Before promotion all users are on the old version. Without test traffic the query has no data.",
    remedy="Send test traffic through the preview Service, or judge by a Job.",
    example="""\
spec:
  strategy:
    blueGreen:
      activeService: model-stable
      prePromotionAnalysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}]}
""",
    instead="""\
spec:
  strategy:
    blueGreen:
      activeService: model-stable
      postPromotionAnalysis: {templates: [{templateName: quality}], args: [{name: hash, value: x}]}
""",
    source="Argo Rollouts 1.10, rollout/analysis.go",
)
def preview_without_traffic(ctx: UseContext) -> Iterator[Problem]:
    """Check for Prometheus metrics in an analysis before promotion."""
    for template in ctx.templates if ctx.use.moment == "pre" else ():
        for _, metric in each(template.spec.get("metrics"), ()):
            if has(as_map(metric.get("provider")), "prometheus"):
                message = (
                    f"the metric `{metric.get('name')}` queries Prometheus while no user is on the preview"
                )
                yield Problem(ctx.use.path, message)
