"""The schedule of a plan: the metrics that are rendered, and the same numbers computed from two counters."""

from __future__ import annotations

import math
from collections.abc import Iterator

from generator.odds.replay.machine import Limits, Timing
from generator.odds.replay.schedule import Kind, Measure, Ratio, Schedule, Seen, Stage, Watched
from generator.plan.looks import window_s
from generator.plan.strategy import Canary, Guard, Step
from generator.plan.values import Plan
from generator.render.metrics import (
    EVENT_SHARE,
    FLOOR,
    Metric,
    boundary,
    evidence_metrics,
    guard_metrics,
    horizon_s,
    planned,
    sequential_test,
    watch_metrics,
)  # fmt: skip

# As the templates write it (templates/kubernetes/analysistemplate.yaml.j2).
_ERROR_LIMIT = 30


def schedule_of(plan: Plan) -> Schedule:
    """What the controller will look at, when: from the first weight of a canary, or from a switch.

    A shadow has a run of its own before the first weight; it is no part of this.
    """
    rollout = plan.rollout
    if not isinstance(rollout, Canary):
        background = tuple(
            _watched(guard, metric, "limit", guard.limit or 0.0, Ratio(window_s(plan), FLOOR))
            for guard in rollout.guards
            for metric in watch_metrics(plan, guard, rollout.watch_s)
        )
        return Schedule(background, (Stage(0, 100, 0.0, ()),), completes=True)
    return Schedule(tuple(_background(plan, rollout)), tuple(_stages(plan, rollout)))


def _background(plan: Plan, rollout: Canary) -> Iterator[Watched]:
    for guard in rollout.guards:
        for metric in guard_metrics(plan, guard):
            if guard.kind == "fairness":
                yield _watched(guard, metric, "parity", guard.limit or 0.0, None)
            elif guard.ratio is not None:
                yield _watched(guard, metric, "sequential", boundary(guard), sequential_test(plan, guard))
            else:
                yield _watched(guard, metric, "limit", guard.limit or 0.0, Ratio(window_s(plan), FLOOR))


def _stages(plan: Plan, rollout: Canary) -> Iterator[Stage]:
    """Weights and cohorts with their holds; an approval takes no time of its own."""
    weight = 0
    for position, step in enumerate(rollout.steps):
        if step.approve:
            continue
        weight = weight if step.weight is None else step.weight
        yield Stage(position, weight, step.hold_s, tuple(_evidence(plan, rollout, position, step)))


def _evidence(plan: Plan, rollout: Canary, position: int, step: Step) -> Iterator[Watched]:
    if step.weight is None:
        return
    for guard in rollout.guards:
        requests, events = planned(plan, rollout, guard, position)
        for metric in evidence_metrics(plan, guard, position):
            if guard.kind == "fairness":
                yield _watched(guard, metric, "evidence", guard.limit or 0.0, None)
            else:
                seen = Seen(horizon_s(plan), max(1, math.floor(EVENT_SHARE * events)))
                yield _watched(guard, metric, "evidence", requests, seen)


def _watched(guard: Guard, metric: Metric, kind: Kind, bound: float, measure: Measure | None) -> Watched:
    count = metric.count or (None if metric.interval_s else 1)
    limits = Limits(
        count, metric.failure_limit, metric.inconclusive_limit, _ERROR_LIMIT, metric.success_limit
    )
    timing = Timing(metric.interval_s, metric.initial_delay_s)
    return Watched(
        metric.name, guard.name, kind, metric.query, metric.condition, bound, timing, limits, measure
    )
