"""The resources that models need, and what they cost by the platform's prices.

A footprint is intentionally small: the plans of ten thousand models would fill the memory of a machine, their
footprints
do not, and they are passed between processes.
"""

from __future__ import annotations

import math
from typing import Final

from generator.dataclass import dataclass
from generator.plan.names import kept_names
from generator.plan.peak import Need, peak, steady_state
from generator.plan.values import Plan
from generator.spec.platform import Prices

HOURS: Final = 730.0
"""Hours of an average month: 365 x 24 / 12."""


@dataclass(frozen=True, slots=True)
class ResourceFootprint:
    """The resources and hosts of one plan.

    Args:
        team: team of the model.
        model: name of the model.
        environment: environment that it runs in.
        tier: tier of the model.
        peak: need at the peak of a release.
        steady_state: need between releases, with the smallest number of pods.
        scaled_up: the same with the largest number of pods.
        hosts: host names of its route, in the order of the spec.
        kept: kind and name of the objects that keep a name, by the key of the spec.
    """

    team: str
    model: str
    environment: str
    tier: str
    peak: Need
    steady_state: Need
    scaled_up: Need
    hosts: tuple[str, ...]
    kept: tuple[tuple[str, tuple[str, str]], ...] = ()


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
        kept=tuple(kept_names(plan).items()),
    )


def monthly(need: Need, prices: Prices) -> float:
    """Return the monthly cost of some pods, in the currency of the prices; a resource without a price costs nothing."""
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
