"""Fixes written into the text of a spec: one value at a time, comments, order and line ends untouched.

A fix that keeps to the limits of the tier is written at once. One that changes how far or how long a release goes, or
that may loosen something, needs agreement, and only one of them is written before the rules run again:
findings often name alternatives, and the next one may not be needed by then.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from generator.dataclass import dataclass
from generator.pipeline.atomic_write import write_file
from generator.source.document import Document
from generator.source.edit import edited, encode
from generator.source.files import raw as regular
from generator.source.finding import Finding, Fix
from generator.source.reader import parse
from generator.spec.parsing import seconds

Agreed = Callable[[Finding, str], bool]
"""Whether a person agrees to the fix of a finding, which changes the text by this difference."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The outcome of writing fixes.

    Args:
        written: the findings whose fixes were written.
        refused: how many were not, because they would change other text.
        files: the content of each changed file before.
        diff: what changed in the text of the files.
    """

    written: tuple[Finding, ...]
    refused: int
    files: dict[str, bytes]
    diff: str

    def undo(self, root: Path) -> None:
        """Write the former content of the files again."""
        for file, content in self.files.items():
            write_file((root / file).resolve(), content)


def fix_files(findings: Iterable[Finding], root: Path, agreed: Agreed) -> Fixed:
    """Write the fixes of findings that need no agreement, and in each file the first one that has it.

    Raises:
        CliError: a file can't be written.
    """
    wanted: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.fix is not None:
            wanted.setdefault(finding.place.file, []).append(finding)
    written, refused, before, diffs = list[Finding](), 0, dict[str, bytes](), []
    for file, found in sorted(wanted.items()):
        raw = regular((root / file).resolve())
        if raw is None:
            refused += len(found)
            continue
        original = parse(raw, file)
        done, failed, document = _fix_document(original, found, agreed)
        refused += failed
        if done:
            write_file((root / file).resolve(), encode(document, raw))
            before[file] = raw
            written += done
            diffs.append(difference(original, document))
    return Fixed(tuple(written), refused, before, "\n".join(diffs))


def _fix_document(
    document: Document, findings: Sequence[Finding], agreed: Agreed
) -> tuple[list[Finding], int, Document]:
    """Return the findings that were repaired, how many could not be, and the document then."""
    done, failed = list[Finding](), 0
    for finding in _one_each(findings):
        fix = finding.fix
        if fix is None or (fix.asks and any(one.fix and one.fix.asks for one in done)):
            continue
        fixed = apply(document, fix)
        if fixed is None:
            failed += 1
        elif not fix.asks or agreed(finding, difference(document, fixed)):
            document = fixed
            done.append(finding)
    return done, failed, document


def _one_each(findings: Iterable[Finding]) -> list[Finding]:
    """Return one finding for each value, errors first: of two holds of one step the longer one, else the last."""
    once: dict[tuple[str | int, ...], Finding] = {}
    for finding in sorted(findings, key=lambda found: found.severity):
        if finding.fix is not None:
            other = once.get(finding.fix.path)
            if other is None or finding.fix.path[-1] != "hold" or _held(finding) > _held(other):
                once[finding.fix.path] = finding
    return list(once.values())


def _held(finding: Finding) -> float:
    return seconds(str(finding.fix.value)) if finding.fix else 0.0


def difference(old: Document, new: Document) -> str:
    """Return the lines that differ between two texts of a file."""
    lines = difflib.unified_diff(
        old.text.splitlines(), new.text.splitlines(), old.file, new.file, n=1, lineterm=""
    )
    return "\n".join(lines)


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
