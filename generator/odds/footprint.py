"""What a plan weighs beside others: all that rules over several models see of it.

Small on purpose. Plans of ten thousand models would fill the memory of a machine; their footprints do not, and they
travel between processes.
"""

from __future__ import annotations

from dataclasses import dataclass

from generator.plan.peak import Need, peak, steady
from generator.plan.values import Plan


@dataclass(frozen=True, slots=True)
class Footprint:
    """One plan among many.

    Args:
        team: whose model it is.
        model: its name.
        environment: where it runs.
        tier: whose defaults it has.
        most: what it needs at the peak of a release.
        usual: what it needs between releases, with the fewest pods.
        scaled: the same with every pod that its autoscaler may start.
        hosts: names that its route answers for, in the order of the spec.
    """

    team: str
    model: str
    environment: str
    tier: str
    most: Need
    usual: Need
    scaled: Need
    hosts: tuple[str, ...]


def footprint(plan: Plan) -> Footprint:
    """What a plan weighs."""
    identity, routing = plan.identity, plan.routing
    return Footprint(
        team=identity.team,
        model=identity.model,
        environment=identity.environment,
        tier=identity.tier,
        most=peak(plan).total,
        usual=steady(plan),
        scaled=steady(plan, most=True),
        hosts=tuple(routing.hosts) if routing.router.splits_requests else (),
    )
