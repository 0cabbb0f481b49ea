"""Safe fixes written into the text of a spec: one value at a time, comments, order and line ends untouched."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.pipeline.atomic_write import write_file
from generator.source.document import Document
from generator.source.edit import edited, encode
from generator.source.finding import Finding, Fix
from generator.source.reader import parse


@dataclass(frozen=True, slots=True)
class Fixed:
    """The outcome of writing fixes.

    Args:
        written: how many were written.
        refused: how many were not, because they would change other text.
        files: files that were changed.
    """

    written: int
    refused: int
    files: tuple[str, ...]


def fix_files(findings: Iterable[Finding], root: Path) -> Fixed:
    """Write the fixes that findings offer.

    Raises:
        CliError: a file can't be written.
    """
    wanted: dict[str, dict[tuple[str | int, ...], Fix]] = {}
    for finding in findings:
        if finding.fix is not None:
            wanted.setdefault(finding.place.file, {})[finding.fix.path] = finding.fix
    counts = {file: _fix_file(root / file, list(fixes.values())) for file, fixes in sorted(wanted.items())}
    written = sum(counts.values())
    refused = sum(map(len, wanted.values())) - written
    return Fixed(written, refused, tuple(file for file, count in counts.items() if count))


def _fix_file(path: Path, fixes: Sequence[Fix]) -> int:
    """Apply the fixes to a file, which is read again because it may have changed."""
    path = path.resolve()
    try:
        raw = path.read_bytes()
    except OSError:
        return 0
    document, done = parse(raw, path.name), 0
    for fix in fixes:
        fixed = apply(document, fix)
        if fixed is not None:
            document, done = fixed, done + 1
    if done:
        write_file(path, encode(document, raw))
    return done


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
