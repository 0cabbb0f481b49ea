"""The engine of rules: one record per code, one kind of rule, one kind of problem, one table of codes.

A rule is a function that looks at a context (one plan, the whole fleet, a Rollout, a metric, …) and yields problems.
Its decorator registers the code with all that is documented about it, so that the text of a code is next to
the check and nowhere else. Codes that are raised without a rule are declared with the same record.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any, Final, Literal, Protocol, TypeVar

from generator.dataclass import dataclass
from generator.source.document import Path, dotted
from generator.source.finding import Finding, Fix, Place, Severity

Related = tuple[tuple[str, Place], ...]
Repair = Literal["none", "safe", "review"]
C = TypeVar("C")


class Located(Protocol):
    """A document that knows where its values are written."""

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return the place of the value at a path (or of its key), or of its nearest parent."""
        ...

    def excerpt(self, line: int) -> str:
        """Return a line of the document without its end."""
        ...


@dataclass(frozen=True, slots=True)
class Code:
    """The documentation of one code.

    Args:
        code: stable code, such as `PLAN501`.
        severity: of its findings, unless a problem overrides it.
        title: the violation in a few words: "`spec.replicas` is negative".
        why: what happens if nothing is done about it, in sentences that a user understands.
        remedy: what to do, in sentences; the hint of a problem without one.
        example: text that trips exactly this code; lines that start with `$ ` are shell commands. Empty only if no
            input is known that trips the code.
        instead: the same text, corrected.
        repair: whether `--fix` can repair it: not at all, safely, or in a way that needs a review because it
            changes how a release behaves.
        source: who demands it: project, version and file, or a paper; empty where it is our own judgement.
        since: version of Sluice that first reported it.
    """

    code: str
    severity: Severity
    title: str
    why: str
    remedy: str
    example: str
    instead: str = ""
    repair: Repair = "none"
    source: str = ""
    since: str = "0.1.0"


@dataclass(frozen=True, slots=True)
class Problem:
    """One violation that a rule found.

    Args:
        path: keys from the top of the document (for a plan: of the merged spec) to the value.
        message: one sentence on what is wrong.
        hint: what to do, with the user's own value; the remedy of the code if empty.
        related: other places that explain it.
        fix: an edit that repairs it.
        severity: where it differs from that of the code.
        document: the document that `path` belongs to, where that is not the document of the context.
        on_key: the key is meant, not its value.
        replacement: the text that repairs what is written at the path, where that is safe.
    """

    path: Path
    message: str
    hint: str = ""
    related: Related = ()
    fix: Fix | None = None
    severity: Severity | None = None
    document: Located | None = None
    on_key: bool = False
    replacement: str = ""


Check = Callable[[C], Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A code, the type of context that its check takes, and the check."""

    code: Code
    scope: type
    check: Check[Any]


CODES: Final[dict[str, Code]] = {}
"""Every declared code; complete once the packages that declare codes are loaded (see `load`)."""

_RULES: Final[dict[str, Rule]] = {}


def declare(*codes: Code) -> None:
    """Add codes to the table.

    Raises:
        ValueError: a code is declared twice, or a text of it is missing.
    """
    for code in codes:
        if code.code in CODES:
            raise ValueError(f"the code {code.code} is declared twice")
        missing = [name for name in ("title", "why", "remedy") if not getattr(code, name).strip()]
        if missing:
            raise ValueError(f"the code {code.code} has no {' and no '.join(missing)}")
        CODES[code.code] = code


def rule(
    code: str,
    severity: Severity,
    title: str,
    *,
    scope: type[C],
    why: str,
    remedy: str,
    example: str,
    instead: str = "",
    repair: Repair = "none",
    source: str = "",
    since: str = "0.1.0",
) -> Callable[[Check[C]], Check[C]]:
    """Register a function as the rule of a code; `scope` is the type of its contexts, for the rest see `Code`."""
    record = Code(code, severity, title, why, remedy, example, instead, repair, source, since)

    def register(check: Check[C]) -> Check[C]:
        declare(record)
        _RULES[code] = Rule(record, scope, check)
        return check

    return register


@cache
def load(package: str) -> None:
    """Import every module of a package, so that its rules and codes are in the table."""
    for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
        if module.ispkg:
            load(module.name)
        else:
            import_module(module.name)


def rules(scope: type) -> list[Rule]:
    """Return the loaded rules on contexts of one type, sorted by code."""
    return [found for _, found in sorted(_RULES.items()) if found.scope is scope]


def check_of(code: str) -> str:
    """Return what the rule of a code checks, in a sentence; empty for a code without a rule."""
    found = _RULES.get(code)
    return (found.check.__doc__ or "") if found else ""


def run(contexts: Iterable[C]) -> Iterator[tuple[C, Code, Problem]]:
    """Run every loaded rule on the contexts of its scope.

    Args:
        contexts: of one type or of several; the type of each decides which rules it gets.
    """
    chosen: dict[type, list[Rule]] = {}
    for context in contexts:
        scope = type(context)
        if scope not in chosen:
            chosen[scope] = rules(scope)
        for found in chosen[scope]:
            for problem in found.check(context):
                yield context, found.code, problem


def to_finding(code: Code, problem: Problem, document: Located) -> Finding:
    """Turn a problem into a finding at its place in a document."""
    where = problem.document or document
    place = where.place(problem.path, key=problem.on_key)
    return Finding(
        code=code.code,
        severity=problem.severity or code.severity,
        message=problem.message,
        hint=problem.hint or code.remedy,
        place=place,
        path=dotted(problem.path),
        excerpt=where.excerpt(place.line),
        related=problem.related,
        fix=problem.fix and replace(problem.fix, safe=code.repair == "safe"),
    )
