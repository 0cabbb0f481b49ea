"""Rules on freezes: each one concerns a known environment, begins again or is still to come, and ends."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from generator.lint.engine import Problem, rule
from generator.plan.freezes import is_endless, is_over
from generator.rules.context import FleetContext
from generator.source.suggest import did_you_mean


@rule(
    "PLAT941",
    "error",
    "a freeze names an environment that does not exist",
    scope=FleetContext,
    why="It holds nothing back: the environment was renamed, or its name is misspelt.",
    remedy="Correct the name, or remove it.",
    example="""
# specs/platform.yaml
spec:
  freezes:
    - {environments: [prodution], from: "2026-12-20T00:00", to: "2027-01-04T06:00", reason: peak season}
""",
    instead="""
# specs/platform.yaml
spec:
  freezes:
    - {environments: [production], from: "2026-12-20T00:00", to: "2027-01-04T06:00", reason: peak season}
""",
)
def frozen_environments(context: FleetContext) -> Iterator[Problem]:
    """Check the environments of every freeze."""
    known = {**context.platform.written, **context.platform.environments}
    for index, freeze in enumerate(context.platform.freezes):
        for at, name in enumerate(freeze.environments):
            if name not in known:
                path = ("spec", "freezes", index, "environments", at)
                yield Problem(path, f"unknown environment `{name}`", did_you_mean(name, known))


@rule(
    "PLAT942",
    "warning",
    "a freeze is over",
    scope=FleetContext,
    why="Argo CD's windows have no year: the window of this freeze would open again on the same day of the next year.",
    remedy="Remove it.",
    example="""
# specs/platform.yaml
spec:
  freezes:
    - {environments: [production], from: "2026-10-20T00:00", to: "2026-10-23T06:00", reason: move of the data centre}
""",
    instead="""
# specs/platform.yaml
spec:
  freezes:
    - {environments: [production], from: "2026-11-20T00:00", to: "2026-12-23T06:00", reason: move of the data centre}
""",
    source="Argo CD 3.5, SyncWindow: a cron schedule of five fields",
)
def over(context: FleetContext) -> Iterator[Problem]:
    """Check that no single freeze has ended before this day."""
    today = datetime.datetime.combine(context.today, datetime.time(), tzinfo=datetime.UTC)
    for index, freeze in enumerate(context.platform.freezes):
        if is_over(freeze, today):
            yield Problem(("spec", "freezes", index), f"this freeze ended on {freeze.to}", "remove it")


@rule(
    "PLAT943",
    "error",
    "a freeze never ends",
    scope=FleetContext,
    why="It begins again before it ends, so no version is ever promoted to its environments.",
    remedy="Write a shorter `duration`, or a `cron` with longer pauses.",
    example="""
# specs/platform.yaml
spec:
  freezes:
    - {environments: [production], cron: "0 16 * * 5", duration: 7d, reason: weekends}
""",
    instead="""
# specs/platform.yaml
spec:
  freezes:
    - {environments: [production], cron: "0 16 * * 5", duration: 64h, reason: weekends}
""",
)
def endless(context: FleetContext) -> Iterator[Problem]:
    """Check that there is a time between two freezes of a schedule."""
    today = datetime.datetime.combine(context.today, datetime.time(), tzinfo=datetime.UTC)
    for index, freeze in enumerate(context.platform.freezes):
        if is_endless(freeze, today):
            message = (
                f"this freeze lasts {round((freeze.duration or 0) / 3600)}h, and begins again before it ends"
            )
            yield Problem(("spec", "freezes", index, "duration"), message, "write a shorter `duration`")
