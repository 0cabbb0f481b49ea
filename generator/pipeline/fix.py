"""Safe fixes written into the text of a spec: one value at a time, comments, order and line ends untouched.

A fix never loosens a guard, a gate or a bound: a hold only grows, a weight and an exposure only fall.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.pipeline.atomic_write import write_file
from generator.source.document import Document
from generator.source.edit import edited, encode
from generator.source.files import raw as regular
from generator.source.finding import Finding, Fix
from generator.source.reader import parse
from generator.spec.types import seconds


@dataclass(frozen=True, slots=True)
class Fixed:
    """The outcome of writing fixes.

    Args:
        written: how many were written.
        refused: how many were not, because they would change other text.
        files: the content of each changed file before.
    """

    written: int
    refused: int
    files: dict[str, bytes]

    def undo(self, root: Path) -> None:
        """Write the former content of the files again."""
        for file, content in self.files.items():
            write_file((root / file).resolve(), content)


def fix_files(findings: Iterable[Finding], root: Path) -> Fixed:
    """Write the safe fixes that findings offer; of two holds of one step, the longer one.

    Raises:
        CliError: a file can't be written.
    """
    wanted: dict[str, dict[tuple[str | int, ...], Fix]] = {}
    for finding in findings:
        if finding.fix is not None and finding.fix.safe:
            fixes = wanted.setdefault(finding.place.file, {})
            fixes[finding.fix.path] = _stricter(fixes.get(finding.fix.path), finding.fix)
    written, before = 0, dict[str, bytes]()
    for file, fixes in sorted(wanted.items()):
        count, raw = _fix_file(root / file, list(fixes.values()))
        written += count
        if count:
            before[file] = raw
    return Fixed(written, sum(map(len, wanted.values())) - written, before)


def _stricter(one: Fix | None, other: Fix) -> Fix:
    """Return the fix with the longer hold; the later one of others."""
    if one is None or one.path[-1] != "hold":
        return other
    return max(one, other, key=lambda fix: seconds(str(fix.value)))


def _fix_file(path: Path, fixes: Sequence[Fix]) -> tuple[int, bytes]:
    """Apply the fixes to a file, which is read again because it may have changed.

    Returns:
        How many were applied, and the former content.
    """
    path = path.resolve()
    raw = regular(path)
    if raw is None:
        return 0, b""
    document, done = parse(raw, path.name), 0
    for fix in fixes:
        fixed = apply(document, fix)
        if fixed is not None:
            document, done = fixed, done + 1
    if done:
        write_file(path, encode(document, raw))
    return done, raw


def apply(document: Document, fix: Fix) -> Document | None:
    """Return the document with a fix applied; None if its parent is missing or the text can't be edited."""
    *above, name = fix.path or (None,)
    wanted = parent = copy.deepcopy(document.data)
    try:
        for part in above:
            parent = parent[part]
        if not isinstance(parent, dict) and name not in range(len(parent)):
            return None
        parent[name] = fix.value
    except (KeyError, IndexError, TypeError):
        return None
    return edited(document, wanted)
