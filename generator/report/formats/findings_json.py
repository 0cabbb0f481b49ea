"""Findings for programs: the document `sluice/findings/v1` and its JSON Schema."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypedDict

from generator.report.formats.json_schema import Keywords
from generator.report.formats.report import Report, page
from generator.source.finding import Finding, Fix, Place, Severity

SCHEMA: Final = "sluice/findings/v1"
_LONGEST: Final = 1000

Count = Annotated[int, Keywords(minimum=0)]
Position = Annotated[int, Keywords(minimum=1)]


class PlaceRecord(TypedDict):
    """A place, as editors count."""

    file: Annotated[str, "As the user knows it, with forward slashes."]
    line: Annotated[Position | None, "1-based; null when the whole file is meant."]
    column: Annotated[Position | None, "1-based, in code points; null when the whole line is meant."]
    end_column: Annotated[
        Position | None, "Behind the last character, on the same line; null when it is not known."
    ]


class RelatedRecord(TypedDict):
    """Another place that explains a finding."""

    why: Annotated[str, "What this place has to do with the finding."]
    place: PlaceRecord


class FixRecord(TypedDict):
    """What `--fix` writes."""

    path: Annotated[list[str | int], "Keys and list indexes."]
    value: Annotated[Any, "The value that `--fix` writes there."]
    asks: Annotated[bool, "Only after a question, or with `--apply CODE`."]


class FindingRecord(TypedDict):
    """One finding; every key is always there, and what is unknown is null."""

    code: Annotated[str, "Stable; `sluice explain CODE` explains it."]
    page: Annotated[str, "Address of the page that explains the code."]
    severity: Severity
    message: Annotated[str, "What is wrong."]
    hint: Annotated[str, "What to do about it; may be empty."]
    place: PlaceRecord
    object: Annotated[str, "Kind, namespace and name of the object of a tree; empty for specs."]
    part: Annotated[str, "The metric, step or container inside it; may be empty."]
    path: Annotated[str, "Dotted key path inside the document; may be empty."]
    excerpt: Annotated[str, "The source line without its end, at most 1,000 characters; may be empty."]
    related: list[RelatedRecord]
    fix: FixRecord | None


class Summary(TypedDict):
    """Counts."""

    checked: Annotated[Count, "How many inputs were checked; 0 if that is unknown."]
    files: Annotated[Count, "How many files have findings."]
    fixable: Annotated[Count, "How many findings `--fix` repairs without a question."]
    error: Annotated[Count, "How many findings refuse the input."]
    warning: Annotated[Count, "How many findings warn."]
    info: Annotated[Count, "How many findings inform."]


class Document(TypedDict):
    """All findings of a run."""

    schema: Annotated[
        Literal["sluice/findings/v1"], "The version of this document; keys change only with it."
    ]
    findings: Annotated[list[FindingRecord], "Ordered by file, line, column, code and message."]
    summary: Summary


def render(report: Report) -> str:
    """Write the report."""
    document: Document = {
        "schema": SCHEMA,
        "findings": [finding_record(finding) for finding in report.findings],
        "summary": {
            "checked": report.checked,
            "files": report.files,
            "fixable": report.fixable,
            "error": report.count("error"),
            "warning": report.count("warning"),
            "info": report.count("info"),
        },
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def finding_record(finding: Finding) -> FindingRecord:
    """Return a finding as it is in every document with findings."""
    return {
        "code": finding.code,
        "page": page(finding.code),
        "severity": finding.severity,
        "message": finding.message,
        "hint": finding.hint,
        "place": _place(finding.place),
        "object": finding.object,
        "part": finding.part,
        "path": finding.path,
        "excerpt": finding.excerpt[:_LONGEST],
        "related": [{"why": why, "place": _place(place)} for why, place in finding.related],
        "fix": _fix(finding.fix) if finding.fix else None,
    }


def _place(place: Place) -> PlaceRecord:
    return {
        "file": place.file,
        "line": place.line or None,
        "column": place.column or None,
        "end_column": place.end_column or None,
    }


def _fix(fix: Fix) -> FixRecord:
    return {"path": list(fix.path), "value": _plain(fix.value), "asks": fix.asks}


def _plain(value: object) -> object:
    """A value that JSON can hold; what it can't (a date, an infinity) becomes text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)
