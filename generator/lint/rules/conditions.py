"""Rules on conditions: a metric must be able to fail, and missing data must not pass by accident."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.conditions import MeasurementPhase, TruthTable
from generator.lint.controller import ControllerVersion
from generator.lint.engine import Problem, rule
from generator.lint.objects import as_text, has
from generator.lint.rollout import CANARY
from generator.lint.rules.metric import MetricContext, required_elsewhere
from generator.lint.rules.missing_data import data_first, data_required
from generator.promql.absent_events import AbsentEvents
from generator.source.document import Path

_EVALUATE: Final = "Argo Rollouts 1.10, utils/evaluate/evaluate.go"
_ASSESS: Final = "Argo Rollouts 1.10, analysis/analysis.go, assessMetricStatus"
_STEPS: Final[Path] = (*CANARY, "steps")
_DECIDE_WITHOUT: Final = frozenset({"job", "kayenta", "plugin", ""})
_LENIENT: Final = re.compile(r"len\(\s*result\s*\)\s*(?:==\s*0|<\s*1|<=\s*0)|isNil\(")
_ADDITION: Final = "Put the events in brackets and add `or vector(0)` to them, not to the whole query."


def _only_some(versions: list[ControllerVersion], ctx: MetricContext) -> str:
    """Name the controller versions if not all of them are meant."""
    return "" if len(versions) == len(ctx.versions) else f" (controller {' and '.join(versions)})"


@rule(
    "ANA308",
    "error",
    "a condition does not compile, or does not fit the result",
    scope=MetricContext,
    why="Every measurement is an Error, and the fifth Error in a row aborts the release.",
    remedy="Write a condition over `result` that every controller version can evaluate, such as "
    "`len(result) == 1 && !isNaN(result[0]) && !isInf(result[0]) && result[0] >= 0.95`.",
    example="successCondition: result[0] = 0.95",
    instead="successCondition: len(result) == 1 && result[0] == 0.95",
    source=_EVALUATE,
)
def invalid_condition(ctx: MetricContext) -> Iterator[Problem]:
    """Check that the conditions compile, and that they fit the results of the provider."""
    unreadable: dict[tuple[str, str], list[ControllerVersion]] = {}
    for field, version, reason in ctx.unreadable():
        unreadable.setdefault((field, reason), []).append(version)
    for (field, reason), versions in unreadable.items():
        text = as_text(ctx.body.get(field))
        cut = text.count("(") > text.count(")") and text.endswith(",")
        hint = "Put the condition in quotes: in YAML ` #` begins a comment." if cut else ""
        message = f"the condition cannot be read{_only_some(versions, ctx)}: {reason}"
        yield Problem((*ctx.path, field), message, hint)
    failing = [version for version, table in ctx.tables.items() if table.phases == {"Error"}]
    if failing and not unreadable:
        message = (
            f"every result is an Error{_only_some(failing, ctx)}: the condition does not fit the results"
        )
        yield Problem(ctx.condition_path, message)


@rule(
    "ANA401",
    "error",
    "a metric can never fail",
    scope=MetricContext,
    why="A metric fails when more measurements than `failureLimit` have failed. `count: 3, failureLimit: 3` "
    "is accepted, and no version is ever stopped.",
    remedy="Keep `failureLimit` below `count`.",
    example="{count: 3, failureLimit: 3}",
    instead="{count: 3, failureLimit: 2}",
    source=_ASSESS,
)
def cannot_fail(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a metric can have more failures than its `failureLimit`, if no argument hides the numbers."""
    count, limit = ctx.effective_count, ctx.limit("failureLimit")
    if not ctx.is_literal("count", "failureLimit"):
        return
    if count is not None and limit >= count:
        message = f"{count} measurement{'s' * (count > 1)} cannot have more than {limit} failures"
        yield Problem((*ctx.path, "failureLimit"), message)
    if count is None and limit < 0:
        message = "without a count and without a failure limit the metric never fails"
        yield Problem((*ctx.path, "failureLimit"), message)


