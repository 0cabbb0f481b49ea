"""The share of the users that meets a new version, step by step, whatever decides it: weights, whole pods, cohorts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from generator.dataclass import dataclass
from generator.plan.values import Capacity, Plan
from generator.spec.platform import KnownCohort
from generator.spec.rollout import ApproveStep, Cohort, CohortStep

EVERYBODY: Final = 1.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """A part of a rollout in which the share does not change.

    Args:
        share: largest share of live requests that the new version may answer.
        held_s: seconds for which it is planned.
        step: position of the step; None for the switch of a blue-green and for the promotion after the last step.
        why: where the share comes from, for messages: "the weight of 5%".
        cohort: a header decides who belongs to it.
    """

    share: float
    held_s: float
    step: int | None
    why: str
    cohort: bool = False


def exposures(plan: Plan) -> tuple[Exposure, ...]:
    """Return what users meet, in order; the last entry is always everybody.

    Approvals are left out: the share stays, for as long as a person takes. Copies of requests meet no user.
    """
    if plan.rollout.strategy == "blue-green":
        return (Exposure(EVERYBODY, plan.rollout.watch, None, "the switch of all requests"),)
    found = []
    weight, cohorts = 0.0, iter(plan.cohort_shares)
    for index, step in enumerate(plan.rollout.steps):
        if isinstance(step, ApproveStep):
            continue
        if isinstance(step, CohortStep):
            share = next(cohorts)
            # Requests of the cohort go to the new version, and the weight's share of the others.
            met = share + (1 - share) * weight
            found.append(Exposure(met, step.hold, index, _cohort(step.cohort, share), cohort=True))
            continue
        weight = weight_share(plan, step.weight)
        found.append(Exposure(weight, step.hold, index, _weight(plan, step.weight, weight)))
    return (*found, Exposure(EVERYBODY, 0.0, None, "the promotion after the last step"))


def weight_share(plan: Plan, weight: int) -> float:
    """Return the largest share that a weight (whole percent) gives: without a router, that of the pods, rounded up.

    Argo Rollouts 1.10, utils/replicaset/canary.go: a canary without traffic routing has at least one pod. An
    autoscaler may choose any number of pods.
    """
    if plan.routing.router.splits_requests:
        return weight / 100
    counts = _pod_counts(plan.capacity)
    return max(math.ceil(weight * pods / 100) / pods for pods in counts)


def _pod_counts(capacity: Capacity) -> range:
    """Return every number of pods that the model may have; at least one, also where the bounds are swapped."""
    least = max(capacity.min_replicas, 1)
    return range(least, max(capacity.max_replicas, least) + 1)


def cohort_shares(steps: Sequence[object], known: Sequence[KnownCohort]) -> tuple[float, ...]:
    """Return the share of each cohort in some steps, in order: everybody unless the platform lists that cohort."""
    return tuple(_known_share(step.cohort, known) for step in steps if isinstance(step, CohortStep))


def _known_share(cohort: Cohort, known: Sequence[KnownCohort]) -> float:
    """Return the listed share; the names of headers have no case (RFC 9110, section 5.1), their values do."""
    shares = (
        listed.share
        for listed in known
        if listed.header.lower() == cohort.header.lower()
        and (listed.match, listed.value) == (cohort.match, cohort.value)
    )
    return max(shares, default=EVERYBODY)


def _cohort(cohort: Cohort, share: float) -> str:
    if share < EVERYBODY:
        return f"the cohort `{cohort.header}`"
    return f"the cohort `{cohort.header}`, whose size the platform does not list,"


def _weight(plan: Plan, weight: int, share: float) -> str:
    if share <= weight / 100:
        return f"the weight of {weight}%"
    pods = max(plan.capacity.min_replicas, 1)
    return f"the weight of {weight}%, in whole pods of {pods} or more,"
