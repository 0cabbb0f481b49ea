"""The sequential test of two arms: the event-share SPRT, stratified by time, as one PromQL expression.

Given an event, the arm that it came from depends on the shares of the requests only, not on the base rate of that
minute. Each stratum adds the log-likelihood ratio

    X_c ln r - (X_c + X_s) ln(1 + (r - 1) N_c / (N_c + N_s))

of "the canary's rate is r times the stable one's" against "the rates are equal". Under equality the
exponential of the sum is a supermartingale (Hoeffding's comparison of the hypergeometric with the binomial
law), so by Ville's inequality it ever reaches 1/alpha with a probability of at most alpha, however often it is
evaluated. After Lindon and Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022).
"""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise

from generator.dataclass import dataclass
from generator.promql.series import Arms, Matcher, Proportion, Series
from generator.promql.text import duration, number, operand


@dataclass(frozen=True, slots=True)
class Mask:
    """A restriction to strata in which the canary's share of requests is steady.

    With delayed outcomes a canary looks bad at its start and after each change of weight: its requests are counted,
    their outcomes not yet. The mask depends on requests only, so the test stays valid. It suspends the test for twice
    the look-back after each change of weight.

    A pod that an autoscaler adds during a canary holds back the first outcomes of the canary for two scrapes,
    so the canary seems to lose them. Strata in which too many pods are so young are left out as well.

    Args:
        lookback_s: length of the two adjacent windows whose shares are compared.
        tolerance: ratio of the two shares at which the share counts as changed; above 1.
        young_s: seconds after its first scrape in which a pod may hold outcomes back.
        young: largest share of such pods that is tolerated.
    """

    lookback_s: float
    tolerance: float
    young_s: float = 0.0
    young: float = 1.0

    def __post_init__(self) -> None:
        if not 1 < self.tolerance < math.inf:
            raise ValueError(f"the tolerance must be above 1, not {self.tolerance}")
        if not 0 <= self.young <= 1:
            raise ValueError(f"the tolerated share of young pods must be between 0 and 1, not {self.young}")


@dataclass(frozen=True, slots=True)
class LoadMatch:
    """A restriction to strata in which a canary pod has about the load of a stable pod.

    Waiting in a queue makes requests slow, and the queue depends on the load of the pod. The load follows from the
    weight and from the numbers of pods. The weight is the one of the rollout that is nearest to the measured share of
    the requests, so chance in that share does not change the load. The restriction depends on requests and on pods
    only, so the test stays valid.

    Args:
        weights: shares of the canary in the rollout, ascending, each above 0 and below 1.
        tolerance: largest ratio of the two loads, either way; above 1.
    """

    weights: tuple[float, ...]
    tolerance: float

    def __post_init__(self) -> None:
        if not 1 < self.tolerance < math.inf:
            raise ValueError(f"the tolerance must be above 1, not {self.tolerance}")
        if not self.weights or not self.weights[0] > 0 or not self.weights[-1] < 1:
            raise ValueError("loads are compared at weights between 0 and 1")
        if any(a >= b for a, b in pairwise(self.weights)):
            raise ValueError("weights must rise")

    @property
    def levels(self) -> tuple[tuple[float, float], ...]:
        """The smallest share of each weight, and the canary requests per stable request that it adds to the last."""
        odds = [weight / (1 - weight) for weight in self.weights]
        shares = [0.0, *(round((a + b) / 2, 9) for a, b in pairwise(self.weights))]
        added = [round(odds[0], 9), *(round(b - a, 9) for a, b in pairwise(odds))]
        return tuple(zip(shares, added, strict=True))

    @property
    def bound(self) -> float:
        """The largest distance of the load from 1, as a logarithm; loads on the bound are compared."""
        return round(math.log(self.tolerance), 9) + 1e-6


@dataclass(frozen=True, slots=True)
class EventShare:
    """Parameters of the test.

    Args:
        rate_ratio: r, the ratio of the event rates, canary over stable, to detect: 0.9 is a drop of 10%.
        step_s: length of a stratum.
        scrape_s: scrape interval.
        horizon_s: length of the window of the evidence; at least the whole canary.
        design_effect: variance of the counts over that of independent requests; the statistic is divided by it.
        mask: mask for outcomes that arrive late; None for no mask.
        load: the loads that are compared; None when events do not depend on the load.
    """

    rate_ratio: float
    step_s: float
    scrape_s: float
    horizon_s: float
    design_effect: float = 1.0
    mask: Mask | None = None
    load: LoadMatch | None = None

    def __post_init__(self) -> None:
        if not 0 < self.rate_ratio < math.inf or self.rate_ratio == 1:
            raise ValueError(f"a rate ratio to detect must be above 0 and not 1, but it is {self.rate_ratio}")
        if self.step_s < 4 * self.scrape_s:
            raise ValueError("a stratum needs at least four scrapes")
        if self.horizon_s < self.step_s:
            raise ValueError("the horizon is shorter than one stratum")
        if self.design_effect < 1:
            raise ValueError("a design effect below 1 would overstate the evidence")

    @property
    def window_s(self) -> float:
        """Length of the range of one stratum.

        `increase()` extrapolates from the first and the last sample to the whole range. One scrape more than the
        stratum closes the gap between strata; `scale` undoes the extrapolation.
        """
        return self.step_s + self.scrape_s

    @property
    def scale(self) -> float:
        """The factor on the term of a stratum: it undoes the extrapolation and divides by the design effect."""
        return self.step_s / self.window_s / self.design_effect


