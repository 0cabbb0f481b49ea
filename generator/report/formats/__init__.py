"""Findings as text: for people, and for the programs that show them next to the code.

One module per format, with a function `render(report)`; it is imported when its format is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from generator.report.formats.report import Report
from generator.report.tables import PLAIN, Screen
from generator.source.finding import Finding

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


def render(
    findings: Sequence[Finding],
    fmt: str,
    *,
    screen: Screen = PLAIN,
    checked: int = 0,
    noun: str = "spec",
    unchecked: int = 0,
) -> str:
    """Write findings in a format; the same findings in any order give the same bytes.

    Args:
        findings: what was found; they are put in order of place, then code.
        fmt: one of `FORMATS`.
        screen: where `text` is shown; the other formats have neither colors nor lines that wrap.
        checked: how many inputs were checked; 0 if that is unknown.
        noun: what an input is.
        unchecked: how many things could not be checked.

    Returns:
        A whole document that ends with one line feed.

    Raises:
        KeyError: for a format that is not one of `FORMATS`.
    """
    writer: Callable[[Report], str] = import_module(f"{__name__}.{_MODULES[fmt]}").render
    report = Report.of(findings, checked=checked, noun=noun, screen=screen, unchecked=unchecked)
    return writer(report)
