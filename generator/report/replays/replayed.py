"""One replayed release."""

from __future__ import annotations

from dataclasses import dataclass

from generator.odds.replay.walk import Course, Schedule
from generator.plan.values import Plan


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to.

    Args:
        plan: of the release.
        source: what it was replayed over, for people.
        schedule: what was looked at.
        skipped: guards whose numbers are not at hand.
        course: how the release went.
        exposed: requests that the canary has served until its traffic is gone; None when nobody counted them.
    """

    plan: Plan
    source: str
    schedule: Schedule
    skipped: tuple[str, ...]
    course: Course
    exposed: float | None

    @property
    def title(self) -> str:
        """Which release it is."""
        identity = self.plan.identity
        return f"{identity.team}/{identity.model} in {identity.environment}, {self.source}"
