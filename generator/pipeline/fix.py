"""Safe fixes written into the text of a spec: one value at a time, comments, order and line ends untouched."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.pipeline.writing import write_file
from generator.source.document import Document
from generator.source.finding import Finding, Fix
from generator.source.reader import parse

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_BOM = b"\xef\xbb\xbf"
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./%+-]*")
_NOT_PLAIN = frozenset("\"'|>&*!")
_Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Fixed:
    """What became of the fixes.

    Args:
        written: how many were written.
        refused: how many could not be: what stands there is quoted or longer than a line.
        files: files that were changed.
    """

    written: int
    refused: int
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
    written = sum(counts.values())
    refused = sum(map(len, wanted.values())) - written
    return Fixed(written, refused, tuple(file for file, count in counts.items() if count))


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
    """A document with one value replaced, or one key added to a mapping.

    Returns:
        The new document, or None when what stands there is neither a plain scalar nor a flow collection on one
        line, or when the edited text would not read back as the old data with just this value changed.
    """
    if not fix.path or not _has_room(document, fix.path):
        return None
    wanted = _replaced(document.data, fix)
    for start, end, text in _edits(document, fix):
        edited = parse((document.text[:start] + text + document.text[end:]).encode(), document.file)
        if not edited.findings and _same(edited.data, wanted):
            return edited
    return None


def _has_room(document: Document, path: tuple[str | int, ...]) -> bool:
    """Whether the document has this value, or a mapping that may take its key."""
    return document.has(path) or (document.has(path[:-1]) and isinstance(_at(document.data, path[:-1]), dict))


def _edits(document: Document, fix: Fix) -> Iterator[_Edit]:
    """Edits that may do it: each is tried, and checked by reading it back."""
    forms = _forms(fix.value)
    if document.has(fix.path):
        span = _span(document, fix.path)
        if span and document.text[span[0] : span[0] + 1] not in _NOT_PLAIN:
            yield from ((*span, form) for form in forms)
    elif isinstance(fix.path[-1], str) and _PLAIN.fullmatch(fix.path[-1]):
        for form in forms:
            yield from _additions(document, fix.path[:-1], f"{fix.path[-1]}: {form}")


def _additions(document: Document, parent: tuple[str | int, ...], entry: str) -> Iterator[_Edit]:
    """Where a mapping may take one more key: before the brace that closes it, or behind its last short line."""
    text, span = document.text, _span(document, parent)
    if span and text[span[0] : span[1]].startswith("{"):
        inner = text[span[0] : span[1] - 1].rstrip()
        joint = "" if inner.endswith("{") else " " if inner.endswith(",") else ", "
        yield span[0] + len(inner), span[0] + len(inner), joint + entry
    for key in reversed(list(_at(document.data, parent))):
        value = _span(document, (*parent, key))
        if value is None:
            continue
        found = _BREAK.search(text, value[1])
        at, line_end = (found.start(), found.group()) if found else (len(text), "\n")
        indent = " " * (document.place((*parent, key), key=True).column - 1)
        yield at, at, f"{line_end}{indent}{entry}"


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        data = data[part]
    return data


def _span(document: Document, path: tuple[str | int, ...]) -> tuple[int, int] | None:
    """Where a value stands on its one line: offsets of its first character and behind its last."""
    place = document.place(path)
    if not place.end_column or place.end_column <= place.column:
        return None
    starts = [0, *(found.end() for found in _BREAK.finditer(document.text))]
    if place.line > len(starts):
        return None
    begin = starts[place.line - 1]
    return begin + place.column - 1, begin + place.end_column - 1


def _forms(value: object) -> list[str]:
    """A value as YAML on one line: plain where that may read back, else in double quotes."""
    if isinstance(value, str):
        quoted = json.dumps(value)
        return [value, quoted] if _PLAIN.fullmatch(value) else [quoted]
    if value is None or isinstance(value, (bool, int, float)):
        return [json.dumps(value)]
    if isinstance(value, (dict, list)):
        return _collections(value)
    return []


def _collections(value: dict[str, Any] | list[Any]) -> list[str]:
    """A list or a mapping in flow style, its parts plain if all of them may be."""
    items = list(value.items()) if isinstance(value, dict) else [("", item) for item in value]
    parts = [(key, _forms(item)) for key, item in items]
    if not all(forms and (not key or _PLAIN.fullmatch(key)) for key, forms in parts):
        return []
    first, last = (
        ", ".join(f"{key}: {forms[end]}" if key else forms[end] for key, forms in parts) for end in (0, -1)
    )
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return [f"{opening}{first}{closing}", f"{opening}{last}{closing}"]


def _replaced(data: Any, fix: Fix) -> Any:
    out = copy.deepcopy(data)
    _at(out, fix.path[:-1])[fix.path[-1]] = fix.value
    return out


def _same(one: Any, other: Any) -> bool:
    """Equal in value and in kind: 1, 1.0 and true are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
