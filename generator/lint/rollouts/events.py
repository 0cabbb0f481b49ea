"""Rules about events that a query loses: a counter without its first event has no series at all."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.conditions import MeasurementPhase, TruthTable
from generator.lint.rollouts.model import as_text
from generator.lint.rollouts.registry import Flaw, rule
from generator.lint.rollouts.truthtable import tables
from generator.lint.rollouts.view import MetricContext
from generator.promql.selectors import selectors_of
from generator.promql.tokens import QuerySyntaxError, tokenize
from generator.promql.vanishing import Vanishing, vanishing

_SEEN = "seen on a real cluster: a version without a click reached 50 % before it was aborted"


@rule(
    "ANA413",
    "error",
    "a version without a single event does not pass for lack of data",
    scope="metric",
    hint="Put the events in brackets and add `or vector(0)` to them, not to the whole query.",
    origin=_SEEN,
)
def no_event_does_not_pass(ctx: MetricContext) -> Iterator[Flaw]:
    """The worst version has no outcome at all: the query has no result, and that is Successful."""
    for table, events in _judged(ctx):
        if table.empty == "Successful" and _for_none(table, events) != "Successful":
            yield _where(ctx), f"before its first event {events.metric} has no series, and no result passes"


@rule(
    "ANA414",
    "warning",
    "a version without a single failure passes",
    scope="metric",
    hint="Put the events in brackets and add `or vector(0)` to them, not to the whole query.",
    origin="1.14 analysis/analysis.go",
)
def no_failure_passes(ctx: MetricContext) -> Iterator[Flaw]:
    """The best version has no error at all: the query has no result, and that is not Successful."""
    for table, events in _judged(ctx):
        if table.empty != "Successful" and _for_none(table, events) == "Successful":
            told = f"before its first event {events.metric} has no series, and no result is {table.empty}"
            yield _where(ctx), told


def _judged(ctx: MetricContext) -> Iterator[tuple[TruthTable, Vanishing]]:
    lost = _lost(ctx)
    for _, table in list(tables(ctx))[:1] if lost else ():
        if len(table.phases) > 1 and table.empty is not None:
            for events in lost:
                yield table, events


def _lost(ctx: MetricContext) -> list[Vanishing]:
    if ctx.provider != "prometheus":
        return []
    try:
        tokens = tokenize(as_text(ctx.settings.get("query")))
    except QuerySyntaxError:
        return []
    return vanishing(tokens, list(selectors_of(tokens)))


def _for_none(table: TruthTable, events: Vanishing) -> MeasurementPhase | None:
    """The phase of the value that the query would have without any event; None where it is not known."""
    if events.zero is None:
        return None
    nearest = min(table.finite, key=lambda candidate: abs(candidate - (events.zero or 0.0)))
    return table.finite[nearest]


def _where(ctx: MetricContext) -> tuple[str | int, ...]:
    return (*ctx.path, "provider", "prometheus", "query")
