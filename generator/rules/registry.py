"""Rules about plans: small functions, found by their code."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.source.document import Path
from generator.source.finding import Finding, Fix, Place, Severity
from generator.spec.platform import PlatformSpec, Tier


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule sees: one plan, how it came about, and the day.

    Args:
        planned: the plan and its layers.
        today: the day that dates are compared with.
    """

    planned: Planned
    today: datetime.date

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.planned.plan

    @property
    def platform(self) -> PlatformSpec:
        """The platform."""
        return self.planned.written.platform

    @property
    def tier(self) -> Tier:
        """The tier of the model."""
        return self.platform.tiers[self.plan.identity.tier]

    def tier_place(self, *path: str | int) -> Place:
        """Where the tier says something; its own line if it says nothing there."""
        where = ("spec", "tiers", self.plan.identity.tier, *path)
        return self.planned.written.layers.platform.place(where)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule found: where in the merged spec, what, and what to do."""

    path: Path
    message: str
    hint: str
    related: tuple[tuple[str, Place], ...] = ()
    fix: Fix | None = None
    severity: Severity | None = None


Check = Callable[[Context], Iterator[Problem]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its code, what it is called, why it exists, how to mend what it finds."""

    code: str
    severity: Severity
    title: str
    why: str
    fix: str
    check: Check


RULES: dict[str, Rule] = {}


def rule(code: str, severity: Severity, title: str, *, why: str, fix: str) -> Callable[[Check], Check]:
    """Register a rule under its code."""

    def register(check: Check) -> Check:
        if code in RULES:
            raise ValueError(f"two rules have the code {code}")
        RULES[code] = Rule(code, severity, title, why, fix, check)
        return check

    return register


def apply(rule: Rule, context: Context) -> Iterator[Finding]:
    """The findings of one rule."""
    for problem in rule.check(context):
        document, local = context.planned.written.layers.where(problem.path)
        yield document.finding(
            rule.code,
            local,
            problem.message,
            problem.hint,
            severity=problem.severity or rule.severity,
            related=problem.related,
            fix=problem.fix,
        )
