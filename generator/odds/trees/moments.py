"""Values that the user declares: of a gauge, of another provider, or how often a program's verdict is a failure.

A value is normal around its mean, and 95% of the values are in the declared range. A verdict is 1 where it fails, and 0
where it does not.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Final

from generator.odds.trees.values import Span
from generator.odds.trees.verdicts import Verdicts
from generator.promql.measures import Kind
from generator.stats.normal import normal_cdf

DECLARED: Final = ("gauge", "verdict")
"""Kinds of measures whose values cannot follow from requests."""
VERDICT: Final = Verdicts((0.5,), ("Failed",), ("Successful", "Failed"), "Failed", "Failed")
"""The phases of a verdict, which is 1 where it fails."""
_SPREADS: Final = 2 * 1.959964
_RARE: Final = 1e-12


def mean_and_spread(values: Span) -> tuple[float, float]:
    """Return mean and standard deviation of normal values, 95% of which are in a range."""
    return (values.low + values.high) / 2, (values.high - values.low) / _SPREADS


def is_worse_below(verdicts: Verdicts) -> bool:
    """Return whether the lowest values fail and the highest do not."""
    return verdicts.between[0] == "Failed" != verdicts.between[-1]


def pieces(kind: Kind, verdicts: Verdicts, mean: float, spread: float) -> list[tuple[float, float]]:
    """Return probabilities, each with a value, one for each interval between the edges where the phase changes.

    Args:
        kind: `gauge` or `verdict`.
        verdicts: the phases.
        mean: mean of the values; of a verdict, the share that fails.
        spread: their standard deviation.
    """
    if kind == "verdict":
        return [(mass, value) for mass, value in ((1 - mean, 0.0), (mean, 1.0)) if mass > 0]
    if not spread or not verdicts.edges:
        return [(1.0, mean)]
    edges = verdicts.edges
    below = [0.0, *(normal_cdf((edge - mean) / spread) for edge in edges), 1.0]
    middles = [(one + two) / 2 for one, two in pairwise(edges)]
    values = [edges[0] - 1, *middles, edges[-1] + 1]
    masses = [high - low for low, high in pairwise(below)]
    return [(mass, value) for mass, value in zip(masses, values, strict=True) if mass > _RARE]


def drawn(random: Random, kind: Kind, mean: float, spread: float) -> float:
    """Return a value at random; see `pieces`."""
    return float(random.random() < mean) if kind == "verdict" else random.gauss(mean, spread)
