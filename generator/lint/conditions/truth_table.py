"""The truth table of a metric: the phases of good, bad, missing and infinite values."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from generator.dataclass import dataclass
from generator.lint.conditions.compiler import MeasurementPhase, Result, measure
from generator.lint.controller import ControllerVersion

Shape: TypeAlias = Literal["series", "points", "number", "number or nil"]
"""The results of a provider: any number of series (Prometheus), the points in time of one series (Graphite), one
number, or one number that may be missing."""

_LITERAL: Final = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+")
_LISTS: Final = ("series", "points")
_MARGIN: Final = 0.01


@dataclass(frozen=True, slots=True)
class TruthTable:
    """The phases that the conditions of one metric give.

    Args:
        finite: by value, for one series with that value.
        nan: one series whose value is NaN; None when the provider has no such result.
        infinite: one series whose value is +Inf; None when the provider has no such result.
        empty: no series, or no value at all; None when the provider has no such result.
        mixed: a good series next to a bad one, in both orders; empty when no value is good, or none is bad.
    """

    finite: dict[float, MeasurementPhase]
    nan: MeasurementPhase | None
    infinite: MeasurementPhase | None
    empty: MeasurementPhase | None
    mixed: tuple[MeasurementPhase, ...]

    @property
    def phases(self) -> set[MeasurementPhase]:
        """All phases that a finite number can get."""
        return set(self.finite.values())

    @property
    def is_constant(self) -> bool:
        """Whether every finite number gets the same phase."""
        return len(self.phases) == 1

    def nearest(self, value: float) -> MeasurementPhase:
        """Return the phase of the tried value that is nearest to one."""
        return self.finite[min(self.finite, key=lambda tried: abs(tried - value))]


@lru_cache(maxsize=4096)
def truth_table(success: str, failure: str, shape: Shape, version: ControllerVersion) -> TruthTable:
    """Evaluate the conditions of a metric on typical results.

    Raises:
        Unsupported: a condition uses a part of the language that is not evaluated here.
    """

    def phase(*values: float) -> MeasurementPhase:
        result = Result("vector", list(values)) if shape in _LISTS else Result("scalar", values[0])
        return measure(success, failure, result, version)

    finite = {value: phase(value) for value in _values_to_try(f"{success} {failure}")}
    good = next((value for value, p in finite.items() if p == "Successful"), None)
    bad = next((value for value, p in finite.items() if p in {"Failed", "Inconclusive"}), None)
    mixed: tuple[MeasurementPhase, ...] = ()
    if shape == "series" and good is not None and bad is not None:
        mixed = (phase(good, bad), phase(bad, good))
    missing = {
        "series": Result("vector", []),
        "points": Result("vector", []),
        "number or nil": Result("nil", None),
    }.get(shape)
    return TruthTable(
        finite=finite,
        nan=None if shape == "number or nil" else phase(float("nan")),
        infinite=None if shape == "number or nil" else phase(float("inf")),
        empty=None if missing is None else measure(success, failure, missing, version),
        mixed=mixed,
    )


def _values_to_try(text: str) -> tuple[float, ...]:
    """Return values on both sides of every number in the conditions, and between each two of them."""
    literals = {float(number) for number in _LITERAL.findall(text)} | {0.0, 1.0}
    near = {value * factor for value in literals for factor in (1 - _MARGIN, 1.0, 1 + _MARGIN, 0.1, 10.0)}
    between = {(a + b) / 2 for a in literals for b in literals}
    return tuple(sorted(near | between | {-1.0, -1e6, 1e9} | {-value for value in literals}))
