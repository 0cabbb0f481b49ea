"""Findings as GitHub Actions workflow commands, which become annotations of a pull request.

Only what the runner unescapes is escaped: `%`, CR and LF in the message; also `:` and `,` in a property. Characters
that would control the terminal that shows the log, or hide in it, are spelled out before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from generator.report.formats.report import SEVERITIES, Report, page
from generator.source.finding import Finding, Place
from generator.source.line import visible

_SHOWN = 10
_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render(report: Report) -> str:
    """Write one command per finding, and a last line for the log.

    GitHub shows ten annotations of a step: errors come first, and one of each code before the second of any.
    """
    return "".join(f"{line}\n" for line in [*map(_command, _worst_first(report.findings)), report.summary()])


def _worst_first(findings: Sequence[Finding]) -> list[Finding]:
    if len(findings) <= _SHOWN:
        return list(findings)
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, Finding]] = []
    for finding in findings:
        ranked.append((SEVERITIES.index(finding.severity), seen[finding.code], finding))
        seen[finding.code] += 1
    return [finding for _, _, finding in sorted(ranked, key=lambda row: row[:2])]


def _command(finding: Finding) -> str:
    title = f"{finding.code} at {finding.path}" if finding.path else finding.code
    properties = {**_where(finding.place), "title": title}
    written = ",".join(
        f"{name}={visible(value).translate(_PROPERTY)}" for name, value in properties.items() if value
    )
    message = "\n".join(visible(text) for text in (finding.message, finding.hint, page(finding.code)) if text)
    return f"::{_COMMANDS[finding.severity]} {written}::{message.translate(_DATA)}"


def _where(place: Place) -> dict[str, str]:
    """The place of an annotation, whose end column is the last one of the range, not the one after it."""
    where = {"file": place.file}
    if place.line:
        where |= {"line": str(place.line), "endLine": str(place.line)}
    if place.line and place.column:
        where |= {"col": str(place.column), "endColumn": str(max(place.column, place.end_column - 1))}
    return where
