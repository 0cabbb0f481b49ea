"""Notifications: nobody waits for a message that no service sends."""

from __future__ import annotations

from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.rules.context import FleetContext


@rule(
    "PLAT917",
    "error",
    "a team wants to be told by a service that the platform does not configure",
    scope=FleetContext,
    why="The controllers would drop the message, and nobody would hear of an abort.",
    remedy="Configure the service under `notifications`, or take it out of the team's `notify`.",
)
def services(context: FleetContext) -> Iterator[Problem]:
    """Slack, e-mail and each webhook that a team names."""
    there = context.platform.notifications
    for name, team in context.platform.teams.items():
        if team.notify is None:
            continue
        base = ("spec", "teams", name, "notify")
        if team.notify.slack and not (there and there.slack):
            yield Problem((*base, "slack"), "the platform configures no Slack", "add `notifications.slack`")
        if team.notify.email and not (there and there.email):
            yield Problem((*base, "email"), "the platform configures no e-mail", "add `notifications.email`")
        known = there.webhooks if there else {}
        for index, hook in enumerate(team.notify.webhooks):
            if hook not in known:
                hint = f"known: {', '.join(known) or 'none'}"
                yield Problem((*base, "webhooks", index), f"the platform has no webhook `{hook}`", hint)
