"""The smallest change that is still caught."""

from __future__ import annotations

from collections.abc import Callable

from generator.stats.domain import open_probability
from generator.stats.normal import normal_quantile


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
