"""A metric of an AnalysisTemplate: its query, the times of its measurements, and the conditions of its verdict."""

from __future__ import annotations

from typing import Literal

from generator.dataclass import dataclass
from generator.promql.bounds import CanaryRequests, CohortRequests, WindowRatio
from generator.promql.conditions import Condition
from generator.promql.event_share import EventShare
from generator.promql.split import Split

MetricKind = Literal["sequential", "limit", "parity", "evidence"]
Statistic = EventShare | WindowRatio | CanaryRequests | CohortRequests | Split
"""The number that a query computes from counters of both arms; a replay computes it from recorded counters."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of an AnalysisTemplate; 0 leaves an optional field out.

    Args:
        name: unique in its template.
        guard: the guard that it belongs to, or its own name.
        kind: kind of the test.
        query: PromQL that gives at most one number; contains the arguments of the template as placeholders.
        condition: conditions of success and of failure of a measurement.
        bound: the number that the condition compares with.
        statistic: the number that the query computes; None when it is not computed from counters of both arms.
        interval_s: seconds between two measurements.
        count: number of measurements; 0 is one without an interval, and no end with one.
        initial_delay_s: seconds before the first measurement.
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
    def measurements(self) -> int | None:
        """The number of measurements that end it; None when it has no end."""
        return self.count or (None if self.interval_s else 1)

    @property
    def lasts_s(self) -> float:
        """Seconds until the last measurement of a finite metric."""
        return self.initial_delay_s + (max(self.count, 1) - 1) * self.interval_s