def event_share(proportion: Proportion, arms: Arms, test: EventShare, pods: Series | None = None) -> str:
    """Write the test statistic; compare it with ln(number of guards / alpha).

    Strata without canary requests are empty and left out. A canary without requests has an empty result, not 0.

    Args:
        proportion: events among requests.
        arms: the two versions.
        test: parameters of the test.
        pods: `up` of the pods of both versions; a test that compares loads needs it.
    """
    window = test.window_s
    events = proportion.count_events(arms.of_canary, window)
    requests = proportion.count_requests(arms.of_canary, window)
    return f"""\
sum_over_time((
  ({events} * {operand(math.log(test.rate_ratio))}
  - ({events} + {proportion.count_events(arms.of_stable, window)})
    * ln(1 + {operand(_minus_one(test.rate_ratio))} * {_share(proportion, arms, window)}))
    * {number(test.scale)}
  and on() ({requests} > 0){_restrictions(proportion, arms, test, pods)}
)[{duration(test.horizon_s)}:{duration(test.step_s)}])"""


def comparable_requests(proportion: Proportion, arms: Arms, test: EventShare, pods: Series | None) -> str:
    """Write the number of canary requests in the strata that the test counts; empty when it counts none."""
    window = test.window_s
    return f"""\
sum_over_time((
  {proportion.count_requests(arms.of_canary, window)} * {number(test.step_s / window)}
  and on() ({proportion.count_requests(arms.of_canary, window)} > 0){_restrictions(proportion, arms, test, pods)}
)[{duration(test.horizon_s)}:{duration(test.step_s)}])"""


def _restrictions(proportion: Proportion, arms: Arms, test: EventShare, pods: Series | None) -> str:
    steady = _steady(proportion, arms, test.mask) if test.mask else ""
    if test.load is None:
        return steady
    if pods is None:
        raise ValueError("a test that compares loads needs the series of the pods")
    return steady + _alike(proportion, arms, test.load, test.window_s, pods)


def _minus_one(ratio: float) -> float:
    """Subtract 1 in decimal, so that 0.9 gives -0.1 and not -0.09999999999999998."""
    return float(Decimal(repr(ratio)) - 1)


def _share(proportion: Proportion, arms: Arms, window_s: float, offset_s: float = 0) -> str:
    canary = proportion.count_requests(arms.of_canary, window_s, offset_s)
    stable = proportion.count_requests(arms.of_stable, window_s, offset_s)
    return f"{canary}\n      / ({canary} + {stable})"


def _steady(proportion: Proportion, arms: Arms, mask: Mask) -> str:
    now = _share(proportion, arms, mask.lookback_s)
    before = _share(proportion, arms, mask.lookback_s, mask.lookback_s)
    change = f"({now})\n    / ({before})"
    joined = _joined(proportion, arms, mask) if mask.young_s else ""
    return f"""
  and on() ({change}
    < {number(mask.tolerance)})
  and on() ({change}
    > {number(1 / mask.tolerance)}){joined}"""


def _joined(proportion: Proportion, arms: Arms, mask: Mask) -> str:
    """Write the restriction to few young pods: those whose series did not exist before."""
    both = [proportion.requests.where(arm) for arm in (arms.of_canary, arms.of_stable)]
    pods = " or ".join(map(str, both))
    old = " or ".join(f"{series} offset {duration(mask.young_s)}" for series in both)
    return f"""
  unless on() (count(({pods}) unless ({old}))
    / count({pods}) > {number(mask.young)})"""


def _alike(proportion: Proportion, arms: Arms, load: LoadMatch, window_s: float, pods: Series) -> str:
    """Write the restriction to equal loads: requests of the weight over numbers of pods, canary over stable."""
    share = _share(proportion, arms, window_s)
    (_, first), *others = load.levels
    requests = number(first) + "".join(
        f"\n    + {number(added)} * ({share}\n      > bool {number(least)})" for least, added in others
    )
    stable, canary = (_pods(pods, arm, window_s) for arm in (arms.of_stable, arms.of_canary))
    return f"""
  and on() (abs(ln(({requests})
    * {stable} / {canary}))
    < {number(load.bound)})"""


def _pods(pods: Series, arm: Matcher, window_s: float) -> str:
    """Write the number of pods of one version that answered their scrapes."""
    return f"sum(avg_over_time({pods.where(arm)}[{duration(window_s)}]))"
