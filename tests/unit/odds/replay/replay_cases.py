"""Metrics made by hand."""

from __future__ import annotations

from generator.promql.conditions import Condition, harm, proof
from generator.promql.metric import Metric, MetricKind


def metric(name: str, kind: MetricKind, condition: Condition, delay_s: float = 0.0, **limits: int) -> Metric:
    """A metric that is measured every minute; what is not given has the controller's default."""
    defaults = {"error_limit": 4, **limits}
    return Metric(name, name, kind, name, condition, 4.0, None, 60.0, initial_delay_s=delay_s, **defaults)


HARM = metric("ctr", "sequential", harm(4))
EVIDENCE = metric(
    "ctr", "evidence", proof(">=", 100), count=5, inconclusive_limit=4, error_limit=30, success_limit=1
)
