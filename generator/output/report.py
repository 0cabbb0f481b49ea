"""What was done to a tree, and what a look at it has shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

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
        keys: of the ledgers of bundles that now hold what was rendered, as stamps keep them.
    """

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    overwritten: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept_edited: tuple[str, ...] = ()
    identical: int = 0
    findings: tuple[Finding, ...] = ()
    keys: tuple[bytes, ...] = field(default=(), compare=False)

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
        files: how many files of the bundles are as they would be rendered, ledgers included.
        keys: of the ledgers of those bundles, as stamps keep them.
    """

    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: int = 0
    keys: tuple[bytes, ...] = field(default=(), compare=False)

    @property
    def clean(self) -> bool:
        """Whether rendering would change nothing."""
        return not (self.missing or self.stale or self.edited or self.orphaned or self.findings)

    @classmethod
    def sum(cls, reports: Iterable[CheckReport]) -> CheckReport:
        """Combine reports about different bundles into one."""
        found = list(reports)
        return cls(
            missing=_sorted(report.missing for report in found),
            stale=_sorted(report.stale for report in found),
            edited=_sorted(report.edited for report in found),
            orphaned=_sorted(report.orphaned for report in found),
            foreign=_sorted(report.foreign for report in found),
            findings=in_order(chain.from_iterable(report.findings for report in found)),
            files=sum(report.files for report in found),
            keys=tuple(chain.from_iterable(report.keys for report in found)),
        )


def _sorted(paths: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted(chain.from_iterable(paths)))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by place."""
    return tuple(sorted(findings, key=Finding.sort_key))
