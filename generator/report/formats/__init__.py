"""Findings as text: for people, and for the programs that show them next to the code.

One module per format, with a function `render(report)`; it is imported when its format is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from generator.report.formats.report import Report
from generator.report.tables import PLAIN, Screen
from generator.source.finding import Finding

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMATS", "render"]

_MODULES = {
    "text": "text",
    "json": "findings_json",
    "github": "github",
    "gitlab": "gitlab",
    "sarif": "sarif",
    "junit": "junit",
}
FORMATS = tuple(_MODULES)
_FROM_TOP = frozenset({"github", "gitlab", "sarif"})
"""Formats that code hosts read: their paths are those below the top of the git repository."""


def render(
    findings: Sequence[Finding],
    fmt: str,
    *,
    screen: Screen = PLAIN,
    checked: int = 0,
    noun: str = "spec",
    unchecked: int = 0,
    root: Path | None = None,
) -> str:
    """Write findings in a format; the same findings in any order give the same bytes.

    Args:
        findings: what was found; they are put in order of place, then code.
        fmt: one of `FORMATS`.
        screen: where `text` is shown; the other formats have neither colors nor lines that wrap.
        checked: how many inputs were checked; 0 if that is unknown.
        noun: what an input is.
        unchecked: how many things could not be checked.
        root: the folder that relative paths of findings are in; formats for code hosts show where it is in git.

    Returns:
        A whole document that ends with one line feed.

    Raises:
        KeyError: for a format that is not one of `FORMATS`.
    """
    writer: Callable[[Report], str] = import_module(f"{__name__}.{_MODULES[fmt]}").render
    below = ""
    if root is not None and fmt in _FROM_TOP:
        from generator.plan.model_files import folder_in_git

        below = folder_in_git(root) or ""
    report = Report.of(findings, checked=checked, noun=noun, screen=screen, unchecked=unchecked, below=below)
    return writer(report)
