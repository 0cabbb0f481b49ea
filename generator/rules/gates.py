"""Odds of the offline gates: what a test set of that size can tell (limits: statistics.md sections 4 and 5)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar

from generator.lint.engine import Problem, rule
from generator.odds.gate_odds import share_odds
from generator.odds.odds import share_down
from generator.rules.context import GATES, Context
from generator.source.finding import Fix, Severity
from generator.spec.gates import DriftGate, FairnessGate, MetricGate, is_share
from generator.spec.units import percent
from generator.stats.drift import psi_rows
from generator.stats.fairness import minimum_group

G = TypeVar("G")

_POWER = 0.8
_SMALLEST_GROUP = 30
# Largest distance of Kolmogorov and Smirnov that chance alone leaves: 1.3581 sqrt(2/n), 5 % (statistics.md 4.4).
_KS_5 = 1.3581
_MANY_ROWS, _TOO_MANY_ROWS = 5_000, 100_000
_PSI_LIMIT, _PSI_BINS = 0.2, 10
_DISTANCE_TOOLS = frozenset({"ks", "alibi-detect"})


def _of(kind: type[G], context: Context) -> Iterator[tuple[int, G]]:
    """The gates of one kind, with their places in the spec."""
    return ((index, gate) for index, gate in enumerate(context.spec.gates) if isinstance(gate, kind))


@rule(
    "GATE301",
    "warning",
    "the test set is too small for its limit",
    scope=Context,
    why="A share passes when its whole interval does: on few rows a good model stays undecided, and that blocks it.",
    remedy="Judge on more rows.",
)
def accuracy(context: Context) -> Iterator[Problem]:
    """Shares of so few rows that a model two points better than the limit passes in less than four of five runs."""
    for index, gate in _of(MetricGate, context):
        if gate.rows is None or not is_share(gate.metric):
            continue
        passing = _passing(context, gate, gate.rows)
        if passing is None or passing >= _POWER:
            continue
        message = f"on {gate.rows} rows a model 2 points better than the limit of `{gate.name}` passes with a chance "
        message += f"of {share_down(passing)}"
        needed = _rows(context, gate)
        hint = f"judge on {needed} rows: {share_down(_passing(context, gate, needed) or 0.0)}"
        yield Problem((*GATES, index, "rows"), message, hint)


def _passing(context: Context, gate: MetricGate, rows: int) -> float | None:
    """Chance that a model two points better than the limit passes; None where no limit is a share."""
    config = {"atLeast": gate.at_least, "atMost": gate.at_most}
    found = share_odds(config, rows, guaranteed=context.regulated)
    return found[1].passes if found else None


def _rows(context: Context, gate: MetricGate) -> int:
    """Smallest round number of rows that gives such a model its four of five chances."""
    tried = (digit * int(10**exponent) for exponent in range(1, 9) for digit in (1, 2, 3, 5))
    return next(rows for rows in tried if (_passing(context, gate, rows) or 0.0) >= _POWER)


@rule(
    "GATE302",
    "warning",
    "nobody said how large the test set is",
    scope=Context,
    why="What a limit is worth depends on the rows behind it.",
    remedy="Declare `rows`: the rows of the test set, or of the smaller window.",
)
def rows_unknown(context: Context) -> Iterator[Problem]:
    """Metric gates and stability indices without rows: warned, refused in a strict tier."""
    computed = {i: f"`{gate.metric}`" for i, gate in _of(MetricGate, context) if gate.rows is None}
    indices = [i for i, gate in _of(DriftGate, context) if gate.tool == "psi" and gate.rows is None]
    severity: Severity = "error" if context.regulated else "warning"
    for index, what in sorted((computed | dict.fromkeys(indices, "its index")).items()):
        message = f"`{context.spec.gates[index].name}` does not say on how many rows {what} is computed"
        yield Problem((*GATES, index), message, "add `rows: …`", severity=severity)


@rule(
    "GATE303",
    "warning",
    "two models are compared by their scores alone",
    scope=Context,
    why="The same rows judged by both tell three to five times as much as two scores (statistics.md 4.2).",
    remedy="Let the evaluation write both models' predictions for each row, and say `paired: true`.",
)
def unpaired(context: Context) -> Iterator[Problem]:
    """Comparisons with the champion that are not paired."""
    for index, gate in _of(MetricGate, context):
        if gate.against and not gate.paired:
            message = f"`{gate.name}` compares two scores, not two models on the same rows"
            hint = (
                "write both predictions for each row and say `paired: true`: a third of the rows tell as much"
            )
            yield Problem((*GATES, index, "against"), message, hint)


@rule(
    "GATE310",
    "warning",
    "groups that are too small for the limit on fairness",
    scope=Context,
    why="The difference between small groups is large by chance: a fair model fails, and everyone learns to ignore it.",
    remedy="Raise `minGroup`, judge on more rows, or merge groups.",
)
def groups(context: Context) -> Iterator[Problem]:
    """Smallest group judged: warned below what a fair model needs, refused below 30 (statistics.md 4.3)."""
    declared = {**context.platform.attributes, **context.spec.service.attributes}
    for index, gate in _of(FairnessGate, context):
        if not gate.at_most:
            continue
        counts = {name: max(2, len(declared.get(name, ()))) for name in gate.sensitive}
        widest = max(counts, key=counts.__getitem__)
        needed = max(_SMALLEST_GROUP, minimum_group(gate.at_most, counts[widest]))
        if gate.min_group >= needed:
            continue
        message = f"`{gate.name}` judges groups of {gate.min_group} rows: with {counts[widest]} groups of `{widest}` "
        message += f"a fair model needs {needed} in each to stay below {gate.at_most:g}"
        hint = f"write `minGroup: {needed}`: a fair model then fails in 5% of all runs at most"
        severity: Severity = "error" if gate.min_group < _SMALLEST_GROUP else "warning"
        fix = Fix((*GATES, index, "minGroup"), needed)
        yield Problem((*GATES, index, "minGroup"), message, hint, fix=fix, severity=severity)


@rule(
    "GATE321",
    "warning",
    "the smallest drift that matters is smaller than chance in a large sample",
    scope=Context,
    why="With enough rows every difference is significant; only a floor of the effect lets such a gate pass.",
    remedy="Raise `atMost`; 0.1 is a shift by a quarter of a standard deviation.",
)
def drift_floor(context: Context) -> Iterator[Problem]:
    """A floor below what 5,000 rows leave to chance (warned), or 100,000 (refused): then the p value decides alone."""
    warned, refused = (_KS_5 * math.sqrt(2 / rows) for rows in (_MANY_ROWS, _TOO_MANY_ROWS))
    for index, gate in _of(DriftGate, context):
        if gate.tool not in _DISTANCE_TOOLS or gate.at_most is None:
            continue
        if gate.at_most < warned:
            message = f"the distance {gate.at_most:g} of `{gate.name}` is what chance leaves between two samples of "
            message += (
                f"{math.floor(2 * (_KS_5 / gate.at_most) ** 2)} rows: above that only the p value decides"
            )
            severity: Severity = "error" if gate.at_most < refused else "warning"
            path = (*GATES, index, "atMost")
            hint = "write 0.1, a shift by a quarter of a standard deviation"
            yield Problem(path, message, hint, fix=Fix(path, 0.1), severity=severity)


@rule(
    "GATE322",
    "warning",
    "too few rows for the limit of a stability index",
    scope=Context,
    why="The index of two small samples is large by chance: without any drift the gate stops the release.",
    remedy="Compare more rows, or raise `atMost`.",
)
def stability_rows(context: Context) -> Iterator[Problem]:
    """Rows below which an index exceeds its limit by chance in 5 % of all runs: warned; below half of it: refused."""
    for index, gate in _of(DriftGate, context):
        if gate.tool != "psi" or gate.rows is None:
            continue
        limit = gate.at_most or _PSI_LIMIT
        needed = math.ceil(psi_rows(_PSI_BINS, limit, gate.alpha / len(gate.drift.features)))
        if gate.rows < needed:
            message = f"on {gate.rows} rows a window the index of `{gate.name}` exceeds {limit:g} by chance"
            hint = f"compare {needed} rows: without drift it then fails in {percent(gate.alpha)} of all runs at most"
            severity: Severity = "error" if 2 * gate.rows < needed else "warning"
            yield Problem((*GATES, index, "rows"), message, hint, severity=severity)
