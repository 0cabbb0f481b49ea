"""Rules about the platform itself, and about models side by side."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from generator.plan.repository import Repository
from generator.plan.resolve import Resolved
from generator.source.finding import Finding


def together(models: Sequence[Resolved], repository: Repository, today: datetime.date) -> list[Finding]:
    """Findings that no single model shows."""
    del models, repository, today
    return []
