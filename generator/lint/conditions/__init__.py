"""The condition language of Argo Rollouts metrics: one evaluator, for rules on trees and for replays."""

from __future__ import annotations

from generator.lint.conditions.compiler import (
    MeasurementPhase,
    Result,
    evaluate,
    measure,
    measure_result,
    measure_vector,
)
from generator.lint.conditions.syntax import Rejected, Unsupported, parse
from generator.lint.conditions.truth_table import TruthTable, truth_table

__all__ = [
    "MeasurementPhase",
    "Rejected",
    "Result",
    "TruthTable",
    "Unsupported",
    "evaluate",
    "measure",
    "measure_result",
    "measure_vector",
    "parse",
    "truth_table",
]
