"""The phases that the conditions of a metric give, as intervals of the value."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Final

from generator.dataclass import dataclass
from generator.lint import MeasurementPhase, TreeMetric, measure_result
from generator.promql.expressions import Expression, Filter, filter_of, is_scalar, parse
from generator.promql.tokens import QuerySyntaxError

LISTS: Final = frozenset({"prometheus", "graphite", "influxdb"})
NUMBERS: Final = frozenset({"datadog", "wavefront", "web"})
"""Providers of Argo Rollouts whose result is a list of numbers, or one number."""
_LITERAL: Final = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+")
_HALVINGS: Final = 50
_LARGEST: Final = 1e9
_NOTHING: Final = 1e-12


class UnreadConditionError(Exception):
    """A condition uses a part of the language that is not evaluated here."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The phases of one metric.

    Args:
        edges: values at which the phase changes, in order.
        at: the phase at each edge.
        between: the phase below the first edge, between two, and above the last.
        nan: the phase of NaN.
        empty: the phase of a result without series; that of its fallback where the query has one.
    """

    edges: tuple[float, ...]
    at: tuple[MeasurementPhase, ...]
    between: tuple[MeasurementPhase, ...]
    nan: MeasurementPhase
    empty: MeasurementPhase

    def phase(self, value: float) -> MeasurementPhase:
        """Return the phase of a value."""
        if value != value:  # NaN
            return self.nan
        index = bisect_left(self.edges, value)
        if index < len(self.edges) and self.edges[index] == value:
            return self.at[index]
        return self.between[index]

    @property
    def phases(self) -> set[MeasurementPhase]:
        """Every phase that a finite value can get."""
        return {*self.between, *self.at}


def verdicts_of(metric: TreeMetric, fallback: float | None) -> Verdicts:
    """Return the phases of a metric.

    Args:
        metric: the metric.
        fallback: the value of its query when there is no data; None where the result is empty then.

    Raises:
        UnreadConditionError: a condition uses a part of the language that is not evaluated here.
    """
    is_number = metric.provider in NUMBERS and metric.template.kind != "Canary"
    query = _parsed(metric.query) if metric.provider == "prometheus" else None
    if query is not None and is_scalar(query):
        is_number, fallback = True, math.nan if fallback is None else fallback
    shown = filter_of(query) if query is not None else None
    return _verdicts(metric.success, metric.failure, is_number, fallback, shown)


def _parsed(query: str) -> Expression | None:
    try:
        return parse(query)
    except QuerySyntaxError:
        return None


@lru_cache(maxsize=4096)
def _verdicts(
    success: str,
    failure: str,
    scalar: bool,  # noqa: FBT001
    fallback: float | None,
    shown: Filter | None,
) -> Verdicts:
    def phase(value: float) -> MeasurementPhase:
        if shown is None:
            return judged(value)
        if shown.truth:
            return judged(float(shown.keeps(value)))
        return judged(value) if shown.keeps(value) else nothing()

    def nothing() -> MeasurementPhase:
        return judged() if fallback is None else judged(fallback)

    def judged(*values: float) -> MeasurementPhase:
        found = measure_result(success, failure, values, scalar=scalar)
        if found is None:
            raise UnreadConditionError
        return found

    literals = {float(number) for number in _LITERAL.findall(f"{success} {failure}")} | {0.0, 1.0}
    literals |= {shown.limit} if shown else set()
    tried = _tried(literals)
    phases = [phase(value) for value in tried]
    edges: list[float] = []
    for low, high, below, above in zip(tried, tried[1:], phases, phases[1:], strict=False):
        if below == above:
            continue
        written = next((value for value in (low, high) if value in literals), None)
        edges.append(_edge(phase, low, high, below) if written is None else written)
    edges = sorted(set(edges))
    inner = [(one + two) / 2 for one, two in pairwise(edges)]
    points = [edges[0] - 1, *inner, edges[-1] + 1] if edges else [0.5]
    return Verdicts(
        tuple(edges), tuple(map(phase, edges)), tuple(map(phase, points)), phase(float("nan")), nothing()
    )


def _tried(literals: set[float]) -> list[float]:
    near = {value * (1 + offset) for value in literals for offset in (-1e-9, 0.0, 1e-9)}
    between = {(a + b) / 2 for a in literals for b in literals}
    scales = {10.0**power for power in range(-9, 10)}
    return sorted(near | between | scales | {-1.0, -_LARGEST, _LARGEST, *(-value for value in literals)})


def _edge(phase: Callable[..., MeasurementPhase], low: float, high: float, below: MeasurementPhase) -> float:
    """Return where the phase changes between two values: a short number such as one in the condition, if it fits."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if phase(middle) == below:
            low = middle
        else:
            high = middle
    return float(f"{(low + high) / 2:.7g}") if abs(high) > _NOTHING else 0.0
