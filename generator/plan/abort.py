"""What an abort does: to live requests, to pods and to git.

Sources: argo-rollouts rollout/trafficrouting.go, canary.go, service.go and replicaset.go (1.9 and 1.10).
"""

from __future__ import annotations

from dataclasses import dataclass

from generator.plan.values import Plan

KEEP_ABORTED_S = 60
"""Seconds that the pods of an aborted version stay (rendered `abortScaleDownDelaySeconds`)."""


@dataclass(frozen=True, slots=True)
class Abort:
    """What an abort does at one stage, in order.

    Args:
        stage: when.
        effects: one sentence each.
    """

    stage: str
    effects: tuple[str, ...]


_KEPT = f"the new version's pods stay for {KEEP_ABORTED_S}s, for logs, then go"
_ALWAYS = Abort(
    "in every case",
    (
        "the Rollout is Degraded (RolloutAborted) and running analyses end",
        "git is unchanged, so Argo CD shows Synced and Degraded; any later change of the pods tries the version again",
        "the way back is a revert of the commit: it returns to the stable version at once, without analysis",
        "`retry` tries the same version again, from the first step",
    ),
)


_TRAP = (
    "trap: if the new pods crash, or a person has paused the Rollout, the controller may not switch back;"
    " an alert on the service itself is needed"
)


def on_abort(plan: Plan) -> tuple[Abort, ...]:
    """What an abort does, by stage."""
    if plan.rollout.strategy == "blue-green":
        return _blue_green()
    router = plan.routing.router
    headers = ("the header route of the cohort is removed",) if plan.rollout.cohort_steps else ()
    kept = (_KEPT,) if router.splits_requests else ()
    shadow = ("copied requests go on: the mirror is part of the bundle, and only git takes it away",)
    stages = [Abort("while it has live requests", (*router.abort, *headers, *kept))]
    if plan.rollout.shadow:
        stages.insert(0, Abort("while it is shadowed", ("live requests were never touched", *shadow)))
    return (*stages, _ALWAYS)


def _blue_green() -> tuple[Abort, ...]:
    before = (
        "live requests were never touched: the active Service does not move",
        f"the preview pods stay for {KEEP_ABORTED_S}s, then go",
    )
    after = (
        "while the old pods are kept, the active Service is pointed at them again, at once",
        _TRAP,
        _KEPT,
    )
    return (Abort("before the switch", before), Abort("after the switch", after), _ALWAYS)
