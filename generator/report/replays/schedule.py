"""The schedule of a plan: the rendered metrics of its guards, and its steps."""

from __future__ import annotations

from collections.abc import Iterator

from generator.odds.replay.walk import Schedule, Stage
from generator.plan.values import Plan
from generator.promql.metric import Metric
from generator.render.metrics import evidence_metrics, live_metrics
from generator.spec.rollout import ApproveStep, BlueGreen, Canary, WeightStep


def schedule_of(plan: Plan) -> Schedule:
    """Return what the controller measures when: from the first weight of a canary, or from a switch.

    A shadow has a run of its own before the first weight; it is not part of this.
    """
    background = tuple(live_metrics(plan))
    if isinstance(plan.rollout, BlueGreen):
        return Schedule(background, (Stage(0, 100, 0.0, ()),), completes=True)
    return Schedule(background, tuple(_stages(plan, plan.rollout)))


def _stages(plan: Plan, rollout: Canary) -> Iterator[Stage]:
    """Weights and cohorts with their holds; an approval takes no time of its own."""
    weight = 0
    for position, step in enumerate(rollout.steps):
        if isinstance(step, ApproveStep):
            continue
        evidence: tuple[Metric, ...] = ()
        if isinstance(step, WeightStep):
            weight, evidence = step.weight, tuple(evidence_metrics(plan, position))
        yield Stage(position, weight, step.hold, evidence)
