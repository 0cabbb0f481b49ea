"""What running models costs, by the platform's prices."""

from __future__ import annotations

import math

from generator.plan.peak import Need
from generator.spec.platform import Prices

HOURS = 730.0
"""Hours of an average month: 365 x 24 / 12."""


def monthly(need: Need, prices: Prices) -> float:
    """Cost of some pods for a month, in the prices' currency; what has no price costs nothing."""
    per_hour = (
        (need.cpu, prices.cpu_hour),
        (need.memory / 2**30, prices.memory_hour),
        (need.gpu, prices.gpu_hour),
    )
    return HOURS * math.fsum(amount * price.amount for amount, price in per_hour if price)


def currencies(prices: Prices) -> list[str]:
    """Currencies of the prices, sorted."""
    given = (prices.cpu_hour, prices.memory_hour, prices.gpu_hour)
    return sorted({price.currency for price in given if price})
