"""Metrics made by hand."""

from __future__ import annotations

from generator.odds.replay.controller import Limits
from generator.promql.conditions import Condition, harm, proof
from generator.promql.metric import Metric, MetricKind


def metric(name: str, kind: MetricKind, condition: Condition, limits: Limits, delay_s: float = 0.0) -> Metric:
    """A metric that is measured every minute."""
    return Metric(
        name,
        name,
        kind,
        name,
        condition,
        4.0,
        interval_s=60.0,
        count=limits.count or 0,
        initial_delay_s=delay_s,
        failure_limit=limits.failure,
        inconclusive_limit=limits.inconclusive,
        success_limit=limits.consecutive_success,
        error_limit=limits.consecutive_error,
    )


HARM = metric("ctr", "sequential", harm(4), Limits())
EVIDENCE = metric("ctr", "evidence", proof(">=", 100), Limits(5, 0, 4, 30, 1))
