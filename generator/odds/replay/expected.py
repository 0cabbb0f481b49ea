"""The closed-form odds of a scenario, to compare with its simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from generator.dataclass import dataclass
from generator.odds.odds import LATENCY_S, counted, latency_s, phases, sequential_test, window_guard
from generator.plan.guards import Comparison, Limit
from generator.plan.measurements import LIMIT_FAILURES
from generator.plan.values import Plan
from generator.stats.passage import sprt_stops
from generator.stats.runs import run_stops
from generator.stats.timeline import Detection, Rollout, Stop, detection
from generator.stats.windows import window_looks


@dataclass(frozen=True, slots=True)
class Expected:
    """Odds of one scenario.

    Args:
        whole: odds of a rollback by any guard, as if the guards were independent.
        by_guard: odds of a rollback by each guard alone.
    """

    whole: Detection
    by_guard: Mapping[str, Detection]


def expected(
    plan: Plan, guards: Sequence[Comparison | Limit], ratios: Mapping[str, float]
) -> Expected | None:
    """Return the odds of a canary with the event rates of a scenario; None for a blue-green switch.

    Args:
        plan: a plan with `min_rps` declared.
        guards: the simulated guards, each with a baseline.
        ratios: event rate of the canary over stable's, by guard.
    """
    if not phases(plan.rollout):
        return None
    rollout = Rollout(phases(plan.rollout), plan.min_rps or 0.0)
    stops = {guard.name: _stops(plan, guard, rollout, ratios[guard.name]) for guard in guards}
    latencies = {
        guard.name: latency_s(plan) if isinstance(guard, Comparison) else LATENCY_S for guard in guards
    }
    alone = {name: detection(rollout, found, latencies[name]) for name, found in stops.items()}
    return Expected(detection(rollout, _first(list(stops.values())), latency_s(plan)), alone)


def _stops(plan: Plan, guard: Comparison | Limit, rollout: Rollout, ratio: float) -> list[Stop]:
    match guard:
        case Comparison():
            return sprt_stops(sequential_test(plan, guard), counted(plan, guard, rollout), ratio)
        case Limit():
            # The odds of a plan are simpler: they count no data as a failure.
            window = replace(window_guard(plan, guard), empty_fails=False)
            changed = min(1.0, (guard.baseline or 0.0) * ratio)
            return run_stops(window_looks(window, rollout, changed), LIMIT_FAILURES)
        case _:
            assert_never(guard)


def _first(stops: Sequence[Sequence[Stop]]) -> list[Stop]:
    """Return the stops by the first of several independent guards: 1 - product of (1 - P(stopped by then))."""
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
