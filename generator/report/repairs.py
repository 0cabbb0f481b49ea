"""Repairs of files of a tree: names and keys that are one slip away from what was meant, written in place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from generator.dataclass import dataclass
from generator.pipeline.atomic_write import write_file
from generator.source.finding import Finding

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./")


@dataclass(frozen=True, slots=True)
class Repaired:
    """A file with its repairs: its path, its text before and after, and the findings that this settles."""

    path: Path
    name: str
    before: str
    after: str
    settled: tuple[Finding, ...]

    def diff(self) -> str:
        """Return the change as a unified diff."""
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.after))
        return "".join(difflib.unified_diff(before, after, f"a/{self.name}", f"b/{self.name}"))

    def write(self) -> None:
        """Write the file."""
        write_file(self.path, self.after.encode())


def repaired(tree: Path, findings: Iterable[Finding]) -> list[Repaired]:
    """Return the files that repairs change; a place that holds something else than one plain word is left alone."""
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.replacement and finding.place.end_column:
            by_file.setdefault(finding.place.file, []).append(finding)
    found = []
    for name, own in sorted(by_file.items()):
        path = tree / name if tree.is_dir() else tree
        before = path.read_bytes().decode("utf-8")
        lines = before.split("\n")
        settled = tuple(one for one in sorted(own, key=_behind_first) if _repair(lines, one))
        if settled:
            found.append(Repaired(path, name, before, "\n".join(lines), settled))
    return found


def _behind_first(finding: Finding) -> tuple[int, int]:
    return -finding.place.line, -finding.place.column


def _repair(lines: list[str], finding: Finding) -> bool:
    """Replace the word at the place of a finding, in its quotes; return whether there was one."""
    place = finding.place
    line = lines[place.line - 1]
    word = line[place.column - 1 : place.end_column - 1]
    bare = word.strip("\"'")
    if not bare or not set(bare) <= _PLAIN or line != finding.excerpt + "\r" * line.endswith("\r"):
        return False
    right = word.replace(bare, finding.replacement)
    lines[place.line - 1] = line[: place.column - 1] + right + line[place.end_column - 1 :]
    return True
