"""All rules over all plans of a model, and over all models of a platform."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from generator.plan.repository import Repository
from generator.plan.resolve import Resolved
from generator.rules import ceilings, names, rollout, routing, waivers
from generator.rules.registry import RULES, Context, apply
from generator.source.finding import Finding

MODULES = (ceilings, names, rollout, routing, waivers)


def judge(resolved: Resolved, repository: Repository, today: datetime.date) -> list[Finding]:
    """Findings of every rule on every plan of one model; what all environments share is said once."""
    del repository
    found = {}
    for planned in resolved.plans:
        context = Context(planned, today)
        for rule in RULES.values():
            for finding in apply(rule, context):
                found[finding.code, finding.place, finding.message] = finding
    return sorted(found.values(), key=Finding.sort_key)


def judge_all(models: Sequence[Resolved], repository: Repository, today: datetime.date) -> list[Finding]:
    """Findings about the platform itself, and about models side by side."""
    from generator.rules.together import together

    return together(models, repository, today)
