"""Findings as text: for people, and for the programs that show them beside the code.

One module a format; each has a function `render(report)`. A module is imported when its format is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from generator.report.formats.report import Report
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
    color: bool = False,
    checked: int = 0,
    noun: str = "spec",
    rules: Mapping[str, str] | None = None,
) -> str:
    """Write findings in a format; the same findings in any order give the same bytes.

    Args:
        findings: what was found; they are put in order of place, then code.
        fmt: one of `FORMATS`.
        color: terminal colours; only the format `text` has any.
        checked: how many inputs were looked at; 0 when that is not known.
        noun: what an input is.
        rules: code to one short sentence that says what the rule demands; only `sarif` carries it.

    Returns:
        A whole document that ends in one line feed; print it as it is.

    Raises:
        KeyError: for a format that is not one of `FORMATS`.
    """
    writer: Callable[[Report], str] = import_module(f"{__name__}.{_MODULES[fmt]}").render
    return writer(Report.of(findings, checked=checked, noun=noun, color=color, rules=rules or {}))
