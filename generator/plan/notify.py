"""Who is told of a release: subscriptions as annotations, and the guards in words.

Source: argo-rollouts docs/features/notifications.md (triggers are named after events), notifications-engine
pkg/subscriptions (the form of the annotations).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from generator.plan.guards import Guard
from generator.spec.platform import PlatformSpec

ABORTED: Final = "on-rollout-aborted"
TRIGGERS: Final = (ABORTED, "on-analysis-run-inconclusive", "on-rollout-paused", "on-rollout-completed")
ARGOCD_TRIGGERS: Final = ("on-health-degraded", "on-sync-failed")
REVERT: Final = "revert"
_SUBSCRIBE: Final = "notifications.argoproj.io/subscribe.{}.{}"


def subscriptions(platform: PlatformSpec, team: str, triggers: tuple[str, ...]) -> dict[str, str]:
    """Annotations that subscribe a team to triggers; none where the platform configures no notifications."""
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
    """Annotations of a Rollout: who is told, and what each guard stops a release for, by the name of its metric."""
    if platform.notifications is None:
        return {}
    told = subscriptions(platform, team, TRIGGERS)
    if platform.notifications.revert:
        told[_SUBSCRIBE.format(ABORTED, REVERT)] = ""
    stops = {name: guard.describe() for guard in guards for name in guard.metric_names}
    return {**told, **{f"sluice.dev/guard.{name}"[:74].rstrip("-."): words for name, words in stops.items()}}
