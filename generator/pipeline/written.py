"""What many reports of writing come to, for people: how many files of each kind, and the first of them by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Final

from generator.output.report import WriteReport
from generator.source.finding import Finding

SHOWN: Final = 20
"""How many names of a kind are told."""
VERBS: Final = {
    "created": "created",
    "updated": "updated",
    "overwritten": "overwritten, they had been edited:",
    "deleted": "deleted",
    "kept_edited": "kept, they had been edited and nothing renders them any more:",
}
"""Kinds of files as reports name them, and as people are told."""


@dataclass
class Written:
    """A sum of reports that does not grow with them: the names of a whole tree would be most of the memory of a render.

    Args:
        counts: number of files by kind.
        first: the first names of each kind, sorted.
        identical: files that were right already.
        findings: ledgers that were damaged.
        keys: of the ledgers of what was written, as stamps keep them.
    """

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VERBS, 0))
    first: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in VERBS})
    identical: int = 0
    findings: list[Finding] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)

    def add(self, reports: Iterable[WriteReport]) -> None:
        """Count more of them in."""
        for report in reports:
            for kind in VERBS:
                paths = getattr(report, kind)
                if paths:
                    self.counts[kind] += len(paths)
                    self.first[kind] = nsmallest(SHOWN, [*self.first[kind], *paths])
            self.identical += report.identical
            self.findings += report.findings
            self.keys.update(report.keys)

    @property
    def said(self) -> bool:
        """Whether there is anything to tell."""
        return any(self.counts.values()) or bool(self.findings)
