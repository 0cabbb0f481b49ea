"""The people of a release: who owns it, who may do what in git and at the cluster, and who is notified.

Sources: GitHub's and GitLab's CODEOWNERS; argo-rollouts docs/features/notifications.md (triggers are named after
events); notifications-engine pkg/subscriptions (the form of the annotations).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from generator.dataclass import dataclass
from generator.plan.guards import Guard
from generator.plan.model_files import PLATFORM, SPECS
from generator.plan.timeline import approver
from generator.plan.values import Plan
from generator.spec.platform import PlatformSpec

ABORTED: Final = "on-rollout-aborted"
COMPLETED: Final = "on-rollout-completed"
TRIGGERS: Final = (ABORTED, "on-analysis-run-inconclusive", "on-rollout-paused", COMPLETED)
ARGOCD_TRIGGERS: Final = ("on-health-degraded", "on-sync-failed")
REVERT, RECORD = "revert", "record"
_SUBSCRIBE: Final = "notifications.argoproj.io/subscribe.{}.{}"
# What CI and git read at the top of a repository; where others share the top, only what is Sluice's.
_OWN_TOP: Final = ("/.github/", "/.gitlab/", "CODEOWNERS", ".gitattributes", ".gitmodules")
_SHARED_TOP: Final = ("/.github/workflows/sluice*.yml",)
# What both hosts understand: a user or group, or the e-mail address of one.
_OWNER: Final = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_./-]*|[^\s@#]+@[^\s@#]+\.[^\s@#]+")


def is_owner(text: str) -> bool:
    """Return whether GitHub and GitLab accept this as a CODEOWNERS owner: of anything else they skip the whole line."""
    return _OWNER.fullmatch(text) is not None


def codeowners(platform: PlatformSpec) -> list[str]:
    """Return the CODEOWNERS lines; the last pattern that matches a file decides.

    Everything belongs to the platform team, except the specs of each team and what is rendered from them. The last
    rows repeat what the name of a team must not reach, and what people look for.
    """
    folder, top = platform.git.path, platform.git.from_top
    found = _row(f"/{platform.git.root}/" if platform.git.root else "*", platform.owners)
    for name in sorted(platform.teams):
        for path in (f"{SPECS}/{name}/", f"{folder}/*/{name}/"):
            found += _row(f"/{top(path)}", platform.teams[name].owners)
    for path in (
        f"{SPECS}/{PLATFORM}", "templates/", f"{folder}/*/argocd/", f"{folder}/*/platform/", f"{folder}/gates/",
        "bootstrap/", "ci/", ".gitlab-ci.yml", ".pre-commit-config.yaml",
    ):  # fmt: skip
        found += _row(f"/{top(path)}", platform.owners)
    for pattern in _SHARED_TOP if platform.git.root else _OWN_TOP:
        found += _row(pattern, platform.owners)
    return found


def _row(pattern: str, owners: Sequence[str]) -> list[str]:
    known = [owner for owner in owners if is_owner(owner)]
    return [f"{pattern} {' '.join(known)}"] if known else []


@dataclass(frozen=True, slots=True)
class Power:
    """An action that a person may take, and how."""

    who: str
    may: str
    how: str


def powers(plan: Plan, platform: PlatformSpec) -> tuple[Power, ...]:
    """Return who may do what in this release."""
    return (*_in_git(plan, platform), *_at_cluster(plan))


def _in_git(plan: Plan, platform: PlatformSpec) -> Iterator[Power]:
    team = platform.teams.get(plan.identity.team)
    owners = ", ".join(team.owners) if team else plan.identity.owner
    folder = f"specs/{plan.identity.team}/"
    yield Power(
        owners, "start, change or revert a release", f"a merge or a revert below {folder} (CODEOWNERS)"
    )
    yield Power("the platform team", "change tiers, ceilings and waivers", "a merge in specs/platform.yaml")
    for gate in plan.gates:
        if gate.waiver:
            yield Power(gate.waiver.approved_by, f"waive the gate {gate.name}", f"until {gate.waiver.until}")


def _at_cluster(plan: Plan) -> Iterator[Power]:
    for role in dict.fromkeys(plan.rollout.approvals):
        yield Power(approver(role), "let a paused rollout continue", "Argo CD action `resume` on the Rollout")
    allowed = "anyone Argo CD's RBAC allows"
    yield Power(allowed, "abort, pause or retry", "Argo CD actions on the Rollout")
    actions = "Argo CD actions `promote-full` and `skip-current-step`, which skip every guard"
    yield Power(allowed, "continue without analysis", f"{actions}; grant them to approvers only")


def subscriptions(platform: PlatformSpec, team: str, triggers: tuple[str, ...]) -> dict[str, str]:
    """Return annotations that subscribe a team to triggers; none where the platform configures no notifications."""
    notify = platform.teams[team].notify
    if platform.notifications is None or notify is None:
        return {}
    services = {"slack": ";".join(notify.slack), "email": ";".join(notify.email)}
    found = {
        _SUBSCRIBE.format(trigger, service): recipients
        for trigger in triggers
        for service, recipients in services.items()
        if recipients
    }
    return found | {_SUBSCRIBE.format(trigger, name): "" for trigger in triggers for name in notify.webhooks}


def rollout_notices(platform: PlatformSpec, team: str, guards: Sequence[Guard]) -> dict[str, str]:
    """Return annotations of a Rollout: who is notified, and what each guard stops a release for, by metric name."""
    if platform.notifications is None:
        return {}
    notices = subscriptions(platform, team, TRIGGERS)
    if platform.notifications.revert:
        notices[_SUBSCRIBE.format(ABORTED, REVERT)] = ""
    if platform.notifications.record:
        notices |= {_SUBSCRIBE.format(trigger, RECORD): "" for trigger in (ABORTED, COMPLETED)}
    stops = {name: guard.describe() for guard in guards for name in guard.metric_names}
    return {**notices, **{f"sluice.dev/guard.{name}"[:74].rstrip("-."): text for name, text in stops.items()}}
