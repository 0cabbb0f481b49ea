"""Demographic parity on live counters: the difference of selection rates, and bounds that hold for few rows.

The parity difference is the largest selection rate of any group minus the smallest. Its estimate is biased
upwards: with few rows a fair model looks unfair. So the verdict has three values, from two metrics of one
AnalysisTemplate:

    lower bound >= limit: fail        upper bound < limit: pass        neither: inconclusive

Two metrics, not one query that answers 1, 0 or -1: the AnalysisRun then records the bounds themselves,
which is what an auditor asks for, and the worst verdict of the two is the verdict wanted, by the
controller's own precedence.

The interval follows Newcombe's hybrid score method (Statistics in Medicine 17, 1998, method 10). For groups
i and j

    p_i - p_j + sqrt((u_i - p_i)^2 + (p_j - l_j)^2)     with [l, u] the Wilson interval of each group

is the upper bound of that pair. The parity difference exceeds the limit if any ordered pair does, and the
pair with the extreme rates is not always the one with the largest bound: a small group that looks average
may hide more. PromQL cannot form all pairs, but it can bound them: the largest distances of all groups in
place of those of the pair.

    (max p - min p) +- sqrt(max (u - p)^2 + max (p - l)^2)

lies above the upper bound of every pair and below the lower bound of the pair with the extreme rates, and
meets both when the groups are alike. With one small group among large ones its radius is at most 1.41 times
that of the widest pair. So it errs towards "inconclusive", never towards a verdict. Each pair is taken at
confidence 1 - (1 - c) / (k (k - 1) / 2) (Bonferroni), so the bounds hold for all pairs at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from generator.promql.series import Matcher, Proportion, one_of
from generator.promql.text import number


@dataclass(frozen=True, slots=True)
class ParityTest:
    """What to judge by.

    Args:
        groups: the declared groups of one sensitive attribute, at least two; others are ignored.
        window_s: length of the window.
        least_rows: every declared group needs that many rows; until then the result is empty.
        confidence: two-sided, for all pairs of groups together.
    """

    groups: tuple[str, ...]
    window_s: float
    least_rows: float = 30
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if len(set(self.groups)) != len(self.groups) or len(self.groups) < 2:
            raise ValueError("parity needs two or more different groups")
        if self.least_rows < 1:
            raise ValueError("a group needs at least one row")
        if not 0 < self.confidence < 1:
            raise ValueError(f"{self.confidence} is not a confidence")

    @property
    def z(self) -> float:
        """The normal quantile of each pair's interval."""
        from statistics import NormalDist

        return NormalDist().inv_cdf(1 - (1 - self.confidence) / math.comb(len(self.groups), 2) / 2)


def parity_difference(rows: Proportion, arm: Matcher, parity: ParityTest) -> str:
    """Write the estimate: the largest selection rate minus the smallest."""
    counts = _Counts.of(rows, arm, parity)
    return f"{counts.difference}\n{counts.enough}"


def parity_lower(rows: Proportion, arm: Matcher, parity: ParityTest) -> str:
    """Write the lower bound of the parity difference; negative when nothing is proved."""
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
        # A group without positives would silently leave the maximum and the minimum; it must be missed
        # instead.
        present = f"count({total} >= {number(parity.least_rows)}\n    and {positives})"
        return cls(positives, total, f"and on() ({present} == {len(parity.groups)})")

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
