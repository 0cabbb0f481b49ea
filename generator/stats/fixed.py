"""Two proportions compared once: the classical test that every sequential one is measured against."""

from __future__ import annotations

import math

from generator.stats.domain import at_least_one, change, open_probability, positive, probability
from generator.stats.normal import normal_cdf, normal_quantile


def two_prop_z(
    canary_events: float,
    canary_requests: float,
    stable_events: float,
    stable_requests: float,
    *,
    design_effect: float = 1.0,
) -> float:
    """Pooled z statistic of canary minus stable; 0 when no request or every request has the event.

    (pc - ps) / sqrt(P (1-P) (1/nc + 1/ns) phi), P the pooled rate. Standard normal under "no change" when
    looked at once; every further look adds false alarms.

    Raises:
        ValueError: an arm has no requests or more events than requests.
    """
    nc, ns = positive("canary requests", canary_requests), positive("stable requests", stable_requests)
    difference = probability("canary rate", canary_events / nc) - probability(
        "stable rate", stable_events / ns
    )
    pooled = (canary_events + stable_events) / (nc + ns)
    variance = pooled * (1.0 - pooled) * (1.0 / nc + 1.0 / ns) * at_least_one("design effect", design_effect)
    return difference / math.sqrt(variance) if variance > 0.0 else 0.0


def _spreads(baseline: float, ratio: float, weight: float) -> tuple[float, float]:
    """Standard deviation of the difference times sqrt(canary requests): without and with the change."""
    stable = open_probability("baseline", baseline)
    canary = open_probability("baseline times ratio", stable * ratio)
    k = weight / (1.0 - open_probability("weight", weight))
    pooled = (k * canary + stable) / (1.0 + k)
    null = math.sqrt(pooled * (1.0 - pooled) * (1.0 + k))
    return null, math.sqrt(canary * (1.0 - canary) + k * stable * (1.0 - stable))


def n_canary(
    baseline: float,
    ratio: float,
    weight: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> float:
    """Canary requests that a one-sided z test looked at once needs.

    (z_alpha sqrt(P (1-P) (1+k)) + z_power sqrt(p1 (1-p1) + k p0 (1-p0)))^2 phi / (p1-p0)^2, k = w / (1-w),
    p1 = p0 r, P = (k p1 + p0) / (1+k).

    Args:
        baseline: event probability p0 of the stable version, strictly between 0 and 1.
        ratio: the change r to detect, not 1, with p0 r < 1.
        weight: canary share, strictly between 0 and 1.
        alpha: chance of calling a good canary bad.
        power: chance of calling the changed canary bad.
        design_effect: variance of clustered requests over that of independent ones, >= 1.

    Raises:
        ValueError: an argument is outside its domain.
    """
    null, changed = _spreads(baseline, change(ratio), weight)
    z_alpha, z_power = -normal_quantile(alpha), normal_quantile(power)
    needed = (max(0.0, z_alpha * null + z_power * changed) / (baseline * (ratio - 1.0))) ** 2
    return needed * at_least_one("design effect", design_effect)


def power_z(
    baseline: float,
    ratio: float,
    weight: float,
    canary_requests: float,
    *,
    alpha: float = 0.05,
    design_effect: float = 1.0,
) -> float:
    """Power of the one-sided z test with a given number of canary requests; arguments as for `n_canary`.

    Phi((|p1-p0| sqrt(n/phi) - z_alpha sqrt(P (1-P) (1+k))) / sqrt(p1 (1-p1) + k p0 (1-p0))).

    Raises:
        ValueError: an argument is outside its domain.
    """
    null, changed = _spreads(baseline, change(ratio), weight)
    effective = positive("canary requests", canary_requests) / at_least_one("design effect", design_effect)
    gap = abs(baseline * (ratio - 1.0)) * math.sqrt(effective)
    return normal_cdf((gap + normal_quantile(alpha) * null) / changed)


def mde_z(
    baseline: float,
    weight: float,
    canary_requests: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> float | None:
    """Smallest relative drop, 0..1, that the one-sided z test detects with the given power; None if none.

    By bisection on `power_z`, to 1e-12, rounded towards the larger drop.

    Raises:
        ValueError: an argument is outside its domain.
    """
    open_probability("power", power)

    def caught(drop: float) -> bool:
        reached = power_z(
            baseline, 1.0 - drop, weight, canary_requests, alpha=alpha, design_effect=design_effect
        )
        return reached >= power

    low, high = 0.0, 1.0 - 1e-12
    if not caught(high):
        return None
    while high - low > 1e-12:
        middle = 0.5 * (low + high)
        if caught(middle):
            high = middle
        else:
            low = middle
    return high
