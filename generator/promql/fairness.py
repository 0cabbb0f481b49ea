"""Demographic parity on live counters: the difference of selection rates, with bounds that are valid for few rows.

The parity difference is the largest selection rate of any group minus the smallest. Its estimate is biased upwards:
with few rows a fair model looks unfair. The verdict therefore has three values, from two metrics of one
AnalysisTemplate:

    lower bound >= limit: fail        upper bound < limit: pass        neither: inconclusive

There are two metrics, not one query with a result of 1, 0 or -1, so that the AnalysisRun records the bounds for an
audit. The controller takes the worse verdict of the two, which is the one above.

The interval follows Newcombe's hybrid score method (Statistics in Medicine 17, 1998, method 10). For groups
i and j

    p_i - p_j + sqrt((u_i - p_i)^2 + (p_j - l_j)^2)     with [l, u] the Wilson interval of each group

is the upper bound of that pair. The parity difference exceeds the limit if any ordered pair does, and the pair with the
extreme rates does not always have the largest bound: that of a small group with an average rate may be larger. PromQL
can't form all pairs, but it can bound them, with the largest distances of all groups instead of those of the pair.

    (max p - min p) +- sqrt(max (u - p)^2 + max (p - l)^2)

is at least the upper bound of every pair, and at most the lower bound of the pair with the extreme rates; it equals
both when the groups have the same size and rate. With one small group among large ones its radius is at most 1.41 times
that of the widest pair. The error is always towards "inconclusive". Each pair has the confidence
1 - (1 - c) / (k (k - 1) / 2) (Bonferroni), so the bounds hold for all pairs at once.
"""

from __future__ import annotations

import math

from generator.dataclass import dataclass
from generator.promql.series import Matcher, Proportion, one_of
from generator.promql.text import number


@dataclass(frozen=True, slots=True)
class ParityTest:
    """The parameters of the test.

    Args:
        groups: the declared groups of one sensitive attribute, at least two; others are ignored.
        window_s: length of the window.
        least_rows: smallest number of rows of every declared group; with fewer the result is empty. It is empty as
            well where no row counts as positive, or all rows do.
        confidence: two-sided confidence for all pairs of groups together.
    """

    groups: tuple[str, ...]
    window_s: float
    least_rows: float = 30
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if len(set(self.groups)) != len(self.groups) or len(self.groups) < 2:
            raise ValueError("a parity test needs at least two different groups")
        if self.least_rows < 1:
            raise ValueError("a group needs at least one row")
        if not 0 < self.confidence < 1:
            raise ValueError(f"the confidence must be between 0 and 1, not {self.confidence}")

    @property
    def z(self) -> float:
        """The normal quantile of the interval of each pair."""
        from statistics import NormalDist

        return NormalDist().inv_cdf(1 - (1 - self.confidence) / math.comb(len(self.groups), 2) / 2)


def parity_difference(rows: Proportion, arm: Matcher, parity: ParityTest) -> str:
    """Write the estimate: the largest selection rate minus the smallest."""
    counts = _Counts.of(rows, arm, parity)
    return f"{counts.difference}\n{counts.enough}"


def parity_lower(rows: Proportion, arm: Matcher, parity: ParityTest) -> str:
    """Write the lower bound of the parity difference; it may be negative."""
    counts = _Counts.of(rows, arm, parity)
    return f"{counts.difference}\n- {counts.radius(parity.z)}\n{counts.enough}"


def parity_upper(rows: Proportion, arm: Matcher, parity: ParityTest) -> str:
    """Write the upper bound of the parity difference."""
    counts = _Counts.of(rows, arm, parity)
    return f"{counts.difference}\n+ {counts.radius(parity.z)}\n{counts.enough}"


@dataclass(frozen=True, slots=True)
class _Counts:
    positives: str
    rows: str
    enough: str

    @classmethod
    def of(cls, rows: Proportion, arm: Matcher, parity: ParityTest) -> _Counts:
        declared = one_of("group", parity.groups)
        positives = _by_group(rows.events.where(arm, declared).increase(parity.window_s))
        total = _by_group(rows.requests.where(arm, declared).increase(parity.window_s))
        # A group without a series has no rate, so maximum and minimum would ignore it: the result must be empty.
        present = f"count({total} >= {number(parity.least_rows)}\n    and {positives})"
        # Where no row counts as positive, or all do, `positive` may not fit the answers: equal rates prove nothing.
        both = f"0 < sum({positives}) < on() sum({total})"
        return cls(positives, total, f"and on() ({present} == {len(parity.groups)})\nand on() ({both})")

    @property
    def difference(self) -> str:
        rate = f"{self.positives} / {self.rows}"
        return f"(max({rate})\n  - min({rate}))"

    def radius(self, z: float) -> str:
        above, below = self._distance(z, "0.5 - {}"), self._distance(z, "{} - 0.5")
        return f"sqrt(max({above}) ^ 2\n  + max({below}) ^ 2)"

    def _distance(self, z: float, skew: str) -> str:
        """Write u - p of the Wilson interval: (z (1/2 - p) + sqrt(n p (1 - p) + z^2 / 4)) z / (n + z^2).

        For p - l the skew has the other sign.
        """
        rate = f"{self.positives} / {self.rows}"
        spread = f"sqrt({self.positives} * (1 - {rate}) + {number(z * z / 4)})"
        scale = f"{number(z)} / ({self.rows} + {number(z * z)})"
        return f"({number(z)} * ({skew.format(rate)})\n    + {spread})\n    * {scale}"


def _by_group(increase: str) -> str:
    return f"sum by (group) ({increase})"
