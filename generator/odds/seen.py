"""The power that guards could have had with the traffic that a release really got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from generator.dataclass import dataclass
from generator.odds.odds import odds_of, priced_ratio, stopped
from generator.plan.guards import Comparison
from generator.plan.values import Plan
from generator.stats.timeline import Phase


@dataclass(frozen=True, slots=True)
class SeenStep:
    """One weight step as it was.

    Args:
        weight: in percent.
        seconds: how long it lasted.
        requests: canary requests.
    """

    weight: int
    seconds: float
    requests: float


def seen_power(plan: Plan, steps: Sequence[SeenStep]) -> dict[str, float]:
    """Return the power of each guard that has odds, with the requests of each step.

    The rate of all requests is the mean over the release; each step lasts as long as it takes its requests to come at
    that rate, so their number is exact. Baselines are those of the plan.

    Args:
        plan: what ran; its odds decide which guards have power.
        steps: its weight steps; a step that was skipped or not counted has no requests.
    """
    odds = odds_of(plan)
    weighted_s = sum(step.weight / 100 * step.seconds for step in steps)
    requests = sum(step.requests for step in steps)
    if odds is None:
        return {}
    if requests <= 0 or weighted_s <= 0:
        return dict.fromkeys((guard.name for guard, _ in odds.guards), 0.0)
    rate = requests / weighted_s
    phases = tuple(Phase(step.weight / 100, step.requests / (rate * step.weight / 100)) for step in steps)
    seen = replace(plan, min_rps=rate)
    found = {}
    for guard, _ in odds.guards:
        ratio = guard.ratio if isinstance(guard, Comparison) else priced_ratio(guard)
        stop = stopped(seen, guard, phases, ratio)
        found[guard.name] = stop.probability if stop else 0.0
    return found
