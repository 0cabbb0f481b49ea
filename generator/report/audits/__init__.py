"""Audits as text, JSON, CSV and HTML."""

from __future__ import annotations

from collections.abc import Sequence

from generator.history.releases import Release
from generator.report.audits.page import html
from generator.report.audits.rows import as_csv, as_json
from generator.report.audits.text import text

__all__ = ["write"]


def write(fmt: str, releases: Sequence[Release], at: str) -> str:
    """An audit in one of its forms.

    Args:
        fmt: text, json, csv or html.
        releases: what was live, by model and time.
        at: the date that was asked for; empty for all of the past.
    """
    if fmt == "html":
        return html(releases, at)
    return {"text": text, "json": as_json, "csv": as_csv}[fmt](releases)
