"""Audits as text, JSON, CSV and HTML."""

from __future__ import annotations

from collections.abc import Sequence

from generator.history.releases import Release
from generator.report.audits.page import html
from generator.report.audits.rows import as_csv, as_json
from generator.report.audits.text import text
from generator.report.tables import Screen

__all__ = ["write"]


def write(fmt: str, releases: Sequence[Release], at: str, screen: Screen) -> str:
    """Return an audit in one of its formats.

    Args:
        fmt: text, json, csv or html.
        releases: what was live, by model and time.
        at: the date of the audit; empty for all of the past.
        screen: where text is shown.
    """
    if fmt == "text":
        return text(releases, screen)
    if fmt == "html":
        return html(releases, at)
    return {"json": as_json, "csv": as_csv}[fmt](releases)
