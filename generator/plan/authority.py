"""Who may do what in a release: in git, and at the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator.plan.timeline import approver
from generator.plan.values import Plan
from generator.spec.platform import PlatformSpec


@dataclass(frozen=True, slots=True)
class Power:
    """What somebody may do, and by what means."""

    who: str
    may: str
    how: str


def powers(plan: Plan, platform: PlatformSpec) -> tuple[Power, ...]:
    """Who may do what in this release."""
    return (*_git(plan, platform), *_cluster(plan))


def _git(plan: Plan, platform: PlatformSpec) -> Iterator[Power]:
    team = platform.teams.get(plan.identity.team)
    owners = ", ".join(team.owners) if team else plan.identity.owner
    folder = f"specs/{plan.identity.team}/"
    yield Power(
        owners, "start a release, change it, take it back", f"a merge or a revert below {folder} (CODEOWNERS)"
    )
    yield Power("the platform team", "change tiers, ceilings and waivers", "a merge in specs/platform.yaml")
    for gate in plan.gates:
        if gate.waiver:
            yield Power(gate.waiver.approved_by, f"waive the gate {gate.name}", f"until {gate.waiver.until}")


def _cluster(plan: Plan) -> Iterator[Power]:
    for role in dict.fromkeys(plan.rollout.approvals):
        yield Power(
            approver(role),
            "let the rollout go on after it has looked",
            "Argo CD action `resume` on the Rollout",
        )
    yield Power("whom Argo CD's policy allows", "abort, pause or retry", "Argo CD actions on the Rollout")
    text = "Argo CD actions `promote-full` and `skip-current-step`: they skip every guard"
    yield Power(
        "whom Argo CD's policy allows", "go on without analysis", f"{text}; give them to approvers only"
    )