@rule(
    "ANA402",
    "error",
    "a metric has no condition",
    scope=MetricContext,
    why="Without conditions every measurement is Successful, although the documentation says Inconclusive.",
    remedy="Add a `successCondition`.",
    example="successCondition:",
    instead="successCondition: len(result) == 1 && result[0] > 0.1 && result[0] < 1",
    source=_EVALUATE,
)
def no_condition(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a metric has a condition, unless its provider decides without one."""
    if ctx.provider not in _DECIDE_WITHOUT and not (ctx.success or ctx.failure):
        yield Problem(ctx.path, "the metric has no condition, so every measurement is Successful")


@rule(
    "ANA403",
    "error",
    "every number passes",
    scope=MetricContext,
    why="The metric stops no version, however bad it is.",
    remedy="Correct the threshold, or the direction of the comparison.",
    example="successCondition: len(result) == 1",
    instead="successCondition: len(result) == 1 && result[0] > 0.1 && result[0] < 1",
    source=_EVALUATE,
)
def always_passes(ctx: MetricContext) -> Iterator[Problem]:
    """Check that some number is not Successful."""
    always = [version for version, table in ctx.tables.items() if table.phases == {"Successful"}]
    if always and not ctx.is_filtered:
        yield Problem(ctx.condition_path, f"every number is Successful{_only_some(always, ctx)}")


@rule(
    "ANA404",
    "warning",
    "no number passes",
    scope=MetricContext,
    why="The metric stops every release.",
    remedy="Correct the threshold, or the direction of the comparison.",
    example="successCondition: len(result) == 1 && result[0] > 1 && result[0] < 0.5",
    instead="successCondition: len(result) == 1 && result[0] > 0.5 && result[0] < 1",
    source=_EVALUATE,
)
def never_passes(ctx: MetricContext) -> Iterator[Problem]:
    """Check that some number is Successful."""
    phases = [table.phases for table in ctx.tables.values()]
    if (
        phases
        and not ctx.is_filtered
        and all("Successful" not in found and found != {"Error"} for found in phases)
    ):
        yield Problem(ctx.condition_path, "no number is Successful")


@rule(
    "ANA405",
    "error",
    "NaN passes",
    scope=MetricContext,
    why="0/0 is NaN, every comparison with NaN is false, and a failureCondition that is false is a success: without "
    "traffic the metric passes.",
    remedy="Require `!isNaN(result[0])` in the successCondition, and never use a failureCondition alone.",
    example='{successCondition: , failureCondition: "len(result) != 1 || result[0] > 0.05"}',
    instead="successCondition: len(result) == 1 && result[0] <= 0.05",
    source=_EVALUATE,
)
def nan_passes(ctx: MetricContext) -> Iterator[Problem]:
    """Check that NaN is not Successful."""
    passing = [
        version
        for version, table in ctx.tables.items()
        if table.nan == "Successful" and table.phases != {"Successful"}
    ]
    if passing:
        yield Problem(ctx.condition_path, f"NaN is Successful{_only_some(passing, ctx)}")


@rule(
    "ANA406",
    "error",
    "an empty result passes by accident",
    scope=MetricContext,
    why="`all()` and `none()` of an empty list are true, `sum()` and `mean()` of it are 0: a query without "
    "data passes.",
    remedy="Require `len(result) == 1`.",
    example='successCondition: "all(result, # < 0.05)"',
    instead='successCondition: "len(result) == 1 && all(result, # < 0.05)"',
    source=_EVALUATE,
)
def empty_passes(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a result without series is not Successful, unless the condition mentions it."""
    if _empty_passes(ctx) and not _is_lenient(ctx):
        yield Problem(ctx.condition_path, "a result without data is Successful", data_required(ctx))


def _empty_passes(ctx: MetricContext) -> bool:
    table = ctx.table
    return table is not None and table.empty == "Successful" and table.phases != {"Successful"}


def _is_lenient(ctx: MetricContext) -> bool:
    """Return whether the conditions mention an empty result."""
    return _LENIENT.search(f"{ctx.success} {ctx.failure}") is not None


@rule(
    "ANA407",
    "warning",
    "a division by zero passes",
    scope=MetricContext,
    why="A ratio whose denominator is zero is +Inf, and +Inf passes every `>=`.",
    remedy="Require `!isInf(result[0])`.",
    example="""\
successCondition: len(result) == 1 && result[0] > 0.95
provider: {prometheus: {address: "http://prometheus:9090", query: "sum(good) / sum(other)"}}
""",
    instead="""\
successCondition: len(result) == 1 && !isInf(result[0]) && result[0] > 0.95
provider: {prometheus: {address: "http://prometheus:9090", query: "sum(good) / sum(other)"}}
""",
    source=_EVALUATE,
)
def infinity_passes(ctx: MetricContext) -> Iterator[Problem]:
    """Check that +Inf is not Successful when the query divides."""
    table, divides = ctx.table, ctx.provider == "prometheus" and ctx.may_be_infinite
    if table and divides and table.infinite == "Successful" and table.phases != {"Successful"}:
        message = "+Inf, the result of a ratio whose denominator is zero, is Successful"
        yield Problem(ctx.condition_path, message)


@rule(
    "ANA408",
    "warning",
    "an empty result is an Error",
    scope=MetricContext,
    why="With little traffic the result is empty, `result[0]` is an Error, and the fifth Error in a row aborts the "
    "release of a good version.",
    remedy="Start the condition with `len(result) == 1`.",
    example="successCondition: result[0] < 0.05",
    instead="successCondition: len(result) == 1 && result[0] < 0.05",
    source="Argo Rollouts 1.10, analysis/analysis.go",
)
def empty_is_error(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a result without series is not an Error."""
    table = ctx.table
    if table and table.empty == "Error" and table.phases != {"Error"} and ctx.fallback is None:
        limit = ctx.limit("consecutiveErrorLimit") + 1 if has(ctx.body, "consecutiveErrorLimit") else 5
        which = {1: "the first Error", 5: "the fifth Error in a row"}.get(limit, f"{limit} Errors in a row")
        aborts = f"{which} abort{'s' * (limit in (1, 5))} the release"
        message = f"a result without data is an Error, and {aborts}"
        yield Problem(ctx.condition_path, message, data_first(ctx))


@rule(
    "ANA409",
    "warning",
    "only one of several series is checked",
    scope=MetricContext,
    why="`result[0]` is whichever series comes first: a bad series next to a good one passes.",
    remedy="Aggregate the query to one series, and require `len(result) == 1`.",
    example="""\
successCondition: len(result) > 0 && result[0] < 0.05
provider: {prometheus: {address: "http://prometheus:9090", query: "sum by (pod) (errors)"}}
""",
    instead="""\
successCondition: len(result) == 1 && result[0] < 0.05
provider: {prometheus: {address: "http://prometheus:9090", query: "sum(errors)"}}
""",
    source=_EVALUATE,
)
def one_series_of_several(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a bad series next to a good one is not Successful when the query can give several series."""
    if ctx.table and "Successful" in ctx.table.mixed and ctx.may_be_several:
        message = "with several series, a bad series next to a good one is Successful"
        yield Problem(ctx.condition_path, message)


@rule(
    "ANA410",
    "warning",
    "a condition explicitly treats missing data as success",
    scope=MetricContext,
    why="A version that breaks its own metrics passes, and nothing checks for data before the next weight.",
    remedy="Let missing data fail or pause, or add a step before each weight that requires enough of what is "
    "counted.",
    example="successCondition: len(result) == 0 || result[0] < 5",
    instead="successCondition: len(result) == 1 && result[0] < 5",
    source=_EVALUATE,
)
def missing_data_passes(ctx: MetricContext) -> Iterator[Problem]:
    """Check that no condition passes a result without series on purpose, unless the data is required elsewhere."""
    if _empty_passes(ctx) and _is_lenient(ctx) and not required_elsewhere(ctx):
        yield Problem(ctx.condition_path, "the condition makes a result without data Successful")


@rule(
    "ANA411",
    "warning",
    "the value that replaces missing data passes",
    scope=MetricContext,
    why="`… or vector(1)` turns a broken scrape into the best result.",
    remedy="Remove `or vector(…)` from the end of the query, and decide on missing data in the condition.",
    example="""\
successCondition: len(result) == 1 && result[0] < 0.05
provider: {prometheus: {address: "http://prometheus:9090", query: "sum(errors) or vector(0)"}}
""",
    instead="""\
successCondition: len(result) == 1 && result[0] < 0.05
provider: {prometheus: {address: "http://prometheus:9090", query: "sum(errors)"}}
""",
    source="Argo Rollouts 1.10, metricproviders/prometheus/prometheus.go",
)
def fallback_passes(ctx: MetricContext) -> Iterator[Problem]:
    """Check that the value of `or vector(…)` at the end of a query is not Successful."""
    value, table = ctx.fallback, ctx.table
    if value is None or table is None or table.phases == {"Successful"}:
        return
    if table.nearest(value) == "Successful":
        path = (*ctx.path, "provider", "prometheus", "query")
        yield Problem(path, f"missing data becomes {value:g}, which is Successful")


@rule(
    "ANA412",
    "info",
    "the conditions of a metric were not evaluated",
    scope=MetricContext,
    why="Whether the metric can pass and fail could not be checked.",
    remedy="Use `sluice replay` or a dry run to see what the metric decides.",
    example="successCondition: let x = result[0]; x > 5",
    source=_EVALUATE,
)
def not_evaluated(ctx: MetricContext) -> Iterator[Problem]:
    """Check for conditions that Sluice cannot evaluate."""
    if ctx.not_evaluated:
        yield Problem(ctx.condition_path, f"not checked: {ctx.not_evaluated}")


@rule(
    "ANA413",
    "error",
    "a version without a single event passes for lack of data",
    scope=MetricContext,
    why="The worst version has no outcome at all: the counter has no series, the query result is empty, "
    "and an empty result passes. In a test on a real cluster such a version reached 50% before it was aborted.",
    remedy=_ADDITION,
    example="""\
successCondition: len(result) == 0 || !isInf(result[0]) && result[0] > 0.2
provider: {prometheus: {address: "http://prometheus:9090", query: "sum(rate(clicks[5m])) / sum(rate(requests[5m]))"}}
""",
    source="Prometheus: a counter has no series before its first increment; our own test on a real cluster",
)
def no_event_passes(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a query does not vanish without events, and then passes, when zero events would not pass."""
    for table, events in _absent_events(ctx):
        if table.empty == "Successful" and _phase_of_none(table, events) != "Successful":
            message = f"before its first event {events.metric} has no series, and an empty result passes"
            yield Problem((*ctx.path, "provider", "prometheus", "query"), message)


@rule(
    "ANA414",
    "warning",
    "a version without a single failure does not pass",
    scope=MetricContext,
    why="The best version has no error at all: the counter has no series, the query result is empty, and "
    "an empty result is not Successful.",
    remedy=_ADDITION,
    example="""\
successCondition: len(result) == 1 && result[0] < 0.05
provider: {prometheus: {address: "http://prometheus:9090", query: "sum(rate(errors[5m])) / sum(rate(requests[5m]))"}}
""",
    source="Prometheus: a counter has no series before its first increment; Argo Rollouts 1.10, analysis/analysis.go",
)
def no_failure_blocks(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a query does not vanish without events, and then does not pass, when zero events would pass."""
    for table, events in _absent_events(ctx):
        if table.empty != "Successful" and _phase_of_none(table, events) == "Successful":
            message = (
                f"before its first event {events.metric} has no series, and an empty result is {table.empty}"
            )
            yield Problem((*ctx.path, "provider", "prometheus", "query"), message)


def _absent_events(ctx: MetricContext) -> Iterator[tuple[TruthTable, AbsentEvents]]:
    """Yield the counters without which the query has no result, where the conditions tell numbers apart."""
    table = ctx.table
    if table and not table.is_constant and table.empty is not None:
        for events in ctx.absent_events:
            yield table, events


def _phase_of_none(table: TruthTable, events: AbsentEvents) -> MeasurementPhase | None:
    """Return the phase of the value that the query would have without any event, None when it is not known."""
    return None if events.zero is None else table.nearest(events.zero)
