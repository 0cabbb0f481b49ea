"""Reports of writing a tree and of comparing one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from heapq import nsmallest
from itertools import chain
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.output.bundle import LEDGER
from generator.output.compare import Action, Changes
from generator.source.finding import Finding, Place
from generator.source.line import argument

WRITTEN: Final = ("created", "updated", "overwritten", "deleted", "kept_edited", "foreign")
"""Kinds of files in reports of writing."""
DIFFERING: Final = ("missing", "stale", "edited", "orphaned", "foreign", "notes")
"""Kinds of files in reports of comparing."""
SHOWN: Final = 20
"""The number of names of a kind that a summary keeps."""


@dataclass(frozen=True, slots=True)
class WriteReport:
    """The changes that a call made; paths are relative to the output root, sorted, ledgers included.

    Args:
        created: files that were not there.
        updated: files of an older render.
        overwritten: files that were edited, or written by another program, and now have the rendered content.
        deleted: files of an older render that are no longer rendered.
        kept_edited: files that are no longer rendered, kept because they were edited.
        foreign: files and links that Sluice did not write, must not be there, and were not touched.
        identical: how many files already had the rendered content and were not touched.
        findings: ledgers that were damaged.
        keys: of the ledgers of bundles that are now up to date, for the stamp.
    """

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    overwritten: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept_edited: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    identical: int = 0
    findings: tuple[Finding, ...] = ()
    keys: tuple[bytes, ...] = field(default=(), compare=False)

    @property
    def changed(self) -> bool:
        """Whether any file was written or deleted."""
        return bool(self.created or self.updated or self.overwritten or self.deleted)


@dataclass
class WriteSummary:
    """The sum of many reports, with few names: those of a whole tree would take most of a render's memory.

    Args:
        counts: number of files by kind.
        first: the first names of each kind, sorted.
        identical: how many files already had the rendered content.
        findings: ledgers that were damaged.
        keys: of the ledgers of bundles that are now up to date.
    """

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WRITTEN, 0))
    first: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in WRITTEN})
    identical: int = 0
    findings: list[Finding] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)

    def add(self, report: WriteReport) -> None:
        """Add one report."""
        for kind in WRITTEN:
            paths: tuple[str, ...] = getattr(report, kind)
            if paths:
                self.counts[kind] += len(paths)
                self.first[kind] = nsmallest(SHOWN, [*self.first[kind], *paths])
        self.identical += report.identical
        self.findings += report.findings
        self.keys.update(report.keys)

    @property
    def changed(self) -> bool:
        """Whether anything was written or deleted, or a file was kept that should be deleted."""
        return any(self.counts[kind] for kind in WRITTEN if kind != "foreign") or bool(self.findings)

    @property
    def clean(self) -> bool:
        """Whether the tree holds what was rendered, and otherwise only notes."""
        return not (self.counts["foreign"] or self.counts["kept_edited"])


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The differences between a tree and what would be rendered; paths are relative to the output root, sorted.

    Args:
        missing: files that would be created.
        stale: files of an older render that would be updated.
        edited: files that were edited, or written by another program, in the place of rendered ones.
        orphaned: files of an older render, or of an interrupted run, that would be deleted.
        foreign: files and links that Sluice did not write and would not touch, but that must not be there.
        notes: files of people that no tool reads; they do not count as a difference.
        findings: ledgers that are damaged.
        files: how many files of the bundles are up to date, with ledgers.
        keys: of the ledgers of those bundles, for the stamp.
    """

    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    orphaned: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: int = 0
    keys: tuple[bytes, ...] = field(default=(), compare=False)

    @property
    def differing(self) -> tuple[str, ...]:
        """The files that rendering would write or delete."""
        return (*self.edited, *self.stale, *self.missing, *self.orphaned)

    @property
    def outdated(self) -> bool:
        """Whether rendering would change anything."""
        return bool(self.differing or self.findings)

    @property
    def clean(self) -> bool:
        """Whether the tree holds what would be rendered, and otherwise only notes."""
        return not self.outdated and not self.foreign

    @classmethod
    def sum(cls, reports: Iterable[CheckReport]) -> CheckReport:
        """Combine reports about different bundles into one."""
        found = list(reports)
        paths = {
            kind: tuple(sorted(chain.from_iterable(getattr(report, kind) for report in found)))
            for kind in DIFFERING
        }
        return cls(
            **paths,
            findings=in_order(chain.from_iterable(report.findings for report in found)),
            files=sum(report.files for report in found),
            keys=tuple(chain.from_iterable(report.keys for report in found)),
        )


def foreign_file(path: str) -> Finding:
    """Report a file that nothing renders, where Argo CD or a build reads files."""
    return Finding(
        code="OUT102",
        severity="error",
        message="nothing renders this file, and Argo CD or a build may read it",
        hint=f"remove it: `git rm -r {argument(path)}`; notes for people may stay in files that end in .md or .txt",
        place=Place(path),
    )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by place."""
    return tuple(sorted(findings, key=Finding.sort_key))


Verb = Literal["created", "updated", "overwritten", "identical", "deleted", "kept_edited", "foreign"]

_VERBS: Final[dict[Action, Verb]] = {
    "create": "created",
    "update": "updated",
    "overwrite": "overwritten",
    "identical": "identical",
    "delete": "deleted",
    "keep": "kept_edited",
    "foreign": "foreign",
}


@dataclass(slots=True)
class Journal:
    """Collects the changes of many bundles.

    Changes are recorded before they are made: when a bundle is retried, files that the retry finds identical keep the
    action of the first attempt.
    """

    verbs: dict[str, Verb] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    keys: list[bytes] = field(default_factory=list)

    def note(self, path: str, changes: Changes) -> None:
        """Record all changes of a bundle."""
        self.note_finding(changes)
        for name, action in (*changes.actions.items(), (LEDGER, changes.ledger)):
            if action == "identical":
                self.verbs.setdefault(f"{path}/{name}", "identical")
            elif action in _VERBS:
                self.verbs[f"{path}/{name}"] = _VERBS[action]

    def note_rendered(self, changes: Changes) -> None:
        """Record that a bundle is now up to date."""
        self.keys.append(changes.key)

    def note_foreign(self, path: str) -> None:
        """Record a file that stays although nothing renders it."""
        self.verbs[path] = "foreign"

    def note_finding(self, changes: Changes) -> None:
        """Record only that the ledger of a bundle is damaged, if it is."""
        if changes.finding:
            self.findings.setdefault(changes.finding.place.file, changes.finding)

    def report(self) -> WriteReport:
        """Return the report."""
        return WriteReport(
            created=self._paths("created"),
            updated=self._paths("updated"),
            overwritten=self._paths("overwritten"),
            deleted=self._paths("deleted"),
            kept_edited=self._paths("kept_edited"),
            foreign=self._paths("foreign"),
            identical=len(self._paths("identical")),
            findings=in_order(self.findings.values()),
            keys=tuple(self.keys),
        )

    def _paths(self, verb: Verb) -> tuple[str, ...]:
        return tuple(sorted(path for path, done in self.verbs.items() if done == verb))
