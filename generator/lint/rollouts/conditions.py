"""Rules about verdicts: a gate must be able to fail, and missing data must not pass by accident."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.lint.controller import ControllerVersion
from generator.lint.go_values import is_templated
from generator.lint.rollouts.model import as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.samples import asked_elsewhere
from generator.lint.rollouts.truthtable import (
    broken,
    conditions,
    fallback,
    may_be_several,
    tables,
    unjudged,
)
from generator.lint.rollouts.view import MetricContext

_EVALUATE = "utils/evaluate/evaluate.go"
_JUDGES_ITSELF = frozenset({"job", "kayenta", "plugin", ""})
_WRITTEN_DOWN = re.compile(r"len\(\s*result\s*\)\s*(?:==\s*0|<\s*1|<=\s*0)|isNil\(")
_CANONICAL = "len(result) == 1 && !isNaN(result[0]) && !isInf(result[0]) && result[0] >= 0.95"


def _where(ctx: MetricContext) -> tuple[str | int, ...]:
    success, _ = conditions(ctx)
    return (*ctx.path, "successCondition" if success else "failureCondition")


def _in(versions: list[ControllerVersion], ctx: MetricContext) -> str:
    return "" if len(versions) == len(ctx.versions) else f" (controller {' and '.join(versions)})"


@rule(
    "ANA308",
    "error",
    "conditions compile and are true or false",
    scope="metric",
    hint=f"Write a condition over result that every controller version reads, such as {_CANONICAL}.",
    origin=f"A8 {_EVALUATE}",
)
def conditions_compile(ctx: MetricContext) -> Iterator[Flaw]:
    """A8."""
    unreadable = list(broken(ctx))
    for field, version, reason in unreadable:
        yield (*ctx.path, field), f"controller {version} cannot read it: {reason}"
    failing = [version for version, table in tables(ctx) if table.phases == {"Error"}]
    if failing and not unreadable:
        yield (
            _where(ctx),
            f"every result is an Error{_in(failing, ctx)}: it does not fit what the provider gives",
        )


@rule(
    "ANA401",
    "error",
    "failures can reach the limit that makes a metric fail",
    scope="metric",
    hint="Keep failureLimit below count: a metric fails when more measurements than the limit have failed.",
    origin="A3 analysis/analysis.go assessMetricStatus",
)
def failures_can_decide(ctx: MetricContext) -> Iterator[Flaw]:
    """The gate that is decoration: `count: 3, failureLimit: 3` is accepted and never fails."""
    count, limit = ctx.effective_count, ctx.limit("failureLimit")
    if any(is_templated(ctx.body.get(name)) for name in ("count", "failureLimit")):
        return
    if count is not None and limit >= count:
        yield (*ctx.path, "failureLimit"), f"{count} measurements cannot have more than {limit} failures"
    if count is None and limit < 0:
        yield (*ctx.path, "failureLimit"), "without a count and without a failure limit it never fails"


@rule(
    "ANA402",
    "error",
    "a metric that measures also judges",
    scope="metric",
    hint="Add a successCondition: without conditions every measurement is Successful.",
    origin=_EVALUATE,
)
def there_is_a_condition(ctx: MetricContext) -> Iterator[Flaw]:
    """The documentation says Inconclusive, the code Successful."""
    if ctx.provider not in _JUDGES_ITSELF and not any(conditions(ctx)):
        yield ctx.path, "there is no condition, so every measurement is Successful"


@rule(
    "ANA403",
    "error",
    "some value fails",
    scope="metric",
    hint="Correct the threshold or the direction of the comparison.",
    origin=_EVALUATE,
)
def some_value_fails(ctx: MetricContext) -> Iterator[Flaw]:
    """A condition that holds for every number."""
    always = [version for version, table in tables(ctx) if table.phases == {"Successful"}]
    if always:
        yield _where(ctx), f"every number is Successful{_in(always, ctx)}"


@rule(
    "ANA404",
    "warning",
    "some value passes",
    scope="metric",
    hint="Correct the threshold or the direction of the comparison.",
    origin=_EVALUATE,
)
def some_value_passes(ctx: MetricContext) -> Iterator[Flaw]:
    """A condition that holds for no number stops every release."""
    phases = [table.phases for _, table in tables(ctx)]
    if phases and all("Successful" not in p and p != {"Error"} for p in phases):
        yield _where(ctx), "no number is Successful"


@rule(
    "ANA405",
    "error",
    "NaN does not pass",
    scope="metric",
    hint="Demand !isNaN(result[0]) in the successCondition, and never use a failureCondition alone.",
    origin=f"1.9 {_EVALUATE}",
)
def nan_does_not_pass(ctx: MetricContext) -> Iterator[Flaw]:
    """0/0 is NaN, every comparison with NaN is false, and a failureCondition that is false is a success."""
    passing = [v for v, table in tables(ctx) if table.nan == "Successful" and table.phases != {"Successful"}]
    if passing:
        yield _where(ctx), f"NaN is Successful{_in(passing, ctx)}"


@rule(
    "ANA406",
    "error",
    "an empty result does not pass by accident",
    scope="metric",
    hint="Demand len(result) == 1: all(), none(), sum() and mean() of nothing are true or 0.",
    origin=f"1.9 {_EVALUATE}",
)
def empty_does_not_pass(ctx: MetricContext) -> Iterator[Flaw]:
    """The vacuous truth."""
    for _, table in list(tables(ctx))[:1]:
        vacuous = table.empty == "Successful" and table.phases != {"Successful"}
        if vacuous and not _WRITTEN_DOWN.search(" ".join(conditions(ctx))):
            yield _where(ctx), "no data at all is Successful"


@rule(
    "ANA407",
    "warning",
    "a division by zero does not pass",
    scope="metric",
    hint="Demand !isInf(result[0]).",
    origin=f"1.9 {_EVALUATE}",
)
def infinity_does_not_pass(ctx: MetricContext) -> Iterator[Flaw]:
    """A ratio whose denominator is zero is +Inf and passes every `>=`."""
    divides = "/" in re.sub(r'"[^"]*"|//.*', "", as_text(ctx.settings.get("query")))
    for _, table in list(tables(ctx))[:1]:
        if divides and table.infinite == "Successful" and table.phases != {"Successful"}:
            yield _where(ctx), "+Inf, which is what a ratio gives when its denominator is zero, is Successful"


@rule(
    "ANA408",
    "warning",
    "an empty result is decided on, not an error",
    scope="metric",
    hint="Start the condition with len(result) == 1: the fifth error in a row aborts the release.",
    origin="1.14 analysis/analysis.go",
)
def empty_is_decided(ctx: MetricContext) -> Iterator[Flaw]:
    """The most common report: low traffic, empty vector, abort."""
    for _, table in list(tables(ctx))[:1]:
        if table.empty == "Error" and table.phases != {"Error"} and fallback(ctx) is None:
            yield _where(ctx), "no data is an Error, and the fifth error in a row aborts"


@rule(
    "ANA409",
    "warning",
    "all series of a result count",
    scope="metric",
    hint="Aggregate the query to one series and demand len(result) == 1.",
    origin=f"1.9 {_EVALUATE}",
)
def all_series_count(ctx: MetricContext) -> Iterator[Flaw]:
    """`result[0]` looks at whichever series comes first."""
    for _, table in list(tables(ctx))[:1]:
        if "Successful" in table.mixed and may_be_several(ctx):
            yield _where(ctx), "with several series a bad one beside a good one is Successful"


@rule(
    "ANA410",
    "warning",
    "missing data is not taken for success on purpose",
    scope="metric",
    hint="Let missing data fail or pause, or let a step before each widening ask for enough of what is counted.",
    origin=f"1.9 {_EVALUATE}",
)
def lenient_on_purpose(ctx: MetricContext) -> Iterator[Flaw]:
    """Someone wrote down that no data is good data, and nothing asks for it before the next weight."""
    for _, table in list(tables(ctx))[:1]:
        written = table.empty == "Successful" and _WRITTEN_DOWN.search(" ".join(conditions(ctx)))
        if written and not asked_elsewhere(ctx):
            yield _where(ctx), "the condition says that no data is Successful"


@rule(
    "ANA411",
    "warning",
    "the value put in the place of missing data does not pass",
    scope="metric",
    hint="Remove `or vector(…)` from the end of the query and decide on missing data in the condition.",
    origin="1.9 metricproviders/prometheus/prometheus.go",
)
def fallback_does_not_pass(ctx: MetricContext) -> Iterator[Flaw]:
    """`… or vector(1)` turns a broken scrape into the best of results."""
    value = fallback(ctx)
    for _, table in list(tables(ctx))[:1] if value is not None else ():
        nearest = min(table.finite, key=lambda candidate: abs(candidate - (value or 0.0)))
        if table.finite[nearest] == "Successful" and table.phases != {"Successful"}:
            path = (*ctx.path, "provider", "prometheus", "query")
            yield path, f"missing data becomes {value:g}, which is Successful"


@rule(
    "ANA412",
    "info",
    "the conditions can be judged",
    scope="metric",
    hint="Use sluice replay or a dry run to see what the metric decides.",
    origin=_EVALUATE,
)
def could_not_judge(ctx: MetricContext) -> Iterator[Flaw]:
    """What was not checked."""
    if why := unjudged(ctx):
        yield _where(ctx), f"could not judge: {why}"
