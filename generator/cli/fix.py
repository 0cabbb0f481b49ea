"""Safe fixes written into the text of a spec: one scalar at a time, comments, order and line ends untouched."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.cli.writing import write_file
from generator.source.document import Document
from generator.source.finding import Finding, Fix
from generator.source.reader import parse

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_BOM = b"\xef\xbb\xbf"
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./%+-]*")
_NOT_PLAIN = "\"'|>[{&*!"


@dataclass(frozen=True, slots=True)
class Fixed:
    """What became of the fixes: how many were written, and into which files."""

    written: int
    files: tuple[str, ...]


def fix_files(findings: Iterable[Finding], root: Path) -> Fixed:
    """Write the fixes that findings offer.

    Raises:
        Refused: a file can't be written.
    """
    wanted: dict[str, dict[tuple[str | int, ...], Fix]] = {}
    for finding in findings:
        if finding.fix is not None:
            wanted.setdefault(finding.place.file, {})[finding.fix.path] = finding.fix
    counts = {file: _fix_file(root / file, list(fixes.values())) for file, fixes in sorted(wanted.items())}
    return Fixed(sum(counts.values()), tuple(file for file, count in counts.items() if count))


def _fix_file(path: Path, fixes: Sequence[Fix]) -> int:
    """Apply what can be applied; the file is read again, for it may have changed meanwhile."""
    path = path.resolve()
    try:
        raw = path.read_bytes()
    except OSError:
        return 0
    document, done = parse(raw, path.name), 0
    for fix in fixes:
        edited = edit(document, fix)
        if edited is not None:
            document, done = edited, done + 1
    if done:
        write_file(path, (_BOM if raw.startswith(_BOM) else b"") + document.text.encode())
    return done


def edit(document: Document, fix: Fix) -> Document | None:
    """A document with one value replaced.

    Returns:
        The new document, or None when the value is no plain scalar on one line, or when the edited text would not
        read back as the old data with just this value changed.
    """
    span = _span(document, fix)
    if span is None:
        return None
    start, end = span
    for text in _forms(fix.value):
        edited = parse((document.text[:start] + text + document.text[end:]).encode(), document.file)
        if not edited.findings and edited.data == _replaced(document.data, fix):
            return edited
    return None


def _span(document: Document, fix: Fix) -> tuple[int, int] | None:
    """Where the scalar stands in the text: offsets of its first character and behind its last."""
    place = document.place(fix.path) if fix.path and document.has(fix.path) else None
    if place is None or not place.end_column or place.end_column <= place.column:
        return None
    starts = [0, *(found.end() for found in _BREAK.finditer(document.text))]
    if place.line > len(starts):
        return None
    begin = starts[place.line - 1]
    start, end = begin + place.column - 1, begin + place.end_column - 1
    return None if document.text[start : start + 1] in _NOT_PLAIN else (start, end)


def _forms(value: object) -> list[str]:
    """A value as YAML: plain where that may read back, else in double quotes."""
    if isinstance(value, str):
        quoted = json.dumps(value)
        return [value, quoted] if _PLAIN.fullmatch(value) else [quoted]
    if value is None or isinstance(value, (bool, int, float)):
        return [json.dumps(value)]
    return []


def _replaced(data: Any, fix: Fix) -> Any:
    out = copy.deepcopy(data)
    inner = out
    for part in fix.path[:-1]:
        inner = inner[part]
    inner[fix.path[-1]] = fix.value
    return out
