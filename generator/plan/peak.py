"""The most pods that a release has running at once."""

from __future__ import annotations

import math

from generator.plan.values import BlueGreen, Plan

_SURGE = 0.25


def peak_pods(plan: Plan) -> int:
    """Most pods during a release, with the stable version at its largest.

    With a router, and in a blue-green, both versions run whole at the moment of promotion; without one the surge is a
    quarter (rendered `maxSurge`). A shadow adds its own pods, whose number follows the smallest stable version.
    """
    stable = plan.capacity.most
    if isinstance(plan.rollout, BlueGreen):
        return 2 * stable
    shadow = plan.rollout.shadow
    copies = max(1, math.ceil(plan.capacity.fewest * shadow.percent)) if shadow else 0
    together = stable + math.ceil(stable * _SURGE) if plan.routing.kind == "none" else 2 * stable
    return together + copies
