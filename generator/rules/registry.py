"""Rules about plans and about the platform: small functions, found by their code."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from generator.odds.footprint import Footprint
from generator.plan.layers import Layers
from generator.plan.repository import Repository
from generator.plan.resolve import Planned
from generator.plan.values import Plan
from generator.source.document import Document, Path
from generator.source.finding import Finding, Fix, Place, Severity
from generator.source.reader import read
from generator.spec.model import ModelSpec
from generator.spec.platform import PlatformSpec
from generator.spec.tier import Tier

Scope = Literal["plan", "together"]
Related = tuple[tuple[str, Place], ...]
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule about one plan sees: the plan, how it came about, and the day.

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
    def spec(self) -> ModelSpec:
        """The merged spec that the plan was made of."""
        return self.planned.written.file.spec

    @property
    def platform(self) -> PlatformSpec:
        """The platform."""
        return self.planned.written.platform

    @property
    def platform_document(self) -> Document:
        """The platform as written."""
        return self.planned.written.layers.platform

    @property
    def tier(self) -> Tier:
        """The tier of the model."""
        return self.platform.tiers[self.plan.identity.tier]

    @property
    def regulated(self) -> bool:
        """Whether the tier is of the strict kind, which demands images by digest."""
        return self.tier.requires.image_digest

    def tier_place(self, *path: str | int) -> Place:
        """Where the tier says something; its own line if it says nothing there."""
        return self.platform_document.place(("spec", "tiers", self.plan.identity.tier, *path))


@dataclass(frozen=True, slots=True)
class Together:
    """What a rule about the platform or about models side by side sees.

    Args:
        footprints: of every plan there is, by team and model.
        repository: with a valid platform.
        platform: that platform.
        today: the day that dates are compared with.
    """

    footprints: Sequence[Footprint]
    repository: Repository
    platform: PlatformSpec
    today: datetime.date

    @property
    def document(self) -> Document:
        """The platform as written."""
        return self.repository.platform_document

    def layers(self, found: Footprint) -> Layers:
        """What was written of one plan, read again: only the few models that a finding names need it."""
        entry = self.repository.entry(found.team, found.model)
        document = read(entry.spec, self.repository.root)
        return Layers(document, self.document, found.tier, found.environment)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule found.

    Args:
        path: where: in the merged spec, or in `document`.
        message: one sentence that says what is wrong.
        hint: one sentence that says what to do.
        related: other places that explain it.
        fix: an edit of the merged spec that repairs it.
        severity: where it differs from the rule's own.
        document: the document that `path` is in, when it is not the spec.
        key: the key is meant, not its value.
    """

    path: Path
    message: str
    hint: str
    related: Related = ()
    fix: Fix | None = None
    severity: Severity | None = None
    document: Document | None = None
    key: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its code, what it is called, why it exists, how to mend what it finds.

    Args:
        code: stable code.
        severity: of what it finds, unless a problem says otherwise.
        title: what it finds, in a few words.
        why: why that matters.
        fix: how to mend it.
        scope: what `check` is called with: the Context of one plan, or everything Together.
        check: finds problems.
    """

    code: str
    severity: Severity
    title: str
    why: str
    fix: str
    scope: Scope
    check: Callable[[Any], Iterator[Problem]]


RULES: dict[str, Rule] = {}


def rule(
    code: str, severity: Severity, title: str, *, why: str, fix: str, scope: Scope = "plan"
) -> Callable[[Callable[[C], Iterator[Problem]]], Callable[[C], Iterator[Problem]]]:
    """Register a function as the rule of a code (a code is given once)."""

    def register(check: Callable[[C], Iterator[Problem]]) -> Callable[[C], Iterator[Problem]]:
        if code in RULES:
            raise ValueError(f"two rules have the code {code}")
        RULES[code] = Rule(code, severity, title, why, fix, scope, check)
        return check

    return register


def apply(rule: Rule, context: Context) -> Iterator[Finding]:
    """The findings of one rule about one plan, each at the line that wrote the value."""
    for problem in rule.check(context):
        if problem.document is not None:
            yield _finding(rule, problem, problem.document, problem.path, None)
            continue
        document, local = _written(context.planned, problem.path)
        fix = (
            _local_fix(context.planned, problem.fix)
            if document is context.planned.written.layers.spec
            else None
        )
        yield _finding(rule, problem, document, local, fix)


def apply_together(rule: Rule, context: Together) -> Iterator[Finding]:
    """The findings of one rule about everything together."""
    for problem in rule.check(context):
        yield _finding(rule, problem, problem.document or context.document, problem.path, None)


def _finding(rule: Rule, problem: Problem, document: Document, path: Path, fix: Fix | None) -> Finding:
    return document.finding(
        rule.code,
        path,
        problem.message,
        problem.hint,
        severity=problem.severity or rule.severity,
        key=problem.key,
        related=problem.related,
        fix=fix,
    )


def _written(planned: Planned, path: Path) -> tuple[Document, Path]:
    """The document that wrote a value of the merged spec; of an absent value, the one that wrote its parent."""
    layers = planned.written.layers
    # Lists are replaced as a whole: what is in one was written by whoever wrote the list.
    end = next((index for index, part in enumerate(path) if isinstance(part, int)), len(path))
    for length in range(end, 0, -1):
        document, local = layers.where(path[:length])
        if document.has(local):
            return document, (*local, *path[length:])
    return layers.spec, path


def _local_fix(planned: Planned, fix: Fix | None) -> Fix | None:
    """The same edit in the spec's own tree; none when another file wrote that value."""
    if fix is None:
        return None
    document, local = _written(planned, fix.path)
    return Fix(local, fix.value) if document is planned.written.layers.spec else None
