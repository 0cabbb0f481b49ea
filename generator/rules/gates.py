"""Odds of the offline gates: what a test set of that size can tell (limits: statistics.md sections 4 and 5)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from generator.rules.odds import share_up
from generator.rules.paths import GATES
from generator.rules.registry import Context, Problem, rule
from generator.source.finding import Fix, Severity
from generator.spec.gates import DriftGate, FairnessGate, MetricGate
from generator.stats.fairness import range_quantile
from generator.stats.looks import look_fail_fixed

_POINTS = 0.02
_WARNED, _REFUSED = 0.10, 0.30
_SMALLEST_GROUP = 30
_RATE = 0.5
# 95 % quantiles of the range of k standard normals, k = 2..10; computing one takes 50 ms.
RANGE_95: Final = {
    2: 2.771808, 3: 3.314493, 4: 3.633160, 5: 3.857656, 6: 4.030092, 7: 4.169554, 8: 4.286309, 9: 4.386509,
    10: 4.474124,
}  # fmt: skip
# Largest distance of Kolmogorov and Smirnov that chance alone leaves: 1.3581 sqrt(2/n), 5 % (statistics.md 4.4).
_KS_5 = 1.3581
_MANY_ROWS, _TOO_MANY_ROWS = 5_000, 100_000
_DISTANCE_TOOLS = frozenset({"ks", "alibi-detect"})


@rule(
    "GATE301",
    "warning",
    "the test set is too small for its limit",
    why="A model two points too bad passes by luck: a limit on few rows is a lottery ticket, not a gate.",
    fix="Judge on more rows.",
)
def accuracy(context: Context) -> Iterator[Problem]:
    """Chance that a share two points beyond the limit passes: warned above 10 %, refused above 30 %."""
    for index, gate in enumerate(context.spec.gates):
        if not isinstance(gate, MetricGate) or gate.rows is None or not _is_share(gate.metric):
            continue
        chance = _lucky(gate, gate.rows)
        if chance > _WARNED:
            message = f"on {gate.rows} rows a model 2 points beyond the limit of `{gate.name}` passes with "
            message += f"a chance of {share_up(chance)}"
            needed = _rows(gate)
            hint = f"judge on {needed} rows: {share_up(_lucky(gate, needed))}"
            severity: Severity = "error" if chance > _REFUSED else "warning"
            yield Problem((*GATES, index, "rows"), message, hint, severity=severity)


def _is_share(metric: str) -> bool:
    """Whether a metric is a share of all rows; precision, recall and the like are shares of fewer."""
    name = metric.lower()
    return name.endswith(("accuracy", "error_rate", "hit_rate")) and "balanced" not in name


def _lucky(gate: MetricGate, rows: int) -> float:
    """P(pass) of a model two points on the wrong side of the limit; the larger one of two limits."""
    chances = [0.0]
    if gate.at_least is not None and _POINTS < gate.at_least <= 1:
        chances.append(1 - look_fail_fixed(rows, gate.at_least - _POINTS, gate.at_least, "at_least"))
    if gate.at_most is not None and 0 <= gate.at_most < 1 - _POINTS:
        chances.append(1 - look_fail_fixed(rows, gate.at_most + _POINTS, gate.at_most, "at_most"))
    return max(chances)


def _rows(gate: MetricGate) -> int:
    """Smallest round number of rows that leaves such a model a chance of at most 10 %."""
    return next(n for exponent in range(1, 9) for n in _round_rows(exponent) if _lucky(gate, n) <= _WARNED)


def _round_rows(exponent: int) -> tuple[int, ...]:
    return tuple(digit * 10**exponent for digit in (1, 2, 3, 5))


@rule(
    "GATE302",
    "warning",
    "nobody said how large the test set is",
    why="What a limit is worth depends on the rows behind it.",
    fix="Declare `rows`, the rows of the test set.",
)
def rows_unknown(context: Context) -> Iterator[Problem]:
    """Metric gates without rows: warned, refused in a strict tier."""
    for index, gate in enumerate(context.spec.gates):
        if isinstance(gate, MetricGate) and gate.rows is None:
            severity: Severity = "error" if context.regulated else "warning"
            message = f"`{gate.name}` does not say on how many rows `{gate.metric}` is computed"
            yield Problem(
                (*GATES, index), message, "add `rows: …`, the rows of the test set", severity=severity
            )


@rule(
    "GATE303",
    "warning",
    "two models are compared by their scores alone",
    why="The same rows judged by both tell three to five times as much as two scores (statistics.md 4.2).",
    fix="Let the evaluation write both models' predictions for each row, and say `paired: true`.",
)
def unpaired(context: Context) -> Iterator[Problem]:
    """Comparisons with the champion that are not paired."""
    for index, gate in enumerate(context.spec.gates):
        if isinstance(gate, MetricGate) and gate.against and not gate.paired:
            message = f"`{gate.name}` compares two scores, not two models on the same rows"
            hint = (
                "write both predictions for each row and say `paired: true`: a third of the rows tell as much"
            )
            yield Problem((*GATES, index, "against"), message, hint)


@rule(
    "GATE310",
    "warning",
    "groups that are too small for the limit on fairness",
    why="The difference between small groups is large by chance: a fair model fails, and everyone learns to ignore it.",
    fix="Raise `minGroup`, judge on more rows, or merge groups.",
)
def groups(context: Context) -> Iterator[Problem]:
    """Smallest group judged: warned below what a fair model needs, refused below 30 (statistics.md 4.3)."""
    declared = {**context.platform.attributes, **context.spec.service.attributes}
    for index, gate in enumerate(context.spec.gates):
        if not isinstance(gate, FairnessGate) or not gate.at_most:
            continue
        counts = {name: max(2, len(declared.get(name, ()))) for name in gate.sensitive}
        widest = max(counts, key=counts.__getitem__)
        needed = max(_SMALLEST_GROUP, smallest_group(gate.at_most, counts[widest]))
        if gate.min_group >= needed:
            continue
        message = f"`{gate.name}` judges groups of {gate.min_group} rows: with {counts[widest]} groups of `{widest}` "
        message += f"a fair model needs {needed} in each to stay below {gate.at_most:g}"
        hint = f"write `minGroup: {needed}`: a fair model then fails in 5% of all runs at most"
        severity: Severity = "error" if gate.min_group < _SMALLEST_GROUP else "warning"
        fix = Fix((*GATES, index, "minGroup"), needed)
        yield Problem((*GATES, index, "minGroup"), message, hint, fix=fix, severity=severity)


def smallest_group(limit: float, count: int) -> int:
    """Rows that each of some groups needs so that a fair model seldom (5 %) fails a limit.

    ceil(s (1-s) (q / limit)^2) at a selection rate s of one half, the worst case.
    """
    quantile = RANGE_95.get(count) or range_quantile(0.95, count)
    return math.ceil(_RATE * (1 - _RATE) * (quantile / limit) ** 2 - 1e-9)


@rule(
    "GATE321",
    "warning",
    "the smallest drift that matters is smaller than chance in a large sample",
    why="With enough rows every difference is significant; only a floor of the effect lets such a gate pass.",
    fix="Raise `atMost`; 0.1 is a shift by a quarter of a standard deviation.",
)
def drift_floor(context: Context) -> Iterator[Problem]:
    """A floor below what 5,000 rows leave to chance (warned), or 100,000 (refused): then the p value decides alone."""
    warned, refused = (_KS_5 * math.sqrt(2 / rows) for rows in (_MANY_ROWS, _TOO_MANY_ROWS))
    for index, gate in enumerate(context.spec.gates):
        if not isinstance(gate, DriftGate) or gate.tool not in _DISTANCE_TOOLS or gate.at_most is None:
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
