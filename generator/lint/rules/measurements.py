"""Rules on measurements that decide nothing: Jobs and web metrics, dry runs, and runs at the wrong moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.controller import int_value, is_templated
from generator.lint.engine import Problem, rule
from generator.lint.objects import as_list, as_map, as_text, each, has
from generator.lint.rules.analysis import matches, metric_names
from generator.lint.rules.arguments import declared, is_set, merged, names
from generator.lint.rules.contexts import UseContext
from generator.lint.rules.metric import MetricContext
from generator.source.suggest import misspelt

_HELPERS: Final = "Argo Rollouts 1.10, utils/analysis/helpers.go"
_JOB: Final = "Argo Rollouts 1.10, metricproviders/job/job.go"
_WEB: Final = "Argo Rollouts 1.10, metricproviders/webmetric/webmetric.go"
_ASSESS: Final = "Argo Rollouts 1.10, analysis/analysis.go, assessMetricStatus"
_TEXT_TEST: Final = re.compile(
    r"\bresult\s*(?:[!=]=\s*[\"'`]|(?:not\s+)?(?:contains|startsWith|endsWith|matches)\b)"
)


@rule(
    "ANA420",
    "warning",
    "a Job metric has no deadline",
    scope=MetricContext,
    why="If the pod cannot start, the step never ends; if the run is then terminated, the metric is Successful.",
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
    "warning",
    "a Job metric is retried until it passes",
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
    """Check that the Job of a metric is not retried, unless the number is an argument."""
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
    why="Any 2xx response that is not JSON counts as Successful, for example a login page or an error page of a proxy.",
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
    example='{failureCondition: "len(result) == 1 && result[0] > 0.5", inconclusiveLimit: 5}',
    instead='{failureCondition: "len(result) == 1 && result[0] > 0.5", inconclusiveLimit: 4}',
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
    metrics = metric_names(ctx)
    rules = [as_text(as_map(item).get("metricName")) for item in as_list(ctx.use.body.get("dryRun"))]
    if metrics and not ctx.missing and all(any(matches(r, [name]) for r in rules) for name in metrics):
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
    bare = {name for name, arg in merged(declared(ctx.templates)).items() if not is_set(arg)}
    waiting = bare - set(names(ctx.use.args))
    for at, arg in () if ctx.missing else each(ctx.use.body.get("args"), (*ctx.use.path, "args")):
        name = as_text(arg.get("name"))
        if name not in known and not misspelt(name, waiting):  # the finding about the argument names both
            yield Problem(at, f"no template declares the argument `{arg.get('name')}`")


@rule(
    "ANA437",
    "info",
    "an analysis before promotion measures a version without users",
    scope=UseContext,
    why="Before promotion all users are on the old version. Without test traffic the query has no data.",
    remedy="Send test traffic through the preview Service, or use a Job metric.",
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
