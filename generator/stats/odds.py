"""The effect of a guard on a good and on a bad canary, in the keys that plans and reports use.

Shares are fractions, times seconds, counts requests of the canary. Values are not rounded: what prints them rounds
outwards (power down, false rollbacks and exposure up).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypedDict

from generator.dataclass import dataclass
from generator.stats.domain import change, not_negative, open_probability
from generator.stats.false_alarm import false_rollback
from generator.stats.normal import normal_quantile
from generator.stats.passage import Sprt, sprt_reached, sprt_stops
from generator.stats.runs import run_stops
from generator.stats.sequential import neutral_ratio
from generator.stats.timeline import Detection, Rollout, Stop, detection
from generator.stats.windows import Bound, WindowGuard, window_looks


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardOdds:
    """Odds of one guard over one rollout.

    Args:
        test: name of the decision rule.
        detect: the relative change it must catch: -0.1 is a drop by a tenth.
        power: probability that a canary with that change is rolled back before the end.
        power_by_step: the same by the end of each phase.
        false_rollback: probability that a canary without any change is rolled back.
        detect_mean_s: mean time from the first weight to the rollback, given one; None when there is none.
        detect_p90_s: time by which nine of ten rollbacks have happened; None if there are none.
        exposed_mean: mean requests that the changed canary has served by then; None if there are none.
        exposed_if_missed: requests it serves up to the end of the last phase when nothing stops it.
        lost_outcomes_mean: good outcomes missed, or bad ones caused, among those exposed; None if there are none.
        smallest_caught: smallest true change (absolute value) that this guard catches with the wanted power;
            0 when it stops good canaries that often, None when it catches none.
        mde_at_power: smallest change that a guard declared for exactly that change catches with the wanted
            power; the same as `smallest_caught` for a bare threshold, whose limit does not follow the
            declaration.
        planned_requests: canary requests by the end of each phase.
    """

    test: str
    detect: float
    power: float
    power_by_step: tuple[float, ...]
    false_rollback: float
    detect_mean_s: float | None
    detect_p90_s: float | None
    exposed_mean: float | None
    exposed_if_missed: float
    lost_outcomes_mean: float | None
    smallest_caught: float | None
    mde_at_power: float | None
    planned_requests: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SprtOdds(GuardOdds):
    """Odds of an event-share sequential test.

    Args:
        alpha: its bound on false rollbacks, whatever the schedule of looks.
        boundary: ln(1/alpha), the evidence that rolls back.
        neutral_ratios: per phase, the true ratio at which the evidence stands still; None at weight 0 or 1.
    """

    alpha: float
    boundary: float
    neutral_ratios: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdOdds(GuardOdds):
    """Odds of a bare threshold on a windowed ratio.

    Args:
        limit: the constant.
        bound: which side of it passes.
        looks: how often it is compared.
    """

    limit: float
    bound: Bound
    looks: int


def sprt_odds(rollout: Rollout, test: Sprt, latency_s: float, *, power: float = 0.8) -> SprtOdds:
    """Return the odds of the event-share sequential test, in closed form.

    Against simulation the power is within 0.02 at constant weight and 0.05 with steps, the mean time within 3% and
    the exposure within 6%, on the high side. False rollbacks as in `false_alarm`.

    Args:
        rollout: phases, at least one, and traffic; none gives power 0.
        test: the test.
        latency_s: from a look that rolls back to the last canary request, seconds, with the age of the
            evidence.
        power: the target of `mde_at_power`.

    Raises:
        ValueError: an argument is outside its domain.
    """
    _check(rollout, test.baseline, test.ratio)
    caught = detection(rollout, sprt_stops(test, rollout, test.ratio), latency_s)

    def reached(ratio: float) -> float:
        return sprt_reached(test, rollout, ratio)

    def declared(ratio: float) -> float:
        return sprt_reached(replace(test, ratio=ratio), rollout, ratio) if ratio != 1.0 else 0.0

    return SprtOdds(
        **_caught(rollout, caught, test.baseline, test.ratio),
        test="event-share-sprt",
        false_rollback=false_rollback(test, rollout),
        smallest_caught=_smallest(reached, test.baseline, test.ratio, power),
        mde_at_power=_smallest(declared, test.baseline, test.ratio, power),
        alpha=test.alpha,
        boundary=test.level,
        neutral_ratios=tuple(
            neutral_ratio(test.ratio, phase.weight) if 0.0 < phase.weight < 1.0 else None
            for phase in rollout.phases
        ),
    )


def threshold_odds(
    rollout: Rollout,
    guard: WindowGuard,
    baseline: float,
    ratio: float,
    latency_s: float,
    *,
    power: float = 0.8,
) -> ThresholdOdds:
    """Return the odds of a bare threshold on a windowed ratio; accuracy as in `runs`.

    Args:
        rollout: phases, at least one, and traffic.
        guard: the guard.
        baseline: event probability of the stable version, strictly between 0 and 1.
        ratio: the change to catch; below 1 for a guard with a lower bound, above 1 for an upper bound.
        latency_s: from the look that stops the rollout to the last canary request, seconds.
        power: the target of `mde_at_power`.

    Raises:
        ValueError: an argument is outside its domain, or the guard cannot see a change in that direction.
    """
    _check(rollout, baseline, ratio)
    if (ratio < 1.0) != (guard.bound == "at_least"):
        raise ValueError(f"a guard with an {guard.bound} bound cannot catch a ratio of {ratio}")

    def stops(true_ratio: float) -> list[Stop]:
        return run_stops(window_looks(guard, rollout, baseline * true_ratio), guard.failure_limit)

    def reached(true_ratio: float) -> float:
        return min(1.0, math.fsum(stop.mass for stop in stops(true_ratio)))

    smallest = _smallest(reached, baseline, ratio, power, tolerance=1e-4)
    return ThresholdOdds(
        **_caught(rollout, detection(rollout, stops(ratio), latency_s), baseline, ratio),
        test="threshold",
        false_rollback=reached(1.0),
        smallest_caught=smallest,
        mde_at_power=smallest,
        limit=guard.limit,
        bound=guard.bound,
        looks=guard.looks_by(rollout.duration_s),
    )


def family_false_rollback(false_rollbacks: Sequence[float]) -> float:
    """Return a bound on the false rollbacks of a whole rollout: their sum, however the guards depend on each other."""
    return min(1.0, math.fsum(not_negative("false rollback", value) for value in false_rollbacks))


def _check(rollout: Rollout, baseline: float, ratio: float) -> None:
    if not rollout.phases:
        raise ValueError("a rollout needs at least one phase")
    open_probability("baseline", baseline)
    if change(ratio) * baseline > 1.0:
        raise ValueError(f"a baseline of {baseline} times {ratio} is more than every request")


class _Caught(TypedDict):
    """The odds that follow from when a changed canary is stopped."""

    detect: float
    power: float
    power_by_step: tuple[float, ...]
    detect_mean_s: float | None
    detect_p90_s: float | None
    exposed_mean: float | None
    exposed_if_missed: float
    lost_outcomes_mean: float | None
    planned_requests: tuple[float, ...]


def _caught(rollout: Rollout, caught: Detection, baseline: float, ratio: float) -> _Caught:
    """Return what follows from the stops; the outcomes lost by the rollback are exposed |p1 - p0|."""
    lost = None if caught.exposed is None else caught.exposed * baseline * abs(ratio - 1.0)
    return {
        "detect": ratio - 1.0,
        "power": caught.probability,
        "power_by_step": caught.by_step,
        "detect_mean_s": caught.mean_s,
        "detect_p90_s": caught.p90_s,
        "exposed_mean": caught.exposed,
        "exposed_if_missed": rollout.planned_requests[-1],
        "lost_outcomes_mean": lost,
        "planned_requests": rollout.planned_requests,
    }


def _smallest(
    power_of: Callable[[float], float],
    baseline: float,
    ratio: float,
    power: float,
    *,
    tolerance: float = 1e-5,
) -> float | None:
    """Return the smallest change, in the direction of `ratio`, whose true ratio is caught with this power.

    The largest possible change leaves almost no event, or turns every request into one.
    """
    drop = ratio < 1.0
    largest = 1.0 - 1e-9 if drop else (1.0 - 1e-12) / baseline - 1.0

    def caught(effect: float) -> float:
        return power_of(max(0.0, 1.0 - effect) if drop else 1.0 + effect)

    return smallest_effect(caught, abs(ratio - 1.0), largest, power, tolerance=tolerance)


def smallest_effect(
    power_of: Callable[[float], float], first: float, largest: float, power: float, *, tolerance: float = 1e-5
) -> float | None:
    """Return the smallest relative change that is caught with a power, rounded up by at most `tolerance` of itself.

    The probit of the power is nearly linear in the change, so false position (Illinois' variant) needs about
    eight evaluations.

    Args:
        power_of: power of a relative change >= 0, not decreasing.
        first: a change to start from, above 0.
        largest: the largest change that can happen.
        power: the target, strictly between 0 and 1.
        tolerance: relative, of the answer.

    Returns:
        0.0 when even "no change" is stopped that often; None when the largest change is not caught.

    Raises:
        ValueError: the target is not strictly between 0 and 1.
    """
    goal = normal_quantile(open_probability("power", power))

    def excess(effect: float) -> float:
        return normal_quantile(min(max(power_of(effect), 1e-15), 1.0 - 1e-15)) - goal

    low, below = 0.0, excess(0.0)
    high = min(first, largest)
    above = excess(high)
    while above < 0.0 and high < largest:
        low, below, high = high, above, min(2.0 * high, largest)
        above = excess(high)
    if below >= 0.0 or above < 0.0:
        return 0.0 if below >= 0.0 else None
    kept = 0
    for _ in range(100):
        if high - low <= tolerance * high:
            break
        middle = (low * above - high * below) / (above - below)
        # A step close to one end is moved off it, so that both ends close in.
        margin = 0.25 * tolerance * high
        middle = min(max(middle, low + margin), high - margin)
        value = excess(middle)
        if value >= 0.0:
            high, above, below, kept = middle, value, below / (2.0 if kept > 0 else 1.0), 1
        else:
            low, below, above, kept = middle, value, above / (2.0 if kept < 0 else 1.0), -1
    return high
