"""Findings that a team accepts for a while: a warning becomes an information, an error never does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from generator.rules.registry import Context
from generator.source.finding import Finding


def accepted(findings: Sequence[Finding], context: Context) -> Iterator[Finding]:
    """The findings, with those warnings that the spec accepts until today or later turned into informations."""
    live = {
        item.code: item
        for item in context.spec.accept
        if item.until >= context.today.isoformat() and acceptable(item.code, context)
    }
    for finding in findings:
        item = live.get(finding.code)
        if item and finding.severity == "warning":
            hint = f"accepted until {item.until}: {item.reason}"
            yield replace(finding, severity="info", hint=hint)
        else:
            yield finding


def acceptable(code: str, context: Context) -> bool:
    """Whether the tier lets a team accept a code: the strict ones do not accept what the odds refute (CAN1xx)."""
    return not (context.regulated and code.startswith("CAN1"))
