"""Whether a model may be rendered: what the rules say of its plans, and what its evidence says of its gates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from generator.plan.entries import Entry
from generator.plan.repository import Repository
from generator.plan.resolve import Planned, Resolved
from generator.rules.evaluate import run_rules
from generator.source.finding import Finding

if TYPE_CHECKING:
    from generator.gates.document import Evidence


def judge_model(resolved: Resolved, repository: Repository, today: dt.date) -> list[Finding]:
    """Findings of every rule on every plan of one model, and of the evidence where its tier demands it in git."""
    return sorted(
        [*run_rules(resolved, today), *_judge_evidence(resolved, repository, today)],
        key=Finding.sort_key,
    )


def evidence_of(entry: Entry, repository: Repository) -> Evidence:
    """The evidence beside a spec, whether or not its tier demands it."""
    from generator.gates.document import read_evidence

    return read_evidence(entry.evidence, repository.root, entry.name)


def _judge_evidence(resolved: Resolved, repository: Repository, today: dt.date) -> list[Finding]:
    asked = [planned for planned in resolved.plans if _demands(planned)]
    if not asked:
        return []
    from generator.gates.enforce import evidence_findings

    evidence = evidence_of(resolved.entry, repository)
    found = [finding for planned in asked for finding in evidence_findings(planned, evidence, today)]
    return list(dict.fromkeys(found))


def _demands(planned: Planned) -> bool:
    return "git" in planned.plan.enforcement and bool(planned.plan.gates)
