"""What was done to a tree, and what a look at it has shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generator.source.finding import Finding


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What a call did; paths are relative to the output root, sorted, ledgers included.

    Args:
        created: files that were not there.
        updated: files of an older render.
        overwritten: files that were edited, or written by somebody else, and now hold what was rendered.
        deleted: files of an older render that nothing renders any more.
        kept_edited: files that nothing renders any more, left alone because they were edited.
        identical: how many files already held what was rendered, and were not touched.
        findings: ledgers that were damaged.
    """

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    overwritten: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept_edited: tuple[str, ...] = ()
    identical: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether any file was written or deleted."""
        return bool(self.created or self.updated or self.overwritten or self.deleted)

    @property
    def said(self) -> bool:
        """Whether there is anything to tell."""
        return self.changed or bool(self.kept_edited or self.identical or self.findings)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """How a tree differs from what would be rendered; paths are relative to the output root, sorted.

    Args:
        missing: files that would be created.
        stale: files of an older render that would be updated.
        edited: files that were edited, or written by somebody else, in the place of rendered ones.
        orphaned: files of an older render, or of an interrupted run, that would be deleted.
        foreign: files that Sluice did not write and would not touch; they do not count as a difference.
        findings: ledgers that are damaged.
    """

    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether rendering would change nothing."""
        return not (self.missing or self.stale or self.edited or self.orphaned or self.findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by place."""
    return tuple(sorted(findings, key=Finding.sort_key))
