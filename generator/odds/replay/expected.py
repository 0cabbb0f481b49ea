"""What the closed forms say of a scenario: each guard alone, and whichever of them is first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generator.odds.odds import LATENCY_S, latency_s, phases
from generator.plan.guards import Comparison, Limit
from generator.plan.measurements import LIMIT_FAILURES
from generator.plan.values import Plan
from generator.stats.delay import mask_dead_time
from generator.stats.passage import Sprt, sprt_stops
from generator.stats.runs import run_stops
from generator.stats.sequential import boundary
from generator.stats.timeline import Detection, Phase, Stop, detection
from generator.stats.windows import WindowGuard, window_looks


@dataclass(frozen=True, slots=True)
class Expected:
    """Odds of one scenario.

    Args:
        whole: of a rollback by any guard, the guards taken as independent.
        by_guard: of a rollback by each guard, were it alone.
    """

    whole: Detection
    by_guard: Mapping[str, Detection]


def expected(
    plan: Plan, guards: Sequence[Comparison | Limit], ratios: Mapping[str, float]
) -> Expected | None:
    """The odds of a canary whose events have these rates over stable's; None for a blue-green switch.

    Args:
        plan: with `min_rps` declared.
        guards: those that are simulated, each with a baseline.
        ratios: event rate of the canary over stable's, by guard.
    """
    if not phases(plan.rollout):
        return None
    steps, rps = phases(plan.rollout), plan.min_rps or 0.0
    stops = {guard.name: _stops(plan, guard, steps, ratios[guard.name]) for guard in guards}
    late = {guard.name: latency_s(plan) if isinstance(guard, Comparison) else LATENCY_S for guard in guards}
    alone = {name: detection(steps, rps, found, late[name]) for name, found in stops.items()}
    return Expected(detection(steps, rps, _first(list(stops.values())), latency_s(plan)), alone)


def _stops(plan: Plan, guard: Comparison | Limit, steps: Sequence[Phase], ratio: float) -> list[Stop]:
    rps, baseline = plan.min_rps or 0.0, guard.baseline or 0.0
    if isinstance(guard, Limit):
        return run_stops(
            window_looks(_window(plan, guard), steps, rps, min(1.0, baseline * ratio)), LIMIT_FAILURES
        )
    limit, dead, look = boundary(guard.alpha), mask_dead_time(guard.mask_s), plan.clock.interval_s
    test = Sprt(baseline, guard.ratio, limit, dead, plan.design_effect, look)
    return sprt_stops(test, steps, rps, ratio)


def _window(plan: Plan, guard: Limit) -> WindowGuard:
    return WindowGuard(
        limit=guard.limit,
        bound="at_most" if guard.more_is_worse else "at_least",
        window_s=plan.clock.window_s,
        interval_s=plan.clock.interval_s,
        failure_limit=LIMIT_FAILURES,
        first_look_s=guard.first_s(plan.clock),
        empty_fails=False,
        design_effect=plan.design_effect,
    )


def _first(stops: Sequence[Sequence[Stop]]) -> list[Stop]:
    """When the first of several guards stops: 1 - product of (1 - P(stopped by then))."""
    times = sorted({stop.last_s for found in stops for stop in found})
    merged, going = [], 1.0
    reached, position = [0.0] * len(stops), [0] * len(stops)
    for time in times:
        for i, found in enumerate(stops):
            while position[i] < len(found) and found[position[i]].last_s <= time:
                reached[i] += found[position[i]].mass
                position[i] += 1
        left = math.prod(1 - min(1.0, share) for share in reached)
        merged.append(Stop(time, time, max(0.0, going - left)))
        going = left
    return merged
