"""A replayed release: the schedule of its plan (the rendered metrics of its guards, its steps) and its course."""

from __future__ import annotations

from collections.abc import Iterator

from generator.dataclass import dataclass
from generator.odds.replay.walk import Course, Schedule, Stage
from generator.plan.exposure import EVERYBODY
from generator.plan.values import Plan
from generator.render.metrics import evidence_metrics, live_metrics
from generator.spec.rollout import ApproveStep, BlueGreen, Canary, CohortStep, WeightStep


def schedule_of(plan: Plan) -> Schedule:
    """Return what the controller measures when: from the first weight of a canary, or from a switch.

    The analysis of a shadow runs before the first weight and is not part of it.
    """
    background = tuple(live_metrics(plan))
    if isinstance(plan.rollout, BlueGreen):
        return Schedule(background, (Stage(0, 100, 0.0, ()),), completes=True)
    return Schedule(background, tuple(_stages(plan, plan.rollout)))


def _stages(plan: Plan, rollout: Canary) -> Iterator[Stage]:
    """Yield weights and cohorts with their holds; approvals are left out."""
    weight, shares = 0, iter(plan.cohort_shares)
    for position, step in enumerate(rollout.steps):
        if isinstance(step, ApproveStep):
            continue
        weight = step.weight if isinstance(step, WeightStep) else weight
        share = next(shares) if isinstance(step, CohortStep) else 0.0
        cohort = share if share < EVERYBODY else 0.0
        yield Stage(position, weight, step.hold, tuple(evidence_metrics(plan, position)), cohort)


@dataclass(frozen=True, slots=True)
class Replayed:
    """One replayed release.

    Args:
        plan: its plan.
        source: the source of the measurements, for people.
        schedule: what is measured, and when.
        skipped: guards without numbers.
        course: its course.
        exposed: requests that the canary served until its traffic ended; None if they were not counted.
    """

    plan: Plan
    source: str
    schedule: Schedule
    skipped: tuple[str, ...]
    course: Course
    exposed: float | None

    @property
    def title(self) -> str:
        """The model, the environment and the source."""
        identity = self.plan.identity
        return f"{identity.team}/{identity.model} in {identity.environment}, {self.source}"
