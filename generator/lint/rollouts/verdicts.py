"""Rules about what metrics of one provider or at one moment cannot decide (1.7, 1.8, 1.10)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.lint.go_values import int_value, is_templated
from generator.lint.rollouts import podtemplate, resolve
from generator.lint.rollouts.analysis import matches
from generator.lint.rollouts.model import as_list, as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.truthtable import conditions
from generator.lint.rollouts.view import MetricContext, UseContext, has

_TEXT_TEST = re.compile(
    r"\bresult\s*(?:[!=]=\s*[\"'`]|(?:not\s+)?(?:contains|startsWith|endsWith|matches)\b)"
)
_JOB = "metricproviders/job/job.go"
_WEB = "metricproviders/webmetric/webmetric.go"


@rule(
    "ANA420",
    "error",
    "a Job metric has a deadline",
    scope="metric",
    hint="Set job.spec.activeDeadlineSeconds.",
    origin=f"1.14 {_JOB}",
)
def job_has_deadline(ctx: MetricContext) -> Iterator[Flaw]:
    """A pod that cannot start hangs the step, and counts as Successful when the run is ended (1.9)."""
    if ctx.provider == "job" and not has(as_map(ctx.settings.get("spec")), "activeDeadlineSeconds"):
        yield (*ctx.path, "provider", "job", "spec"), "a Job without activeDeadlineSeconds may hang for ever"


@rule(
    "ANA421",
    "error",
    "a Job metric is not tried until it passes",
    scope="metric",
    hint="Set job.spec.backoffLimit to 0.",
    origin=f"1.14 {_JOB}",
)
def job_is_not_retried(ctx: MetricContext) -> Iterator[Flaw]:
    """Kubernetes tries seven times by default: a flaky check passes in the end."""
    limit = as_map(ctx.settings.get("spec")).get("backoffLimit")
    if ctx.provider == "job" and limit != 0 and not is_templated(limit):
        tries = 7 if limit is None else int_value(limit) + 1
        yield (*ctx.path, "provider", "job", "spec", "backoffLimit"), f"the Job is tried up to {tries} times"


@rule(
    "ANA425",
    "error",
    "the pods of a Job metric are valid",
    scope="metric",
    hint="Correct the pod template: a Job that cannot be created is an Error, and the fifth Error aborts.",
    origin=f"A10 {_JOB}",
)
def job_pods_are_valid(ctx: MetricContext) -> Iterator[Flaw]:
    """Nobody looks at the pod template of a Job before the analysis runs."""
    template = as_map(as_map(ctx.settings.get("spec")).get("template"))
    path = (*ctx.path, "provider", "job", "spec", "template")
    if ctx.provider != "job" or resolve.tags(template):
        return
    restart = as_text(as_map(template.get("spec")).get("restartPolicy"))
    if restart not in {"Never", "OnFailure"}:
        yield (
            (*path, "spec", "restartPolicy"),
            f"the restart policy of a Job is Never or OnFailure, not {restart!r}",
        )
    for check in (podtemplate.container_flaws, podtemplate.resource_flaws, podtemplate.volume_flaws):
        for at, message in check(template):
            yield (*path, *at), message


@rule(
    "ANA422",
    "error",
    "a web metric does not compare a plain text",
    scope="metric",
    hint="Let the endpoint answer JSON and pick the value by jsonPath, or use a Job.",
    origin=f"1.14 {_WEB}",
)
def web_condition_is_used(ctx: MetricContext) -> Iterator[Flaw]:
    """A body that is no JSON is Successful, whatever the condition says."""
    success, failure = conditions(ctx)
    plain = not as_text(ctx.settings.get("jsonPath"))
    if ctx.provider == "web" and plain and _TEXT_TEST.search(f"{success} {failure}"):
        yield ctx.path, "a text that is no JSON is Successful, and the condition is not asked"


@rule(
    "ANA423",
    "info",
    "the endpoint of a web metric answers JSON",
    scope="metric",
    hint="Make sure that no proxy or login page answers 2xx with HTML.",
    origin=f"0.1 {_WEB}",
)
def web_answers_json(ctx: MetricContext) -> Iterator[Flaw]:
    """What cannot be seen from a manifest."""
    if ctx.provider == "web" and any(conditions(ctx)):
        yield (
            (*ctx.path, "provider", "web"),
            "not checked: any 2xx answer that is no JSON counts as Successful",
        )


@rule(
    "ANA424",
    "warning",
    "a background metric goes on as long as the rollout",
    scope="metric",
    hint="Leave out count and give an interval; use another template for steps.",
    origin="1.10 rollout/analysis.go needsNewAnalysisRun",
)
def background_goes_on(ctx: MetricContext) -> Iterator[Flaw]:
    """A background run that has finished is not started again in later steps."""
    count = ctx.effective_count
    if "background" in ctx.moments and count is not None and not is_templated(ctx.body.get("count")):
        yield ctx.path, f"after {count} measurement{'s' * (count > 1)} it stops guarding"


@rule(
    "ANA428",
    "error",
    "undecided measurements can make a metric inconclusive",
    scope="metric",
    hint="Keep inconclusiveLimit below count.",
    origin="1.8 analysis/analysis.go assessMetricStatus",
)
def undecided_can_decide(ctx: MetricContext) -> Iterator[Flaw]:
    """With inconclusiveLimit >= count, measurements without data end as a success."""
    count, limit = ctx.effective_count, ctx.limit("inconclusiveLimit")
    undecided = all(conditions(ctx)) or ctx.provider == "kayenta"
    literal = not any(is_templated(ctx.body.get(name)) for name in ("count", "inconclusiveLimit"))
    if undecided and literal and count is not None and limit >= count:
        yield (*ctx.path, "inconclusiveLimit"), f"{count} undecided measurements are Successful"


@rule(
    "ANA430",
    "warning",
    "a run decides something",
    scope="use",
    hint="Take at least one metric out of dryRun when the observation is over.",
    origin="1.8 analysis/analysis.go",
)
def run_decides(ctx: UseContext) -> Iterator[Flaw]:
    """A run of dry-run metrics only delays the rollout."""
    names = [
        as_text(as_map(metric).get("name"))
        for template in ctx.templates
        for metric in as_list(as_map(template.body.get("spec")).get("metrics"))
    ]
    rules = [as_text(as_map(item).get("metricName")) for item in as_list(ctx.use.body.get("dryRun"))]
    if names and not ctx.missing and all(any(matches(r, [name]) for r in rules) for name in names):
        yield (*ctx.use.path, "dryRun"), "all metrics are dry runs: nothing is decided"


@rule(
    "ANA433",
    "error",
    "a pod hash argument means the latest or the stable pods",
    scope="use",
    hint="Write Latest or Stable.",
    origin="1.3 utils/analysis/factory.go",
)
def hash_is_known(ctx: UseContext) -> Iterator[Flaw]:
    """Any other word becomes an empty value without a complaint."""
    for i, arg in enumerate(ctx.use.args):
        word = as_map(arg.get("valueFrom")).get("podTemplateHashValue")
        if word is not None and as_text(word) not in {"Latest", "Stable"}:
            path = (*ctx.use.path, "args", i, "valueFrom", "podTemplateHashValue")
            yield path, f"{word!r} becomes an empty value"


@rule(
    "ANA434",
    "warning",
    "every argument that is passed is declared",
    scope="use",
    hint="Declare the argument in the template or stop passing it.",
    origin="R10 utils/analysis/helpers.go MergeArgs",
)
def passed_is_declared(ctx: UseContext) -> Iterator[Flaw]:
    """Arguments that no template declares are ignored silently."""
    known = {as_text(arg.get("name")) for arg in resolve.declared(ctx.templates)}
    for i, arg in enumerate(() if ctx.missing else ctx.use.args):
        if as_text(arg.get("name")) not in known:
            yield (*ctx.use.path, "args", i), f"no template declares the argument {arg.get('name')!r}"


@rule(
    "ANA437",
    "info",
    "an analysis before promotion has traffic to look at",
    scope="use",
    hint="Send test traffic through the preview Service, or judge by a Job.",
    origin="1.5 rollout/analysis.go",
)
def preview_has_traffic(ctx: UseContext) -> Iterator[Flaw]:
    """Before promotion users are still on the old version."""
    for template in ctx.templates if ctx.use.moment == "pre" else ():
        for metric in as_list(as_map(template.body.get("spec")).get("metrics")):
            if has(as_map(as_map(metric).get("provider")), "prometheus"):
                yield (
                    ctx.use.path,
                    f"{as_map(metric).get('name')!r} asks Prometheus while no user is on the preview",
                )
