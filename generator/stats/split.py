"""The test of the split of requests: its evidence, the requests that it needs, and how often it stops a rollout.

Each of two simple alternatives, the share times `SHIFT` and the share divided by it, is compared with the intended
share (see `generator.promql.split`, which writes the same in PromQL). For a given number of requests the
evidence is a convex function of the requests in the part, so the test passes in one range of counts and the
probabilities are those of the binomial law. Clustered requests count as n / phi independent ones.
"""

from __future__ import annotations

import math

from generator.dataclass import dataclass
from generator.stats.binomial import binom_cdf
from generator.stats.domain import at_least_one, open_probability

SHIFT = 1.25
"""The factor of the share, either way, that is detected.

Routers that split requests were within 1.10 on test clusters, and within 1.06 in 6,000 requests over 1 to 64 kept
connections (tests/world/scenarios/kept_connections.py). Routers that split connections exceed it: a single connection
is all or nothing.
"""
FALSE_PAUSE = 0.01
"""Chance that the tests of all steps together stop a rollout whose split is right."""


def split_llr(inside: float, outside: float, share: float, *, design_effect: float = 1.0) -> float:
    """Return the evidence against a split, in nats: the larger of the two.

    Args:
        inside: requests in the part, >= 0.
        outside: all others, >= 0.
        share: intended share of the part, above 0 and at most 1/2.
        design_effect: variance of clustered requests over that of independent ones, >= 1.
    """
    step = inside * math.log(SHIFT)
    return max(step + outside * _more(share), outside * _fewer(share) - step) / design_effect


def _more(share: float) -> float:
    """The evidence of a request outside the part for a part that is too large; below 0."""
    return math.log((1 - SHIFT * share) / (1 - share))


def _fewer(share: float) -> float:
    """The evidence of a request outside the part for a part that is too small; above 0."""
    return math.log((1 - share / SHIFT) / (1 - share))


@dataclass(frozen=True, slots=True)
class SplitTest:
    """The test of one step.

    Args:
        share: share of the part, above 0 and at most 1/2.
        alpha: chance of a stop when the share is right.
        design_effect: variance of clustered requests over that of independent ones, >= 1.
    """

    share: float
    alpha: float
    design_effect: float = 1.0

    def __post_init__(self) -> None:
        open_probability("share", self.share)
        open_probability("alpha", self.alpha)
        at_least_one("design effect", self.design_effect)
        if self.share > 1 / 2:
            raise ValueError(f"the part is the smaller one: its share is at most 1/2, not {self.share}")

    @property
    def level(self) -> float:
        """The evidence that stops the rollout: two tests share alpha."""
        return round(math.log(2 / self.alpha), 9)

    @property
    def floor(self) -> int:
        """The smallest number of requests among which a part without any request stops the rollout."""
        return math.ceil(self.level * self.design_effect / _fewer(self.share) + 1e-9)

    def stops(self, requests: float, true_share: float) -> float:
        """Return the chance that this many requests stop the rollout when the part has another share, or this one.

        Raises:
            ValueError: the true share is outside [0, 1].
        """
        count = math.floor(requests / self.design_effect)
        low, high = self._passing(count)
        return 1 - max(0.0, binom_cdf(high, count, true_share) - binom_cdf(low - 1, count, true_share))

    def _passing(self, count: int) -> tuple[int, int]:
        """Return the smallest and the largest number of requests in the part that do not stop the rollout."""
        step, more, fewer = math.log(SHIFT), _more(self.share), _fewer(self.share)
        high = (self.level - count * more) / (step - more)
        low = (count * fewer - self.level) / (step + fewer)
        return max(0, math.floor(low) + 1), min(count, math.ceil(high) - 1)
