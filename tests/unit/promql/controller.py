"""The controller's answer to a result, for the conditions that Sluice writes."""

from __future__ import annotations

from collections.abc import Sequence

from generator.lint.conditions import MeasurementPhase, measure_vector
from generator.promql.conditions import Condition


def verdict(condition: Condition, result: Sequence[float]) -> MeasurementPhase:
    """Return the phase of one measurement; raises Unsupported for a condition that is not evaluated."""
    return measure_vector(condition.success, condition.failure, result)
