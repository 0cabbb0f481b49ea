"""A metric of an AnalysisTemplate: what the controller queries, when, and what it makes of the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from generator.promql.bounds import RequestsSeen, WindowRatio
from generator.promql.conditions import Condition
from generator.promql.event_share import EventShare

MetricKind = Literal["sequential", "limit", "parity", "evidence"]
Statistic = EventShare | WindowRatio | RequestsSeen
"""A number that a query computes from two counters of each arm; a replay computes it from recorded counters."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of an AnalysisTemplate; 0 leaves an optional field out.

    Args:
        name: unique in its template.
        guard: the guard that it belongs to.
        kind: what sort of test it is.
        query: PromQL with one result by construction; arguments of the template are not filled in.
        condition: when a measurement succeeds and when it fails.
        bound: the number that the condition compares with.
        statistic: the number that the query computes; None when two counters of each arm are not enough for it.
        interval_s: seconds between two measurements.
        count: measurements; 0 with an interval means no end.
        initial_delay_s: seconds before the first one.
        failure_limit: failures that are forgiven.
        inconclusive_limit: inconclusive measurements that are forgiven.
        success_limit: successes in a row that end the metric early.
        error_limit: errors in a row that are forgiven.
    """

    name: str
    guard: str
    kind: MetricKind
    query: str
    condition: Condition
    bound: float
    statistic: Statistic | None = None
    interval_s: float = 0
    count: int = 0
    initial_delay_s: float = 0
    failure_limit: int = 0
    inconclusive_limit: int = 0
    success_limit: int = 0
    error_limit: int = 30

    @property
    def lasts_s(self) -> float:
        """Seconds until a finite metric has taken all its measurements."""
        return self.initial_delay_s + (max(self.count, 1) - 1) * self.interval_s
