"""Outcomes that arrive after their request: what a new canary seems to lose at first, and the mask against it."""

from __future__ import annotations

import math

from generator.stats.domain import change, not_negative, positive, probability

WARN_SHIFT = 0.3
REFUSE_SHIFT = 1.0


def delay_share(window_s: float, delay_s: float) -> float:
    """Return the share of the outcomes that a window starting with the first request has seen when it ends.

    1 - (d/W) (1 - e^(-W/d)) for exponential delays of mean d; 0 without a window, 1 without a delay.

    Raises:
        ValueError: an argument is negative or not finite.
    """
    window = not_negative("window", window_s)
    delay = not_negative("delay", delay_s)
    if delay == 0.0:
        return 1.0
    if window == 0.0:
        return 0.0
    turns = window / delay
    # Below 1e-4 the difference loses digits: two terms of its series.
    return turns / 2.0 - turns * turns / 6.0 if turns < 1e-4 else 1.0 + math.expm1(-turns) / turns


def llr_shift(
    rps: float, weight: float, growth: float, baseline: float, delay_s: float, ratio: float
) -> float:
    """Return what a weight increase adds to the evidence against a good canary, in nats.

    G (ln(1 + (r-1) w) - ln r) with G = rps dw p d, the canary's events that have not arrived yet. Positive for a
    drop (false rollbacks), negative for a rise (lost power). A value above 0.3 is worth a warning; above 1.0 a mask
    is needed.

    Args:
        rps: requests per second of both versions, >= 0.
        weight: canary share after the increase.
        growth: the increase dw of the share.
        baseline: event probability.
        delay_s: mean delay of an outcome, seconds.
        ratio: the change the test is for.

    Raises:
        ValueError: an argument is outside its domain.
    """
    missing = not_negative("requests per second", rps) * probability("growth", growth)
    missing *= probability("baseline", baseline) * not_negative("delay", delay_s)
    per_event = math.log1p((change(ratio) - 1.0) * probability("weight", weight)) - math.log(ratio)
    return missing * per_event


def mask_lookback(delay_s: float, least_s: float = 0.0) -> float:
    """Return the look-back B of the mask, seconds: 2.5 mean delays; a share of e^-5 of the outcomes arrives after 2B.

    Args:
        delay_s: mean delay of an outcome, seconds.
        least_s: smallest look-back, whatever the delay.

    Raises:
        ValueError: an argument is negative or not finite.
    """
    return max(2.5 * not_negative("delay", delay_s), not_negative("least look-back", least_s))


def mask_dead_time(lookback_s: float) -> float:
    """Return the seconds that the mask leaves out at the start of a canary and after each change of weight: 2B.

    Raises:
        ValueError: the look-back is negative or not finite.
    """
    return 2.0 * not_negative("look-back", lookback_s)


def mask_tolerance(canary_requests: float) -> float:
    """Return the ratio of successive canary shares that still counts as a steady weight: max(1.1, 1 + 3 sqrt(2/n)).

    Args:
        canary_requests: expected in one look-back, > 0; every change of weight must exceed the tolerance.

    Raises:
        ValueError: there are none.
    """
    return max(1.1, 1.0 + 3.0 * math.sqrt(2.0 / positive("canary requests", canary_requests)))
