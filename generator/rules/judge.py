"""All rules over all plans of a model, and over all models of a platform."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace

from generator.odds.footprint import Footprint
from generator.plan.repository import Repository
from generator.plan.resolve import Resolved
from generator.rules import (
    canary,
    ceilings,
    expressions,
    gate_pods,
    gates,
    limits,
    literals,
    names,
    notifications,
    platform,
    prices,
    requirements,
    rollout,
    routing,
    together,
    waivers,
    widening,
)
from generator.rules.accept import accepted
from generator.rules.registry import RULES, Context, Together, apply, apply_together
from generator.source.finding import Finding

MODULES = (
    canary,
    ceilings,
    gate_pods,
    gates,
    limits,
    expressions,
    literals,
    names,
    notifications,
    platform,
    prices,
    requirements,
    rollout,
    routing,
    together,
    waivers,
    widening,
)
_PLAN_RULES = tuple(rule for rule in RULES.values() if rule.scope == "plan")
_TOGETHER_RULES = tuple(rule for rule in RULES.values() if rule.scope == "together")


def judge(resolved: Resolved, today: datetime.date) -> list[Finding]:
    """Findings of every rule on every plan of one model; what all environments share is said once."""
    found: dict[tuple[object, ...], Finding] = {}
    environments: dict[tuple[object, ...], list[str]] = {}
    for planned in resolved.plans:
        context = Context(planned, today)
        findings = [finding for rule in _PLAN_RULES for finding in apply(rule, context)]
        for finding in accepted(findings, context):
            key = (finding.code, finding.place, finding.message, finding.severity)
            found.setdefault(key, finding)
            environments.setdefault(key, []).append(planned.plan.identity.environment)
    total = len(resolved.plans)
    told = [_named(finding, environments[key], total) for key, finding in found.items()]
    return sorted(told, key=Finding.sort_key)


def _named(finding: Finding, environments: Sequence[str], total: int) -> Finding:
    """What only some environments show says which."""
    if len(environments) == total:
        return finding
    return replace(finding, message=f"{finding.message} (in {', '.join(environments)})")


def judge_all(footprints: Sequence[Footprint], repository: Repository, today: datetime.date) -> list[Finding]:
    """Findings about the platform itself, and about models side by side."""
    if repository.platform is None:
        return []
    context = Together(footprints, repository, repository.platform, today)
    findings = [finding for rule in _TOGETHER_RULES for finding in apply_together(rule, context)]
    return sorted(findings, key=Finding.sort_key)
