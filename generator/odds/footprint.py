"""What models need of a cluster, and what that costs by the platform's prices.

The footprint of a plan is small on purpose: plans of ten thousand models would fill the memory of a machine; their
footprints do not, and they travel between processes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from generator.plan.peak import Need, peak, steady_state
from generator.plan.values import Plan
from generator.spec.platform import Prices

HOURS: Final = 730.0
"""Hours of an average month: 365 x 24 / 12."""


@dataclass(frozen=True, slots=True)
class ResourceFootprint:
    """One plan among many.

    Args:
        team: whose model it is.
        model: its name.
        environment: where it runs.
        tier: whose defaults it has.
        peak: what it needs at the peak of a release.
        steady_state: what it needs between releases, with the fewest pods.
        scaled_up: the same with every pod that its autoscaler may start.
        hosts: names that its route answers for, in the order of the spec.
    """

    team: str
    model: str
    environment: str
    tier: str
    peak: Need
    steady_state: Need
    scaled_up: Need
    hosts: tuple[str, ...]


def footprint(plan: Plan) -> ResourceFootprint:
    """Return the footprint of a plan."""
    identity, routing = plan.identity, plan.routing
    return ResourceFootprint(
        team=identity.team,
        model=identity.model,
        environment=identity.environment,
        tier=identity.tier,
        peak=peak(plan).total,
        steady_state=steady_state(plan),
        scaled_up=steady_state(plan, scaled_up=True),
        hosts=tuple(routing.hosts) if routing.router.splits_requests else (),
    )


def monthly(need: Need, prices: Prices) -> float:
    """Return the cost of some pods for a month, in the prices' currency; what has no price costs nothing."""
    per_hour = (
        (need.cpu, prices.cpu_hour),
        (need.memory / 2**30, prices.memory_hour),
        (need.gpu, prices.gpu_hour),
    )
    return HOURS * math.fsum(amount * price.amount for amount, price in per_hour if price)


def currencies(prices: Prices) -> list[str]:
    """Return the currencies of the prices, sorted."""
    given = (prices.cpu_hour, prices.memory_hour, prices.gpu_hour)
    return sorted({price.currency for price in given if price})
