"""Findings that a comment accepts: `# sluice: ignore[CODE] reason`, on the line or alone on the line above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from generator.dataclass import dataclass
from generator.lint.engine import CODES, Code, Problem, declare, to_finding
from generator.lint.objects import File
from generator.lint.tree import SyntaxPlace
from generator.source.finding import Finding

MARK: Final = "sluice: ignore"

declare(
    Code(
        "VER118",
        "warning",
        "an ignore comment has no effect",
        why="A comment without a reason is not read, and one without a finding hides the next one of its code.",
        remedy="Write a reason behind the code, or remove the comment.",
        example="# sluice: ignore[VER141]\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cart, namespace: shop}\ndata: {a: b}\n",
        instead="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cart, namespace: shop}\ndata: {a: b}\n",
    )
)


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment: its file and line, the line that it is about, its codes and its reason."""

    file: File
    line: int
    about: int
    codes: tuple[str, ...]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Return whether the comment accepts a finding."""
        at = finding.place
        return self.file.name == at.file and at.line in (self.line, self.about) and finding.code in self.codes


def without_ignored(findings: Iterable[Finding], files: Iterable[File]) -> Iterator[Finding]:
    """Yield the findings that no comment accepts, and one for each comment that has no effect."""
    comments = [comment for file in files for comment in _comments(file)]
    used: set[Comment] = set()
    for finding in findings:
        accepting = [comment for comment in comments if comment.reason and comment.covers(finding)]
        used.update(accepting)
        if not accepting:
            yield finding
    for comment in comments:
        if comment not in used:
            codes = ", ".join(comment.codes)
            why = "there is no such finding here" if comment.reason else "it has no reason"
            at = SyntaxPlace(comment.file, comment.line, 1)
            yield to_finding(CODES["VER118"], Problem((), f"the comment does not accept {codes}: {why}"), at)


def _comments(file: File) -> Iterator[Comment]:
    lines = (file.text or "").split("\n")
    for number, line in enumerate(lines, 1):
        before, marked, rest = line.partition(f"{MARK}[")
        names, closed, reason = rest.partition("]")
        if marked and closed and before.rstrip().endswith("#"):
            about = number
            if not before.rstrip()[:-1].strip():  # alone: the next line that is not a comment
                following = (
                    n
                    for n, text in enumerate(lines[number:], number + 1)
                    if not text.lstrip().startswith("#")
                )
                about = next(following, number)
            codes = tuple(code.strip() for code in names.split(","))
            yield Comment(file, number, about, codes, reason.strip())
