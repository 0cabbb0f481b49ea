"""When guards look: one clock for the rendered metrics, the story that `plan` tells, the odds and the replay."""

from __future__ import annotations

from generator.plan.strategy import Guard
from generator.plan.values import Plan

WINDOW_LOOKS = 5
"""Looks that share a request: an absolute limit is judged over this many intervals."""
PARITY_LOOKS = 5
"""A fairness guard looks this much more seldom: its window is the whole release, it changes slowly."""
CATCH_UP_LOOKS = 5
"""Looks that late data gets at the end of a step."""
ALIVE = 0.8
"""Share of scrapes that the new pods must answer after a switch."""
LIMIT_FAILURES = 1
"""Failures that an absolute limit forgives."""


def window_s(plan: Plan) -> float:
    """Seconds of requests that an absolute limit is judged over."""
    return WINDOW_LOOKS * plan.monitoring.look_s


def catch_up_s(plan: Plan) -> float:
    """Seconds that late data gets at the end of a step: from the first look to the last."""
    return (CATCH_UP_LOOKS - 1) * plan.monitoring.look_s


def first_look_s(plan: Plan, guard: Guard) -> float:
    """Seconds from the start of an analysis to the first look of a guard."""
    if guard.kind == "fairness":
        return 2 * plan.monitoring.scrape_s
    return 0.0 if guard.ratio is not None else window_s(plan) + 2 * plan.monitoring.scrape_s


def interval_s(plan: Plan, guard: Guard) -> float:
    """Seconds between two looks of a guard of a canary."""
    return (PARITY_LOOKS if guard.kind == "fairness" else 1) * plan.monitoring.look_s


def alive_looks(plan: Plan, watch_s: float) -> int:
    """Looks at whether the pods answer after a switch: from one interval after it to the end."""
    return max(3, int(watch_s / plan.monitoring.look_s))


def watch_looks(plan: Plan, watch_s: float) -> int:
    """Looks of a limit after a switch: one an interval once the first window is full, three at least."""
    return max(3, round((watch_s - window_s(plan)) / plan.monitoring.look_s))
