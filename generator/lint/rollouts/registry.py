"""What a rule is, and the register of all rules by their stable code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from generator.lint.rollouts.model import Key, Object, Path, Source
from generator.source.finding import Finding, Place, Severity

Flaw: TypeAlias = tuple[Path, str]
Scope: TypeAlias = Literal["rollout", "use", "template", "metric", "sync", "workflow"]
C = TypeVar("C")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One flaw of one object of a tree.

    Args:
        source: the document.
        key: the object.
        path: keys from the top of the object to the flaw.
        code: stable code of the rule.
        severity: an error is rejected by the controller, decides nothing or lets a bad version past; a warning
            surprises; an info informs.
        message: one sentence that says what is wrong.
        hint: one sentence that says what to do.
    """

    source: Source
    key: Key
    path: Path
    code: str
    severity: Severity
    message: str
    hint: str

    @property
    def dotted(self) -> str:
        """The path as people read it, such as `spec.strategy.canary.steps[2].pause`."""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return text.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its code, what it says, why, and the function that finds flaws.

    Args:
        code: stable code: ROL1xx a Rollout alone, ROL2xx references, ANA3xx an AnalysisRun's spec, ANA4xx
            verdicts and surprises, CAP5xx what a router or a controller version can do, SYN6xx how Argo CD
            syncs it.
        severity: of every problem it finds.
        title: the property it demands, as a sentence.
        hint: what to do when it is violated.
        origin: rule of the fact sheet and file of the controller that enforce it.
        scope: what the function is called with: a Rollout, one use of templates by a Rollout, a template, a
            metric, an Application with what it syncs, a Workflow with the Rollouts beside it.
        check: finds flaws: a path from the top of the object, and a message.
    """

    code: str
    severity: Severity
    title: str
    hint: str
    origin: str
    scope: Scope
    check: Callable[[Any], Iterator[Flaw]]

    def __call__(self, context: Any, item: Object) -> Iterator[Problem]:
        """Run the rule on one context about one object."""
        for path, message in self.check(context):
            yield Problem(item.source, item.key, path, self.code, self.severity, message, self.hint)


RULES: dict[str, Rule] = {}


def rule(
    code: str, severity: Severity, title: str, *, scope: Scope, hint: str, origin: str
) -> Callable[[Callable[[C], Iterator[Flaw]]], Callable[[C], Iterator[Flaw]]]:
    """Register a function as the rule of a code (a code is given once)."""

    def register(check: Callable[[C], Iterator[Flaw]]) -> Callable[[C], Iterator[Flaw]]:
        if code in RULES:
            raise ValueError(f"two rules have the code {code}")
        RULES[code] = Rule(code, severity, title, hint, origin, scope, check)
        return check

    return register


def to_finding(problem: Problem, resolve: Callable[[Source, Path], Place]) -> Finding:
    """Turn a problem into a finding, given what knows the position of a path in a document."""
    return Finding(
        code=problem.code,
        severity=problem.severity,
        message=f"{problem.key}: {problem.message}",
        hint=problem.hint,
        place=resolve(problem.source, problem.path),
        path=problem.dotted,
    )


def by_scope(scope: Scope, rules: Mapping[str, Rule]) -> list[Rule]:
    """The rules of one scope, by code."""
    return [rules[code] for code in sorted(rules) if rules[code].scope == scope]
