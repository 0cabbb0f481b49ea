"""A finding: what is wrong with an input, where it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Literal

from generator.dataclass import dataclass

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in an input file.

    Args:
        file: path for messages, with forward slashes.
        line: 1-based line; 0 for the whole file.
        column: 1-based column; 0 for the whole line.
        end_column: 1-based column after the last character on that line; 0 when unknown.
    """

    file: str
    line: int = 0
    column: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column or 1}"


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit of a spec that repairs a finding: the value at a key path.

    Args:
        path: the key path.
        value: the value to write there.
        safe: it loosens no guard, gate or bound.
    """

    path: tuple[str | int, ...]
    value: object
    safe: bool = True

    @property
    def asks(self) -> bool:
        """Whether a person must agree: it may loosen something, or changes how far or how long a release goes."""
        return not self.safe or bool({"steps", "shadow", "hold", "weight", "watch"} & set(self.path))


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of one input.

    Args:
        code: stable code such as `SPEC101`; `sluice explain CODE` explains it.
        severity: an error blocks, a warning informs.
        message: one sentence on what is wrong.
        hint: one sentence on what to do.
        place: its position.
        path: dotted key path inside the document, for people and programs.
        excerpt: the offending source line, without its end of line; empty when there is none.
        related: other places that explain it, each with its role (such as a tier's ceiling).
        fix: an edit that repairs it, if there is one.
        object: kind, namespace and name of the object of a tree; empty for specs.
        part: the metric, step or container inside it.
        replacement: text that repairs it in the place of what is written at `place`, on one line; empty for none.
    """

    code: str
    severity: Severity
    message: str
    hint: str
    place: Place
    path: str = ""
    excerpt: str = ""
    related: tuple[tuple[str, Place], ...] = ()
    fix: Fix | None = field(default=None, compare=False)
    object: str = ""
    part: str = ""
    replacement: str = ""

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Order findings by place, then code."""
        return (self.place.file, self.place.line, self.place.column, self.code, self.message)


def unique_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in order of place, each once: several environments may have the same one."""
    once = {(found.code, found.place, found.message): found for found in findings}
    return sorted(once.values(), key=Finding.sort_key)
