"""What the catalogue says of one code."""

from __future__ import annotations

from dataclasses import dataclass

from generator.source.finding import Severity


@dataclass(frozen=True, slots=True)
class Entry:
    """One code.

    Args:
        code: stable code.
        severity: as a rule; a finding may be milder or more severe where its entry says so.
        title: what it says, in a few words.
        why: why that matters.
        fix: how to mend it.
    """

    code: str
    severity: Severity
    title: str
    why: str
    fix: str
