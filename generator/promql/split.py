"""The test of the split itself: whether a part of the requests has the share that the router was given.

Of n requests, c in the part and s outside it, each of two simple alternatives has the log-likelihood ratio

    c ln r + s ln((1 - r q) / (1 - q)),    with r = shift and r = 1 / shift,

against the share q. Both exponentials are martingales while the share is q, so the larger one reaches `2 / alpha` with
a probability of at most alpha, however often it is evaluated (Ville). After Lindon and Malek, "Anytime-valid inference
for multinomial count data" (NeurIPS 2022), with two simple alternatives instead of a mixture: shares between
about q / sqrt(shift) and q * sqrt(shift) count as equal to q, whatever the traffic.
"""

from __future__ import annotations

import math

from generator.dataclass import dataclass
from generator.promql.series import Arms, Series
from generator.promql.text import number, operand


@dataclass(frozen=True, slots=True)
class Split:
    """Parameters of the test.

    Args:
        share: share of the requests that the part should get, above 0 and at most 1/2.
        shift: the factor, either way, of the share to detect; above 1.
        window_s: seconds of requests that are counted.
        floor: smallest number of requests; with fewer the result is empty.
        design_effect: variance of the counts over that of independent requests; the statistic is divided by it.
        of_canary: whether the part is the canary's; otherwise it is the stable version's.
    """

    share: float
    shift: float
    window_s: float
    floor: int
    design_effect: float = 1.0
    of_canary: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1 / 2:
            raise ValueError(f"the share must be above 0 and at most 1/2, not {self.share}")
        if not 1 < self.shift < 1 / self.share:
            raise ValueError(f"no part can have {self.shift} times the share {self.share}")
        if self.floor < 1 or self.design_effect < 1:
            raise ValueError("the floor and the design effect must be at least 1")


def split(part: Series, rest: Series, test: Split) -> str:
    """Write the larger of the two statistics, as the mean of both and half their distance.

    A part without series has no requests: that is what a router that was never set up looks like. A rest without series
    gives no result.

    Args:
        part: the counter of the requests of the part.
        rest: the counter of all others.
        test: parameters of the test.
    """
    window = test.window_s
    inside = f"(sum({part.increase(window)}) or vector(0))"
    outside = f"sum({rest.increase(window)})"
    more = math.log((1 - test.shift * test.share) / (1 - test.share))
    fewer = math.log((1 - test.share / test.shift) / (1 - test.share))
    scale = f" / {number(test.design_effect)}" if test.design_effect > 1 else ""
    return f"""\
(abs({inside} * {operand(math.log(test.shift))}
    + {outside} * {operand((more - fewer) / 2)})
  + {outside} * {operand((more + fewer) / 2)}){scale}
and on() ({inside} + {outside} >= {test.floor})"""


def split_of_arms(requests: Series, arms: Arms, test: Split) -> str:
    """Write the test of the split between two versions."""
    part, rest = (arms.of_canary, arms.of_stable) if test.of_canary else (arms.of_stable, arms.of_canary)
    return split(requests.where(part), requests.where(rest), test)
