"""Rules that an AnalysisRun must meet when it starts (A1 to A10): one that breaks them aborts the rollout."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from generator.lint.go_values import go_duration, is_dns_label, is_templated
from generator.lint.rollouts import fields, resolve, schema
from generator.lint.rollouts.model import Path, as_list, as_map, as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.view import MetricContext, TemplateContext, UseContext

_FACTORY = "utils/analysis/factory.go"
_PROVIDERS = frozenset(
    {"prometheus", "job", "web", "wavefront", "kayenta", "datadog", "newRelic", "cloudWatch", "graphite"}
    | {"influxdb", "skywalking"}
)
_LIMITS = ("count", "failureLimit", "consecutiveSuccessLimit", "inconclusiveLimit", "consecutiveErrorLimit")
_GO_LACKS = re.compile(r"\(\?(?:[=!>#]|<[=!]|P[=>])|\\[1-9]")
_PYTHON_LACKS = re.compile(r"\\[pPzQC]|\[\[:|\(\?\w*U")
_JOB = "metricproviders/job/job.go newJobName"
_KEPT = (
    63 - len("........-....-....-....-............") - len("..99")
)  # of a metric's name beside uid and number


def _is_literal(ctx: MetricContext) -> bool:
    return not any(is_templated(ctx.body.get(name)) for name in _LIMITS)


@rule(
    "ANA301",
    "error",
    "there are metrics, and each has a name of its own",
    scope="template",
    hint="Add a metric, or rename one of the two.",
    origin=f"A1 {_FACTORY}",
)
def metrics_are_named(ctx: TemplateContext) -> Iterator[Flaw]:
    """A1 (a template that only composes others has none of its own)."""
    if not ctx.metrics and not as_list(ctx.spec.get("templates")):
        yield ("spec", "metrics"), "there are no metrics"
    names = Counter(as_text(metric.get("name")) for _, metric in ctx.metrics)
    for path, metric in ctx.metrics:
        if names[as_text(metric.get("name"))] > 1:
            yield (*path, "name"), f"two metrics are named {metric.get('name')!r}"


@rule(
    "ANA302",
    "error",
    "limits are not negative and not all switched off",
    scope="metric",
    hint="Use 0 or more; failureLimit -1 needs a consecutiveSuccessLimit.",
    origin=f"A2 {_FACTORY}",
)
def limits_are_set(ctx: MetricContext) -> Iterator[Flaw]:
    """A2."""
    for name in _LIMITS[2:]:
        if ctx.limit(name) < 0:
            yield (*ctx.path, name), f"{name} is negative"
    if ctx.limit("failureLimit") < -1:
        yield (*ctx.path, "failureLimit"), "failureLimit is below -1"
    if ctx.limit("failureLimit") == -1 and ctx.limit("consecutiveSuccessLimit") == 0:
        yield (*ctx.path, "failureLimit"), "neither failures nor successes decide"


@rule(
    "ANA303",
    "error",
    "limits can be reached within the count",
    scope="metric",
    hint="Raise count, or lower the limits.",
    origin=f"A3 {_FACTORY}",
)
def limits_fit_count(ctx: MetricContext) -> Iterator[Flaw]:
    """A3."""
    count, inconclusive = ctx.limit("count"), ctx.limit("inconclusiveLimit")
    wanted = max(ctx.limit("failureLimit"), 0) + ctx.limit("consecutiveSuccessLimit")
    if count > 0 and _is_literal(ctx) and count < max(wanted, inconclusive):
        yield (*ctx.path, "count"), f"count {count} is smaller than the limits {max(wanted, inconclusive)}"


@rule(
    "ANA304",
    "error",
    "intervals and delays are durations that Go can read",
    scope="metric",
    hint="Write a Go duration such as 30s, 5m or 1h; a count above 1 needs an interval.",
    origin=f"A4 {_FACTORY}",
)
def durations_are_readable(ctx: MetricContext) -> Iterator[Flaw]:
    """A4."""
    for name in ("interval", "initialDelay"):
        text = as_text(ctx.body.get(name))
        if text and not is_templated(text) and go_duration(text) is None:
            yield (*ctx.path, name), f"{text!r} is no duration"
    if ctx.limit("count") > 1 and not ctx.body.get("interval"):
        yield (*ctx.path, "count"), "a count above 1 has no interval"


@rule(
    "ANA305",
    "error",
    "a metric has exactly one provider",
    scope="metric",
    hint="Keep one provider.",
    origin=f"A5 {_FACTORY}",
)
def one_provider(ctx: MetricContext) -> Iterator[Flaw]:
    """A5 (two plugins are two providers)."""
    provider = as_map(ctx.body.get("provider"))
    count = sum(provider.get(name) is not None for name in _PROVIDERS) + len(as_map(provider.get("plugin")))
    if count != 1:
        yield (*ctx.path, "provider"), f"there are {count} providers"


def _unmatched(rules: Sequence[object], names: list[str]) -> Iterator[tuple[int, str]]:
    for i, item in enumerate(rules):
        pattern = as_text(as_map(item).get("metricName"))
        if not _PYTHON_LACKS.search(pattern) and not matches(pattern, names):
            yield i, pattern


def matches(pattern: str, names: Iterable[str]) -> bool:
    """Whether an unanchored Go regular expression matches a name; one that does not compile matches none."""
    try:
        return not _GO_LACKS.search(pattern) and any(re.search(pattern, name) for name in names)
    except re.error:
        return False


@rule(
    "ANA306",
    "error",
    "a dry-run or retention rule of the Rollout matches a metric",
    scope="use",
    hint="Use a Go regular expression that matches the metric, such as .* for all.",
    origin="A6 utils/analysis/helpers.go",
)
def rules_match(ctx: UseContext) -> Iterator[Flaw]:
    """A6, for a Rollout and the templates it uses."""
    if ctx.missing:
        return
    specs = [as_map(template.body.get("spec")) for template in ctx.templates]
    names = [as_text(as_map(metric).get("name")) for spec in specs for metric in as_list(spec.get("metrics"))]
    for field in ("dryRun", "measurementRetention"):
        for i, pattern in _unmatched(as_list(ctx.use.body.get(field)), names):
            yield (*ctx.use.path, field, i), f"{pattern!r} matches no metric"
        for _, pattern in _unmatched([item for spec in specs for item in as_list(spec.get(field))], names):
            yield (*ctx.use.path, "templates"), f"the templates' {field} rule {pattern!r} matches no metric"


@rule(
    "ANA316",
    "error",
    "a dry-run or retention rule of an AnalysisRun matches a metric",
    scope="template",
    hint="Use a Go regular expression that matches the metric, such as .* for all.",
    origin="A6 utils/analysis/helpers.go",
)
def rules_of_run_match(ctx: TemplateContext) -> Iterator[Flaw]:
    """A6, for a run written by hand."""
    names = [as_text(metric.get("name")) for _, metric in ctx.metrics]
    for field in ("dryRun", "measurementRetention") if ctx.object.key.kind == "AnalysisRun" else ():
        for i, pattern in _unmatched(as_list(ctx.spec.get(field)), names):
            yield ("spec", field, i), f"{pattern!r} matches no metric"


@rule(
    "ANA307",
    "error",
    "nothing but arguments stands in double braces",
    scope="metric",
    hint="Declare the argument, or write the braces of other template languages differently.",
    origin="A7 utils/template/template.go",
)
def braces_are_arguments(ctx: MetricContext) -> Iterator[Flaw]:
    """A7."""
    for tag in sorted(set(resolve.tags(ctx.body))):
        if tag.removeprefix("args.") not in ctx.declared or not tag.startswith("args."):
            yield ctx.path, f"{{{{{tag}}}}} is no declared argument"


@rule(
    "ANA309",
    "error",
    "the address of Prometheus is a URL",
    scope="metric",
    hint="Write the address with its scheme, such as http://prometheus.monitoring:9090.",
    origin="A9 metricproviders/prometheus/prometheus.go",
)
def address_is_url(ctx: MetricContext) -> Iterator[Flaw]:
    """A9."""
    address = as_text(ctx.settings.get("address"))
    known = ctx.provider == "prometheus" and address and not is_templated(address)
    if known and not re.match(r"https?://[^\s/]", address):
        yield (*ctx.path, "provider", "prometheus", "address"), f"{address!r} is no http URL"


@rule(
    "ANA310",
    "error",
    "the name of a Job metric may stand in the name of a Job",
    scope="metric",
    hint=f"Use lower-case letters, digits and dashes, and no dash where it is cut ({_KEPT} characters).",
    origin=f"A10 {_JOB}",
)
def job_name_fits(ctx: MetricContext) -> Iterator[Flaw]:
    """A10: a Job is named `<uid of the run>.<metric>.<number>`, the metric cut to make it 63 characters."""
    name = as_text(ctx.body.get("name"))
    if ctx.provider != "job":
        return
    if not is_dns_label(name) or any(name[:kept].endswith("-") for kept in (_KEPT, _KEPT + 1)):
        yield (*ctx.path, "name"), f"Kubernetes refuses a Job with the name of the metric {name!r}"


@rule(
    "ANA317",
    "error",
    "Job metrics differ within the part of the name that is kept",
    scope="template",
    hint=f"Let the names differ within the first {_KEPT} characters.",
    origin=f"A10 {_JOB}",
)
def job_names_differ(ctx: TemplateContext) -> Iterator[Flaw]:
    """A10: two metrics with one Job name share the verdict of one Job."""
    seen: dict[str, str] = {}
    for path, metric in ctx.metrics:
        name = as_text(metric.get("name"))
        if as_map(metric.get("provider")).get("job") is None:
            continue
        other = seen.setdefault(name[:_KEPT], name)
        if other != name:
            yield (*path, "name"), f"the Jobs of {other!r} and {name!r} get one name, and one verdict"


def _shape(ctx: TemplateContext) -> dict[str, schema.Shape]:
    return fields.RUN if ctx.object.key.kind == "AnalysisRun" else fields.TEMPLATE


_SPEC: Path = ("spec",)


@rule(
    "ANA311",
    "error",
    "every value of a template has the type that the controller reads",
    scope="template",
    hint="Write the value in the type that the message names.",
    origin="pkg/apis/rollouts/v1alpha1/analysis_types.go",
)
def types_fit(ctx: TemplateContext) -> Iterator[Flaw]:
    """The API server refuses what the CRD cannot hold."""
    for path, wanted in schema.wrong_types(ctx.object.body.get("spec"), _shape(ctx), _SPEC):
        yield path, f"the value must be {wanted}"


@rule(
    "ANA312",
    "error",
    "every field of a template is one that the controller knows",
    scope="template",
    hint="Correct the name of the field or remove it: a dropped condition lets everything pass.",
    origin="pkg/apis/rollouts/v1alpha1/analysis_types.go",
)
def fields_are_known(ctx: TemplateContext) -> Iterator[Flaw]:
    """No official tool looks at templates at all."""
    for path, near in schema.unknown_fields(ctx.object.body.get("spec"), _shape(ctx), _SPEC):
        yield path, f"there is no field {path[-1]!r}" + (f"; did you mean {near!r}?" if near else "")
