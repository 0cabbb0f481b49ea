"""Findings for programs: the document `sluice/findings/v1` and its JSON Schema."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from generator.report.formats.json_schema import closed
from generator.report.formats.report import SEVERITIES, Report, page
from generator.source.finding import Finding, Fix, Place

SCHEMA = "sluice/findings/v1"


def render(report: Report) -> str:
    """Write the report; every key is always there, and what is unknown is null."""
    document = {
        "schema": SCHEMA,
        "findings": [_finding(finding) for finding in report.findings],
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


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "page": page(finding.code),
        "severity": finding.severity,
        "message": finding.message,
        "hint": finding.hint,
        "place": _place(finding.place),
        "path": finding.path,
        "excerpt": finding.excerpt,
        "related": [{"why": why, "place": _place(place)} for why, place in finding.related],
        "fix": _fix(finding.fix) if finding.fix else None,
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "file": place.file,
        "line": place.line or None,
        "column": place.column or None,
        "end_column": place.end_column or None,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {"path": list(fix.path), "value": _plain(fix.value)}


def _plain(value: object) -> object:
    """A value that JSON can hold; what it can't (a date, an infinity) becomes text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what `render` writes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Findings of a run of sluice",
        **closed(
            schema={
                "const": SCHEMA,
                "description": "The version of this document; keys change only with it.",
            },
            findings={
                "type": "array",
                "items": {"$ref": "#/$defs/finding"},
                "description": "Ordered by file, line, column, code and message.",
            },
            summary=closed(
                checked=_count("How many inputs were checked; 0 if that is unknown."),
                files=_count("How many files have findings."),
                fixable=_count("How many findings `--fix` repairs."),
                error=_count("How many findings refuse the input."),
                warning=_count("How many findings warn."),
                info=_count("How many findings inform."),
            ),
        ),
        "$defs": {"finding": _finding_schema(), "place": _place_schema(), "fix": _fix_schema()},
    }


def _finding_schema() -> dict[str, Any]:
    why = {"type": "string", "description": "What this place has to do with the finding."}
    return closed(
        code={"type": "string", "description": "Stable; `sluice explain CODE` explains it."},
        page={"type": "string", "description": "Address of the page that explains the code."},
        severity={"enum": list(SEVERITIES)},
        message={"type": "string", "description": "What is wrong."},
        hint={"type": "string", "description": "What to do about it; may be empty."},
        place={"$ref": "#/$defs/place"},
        path={"type": "string", "description": "Dotted key path inside the document; may be empty."},
        excerpt={"type": "string", "description": "The source line without its end; may be empty."},
        related={"type": "array", "items": closed(why=why, place={"$ref": "#/$defs/place"})},
        fix={"anyOf": [{"$ref": "#/$defs/fix"}, {"type": "null"}]},
    )


def _place_schema() -> dict[str, Any]:
    return closed(
        file={"type": "string", "description": "As the user knows it, with forward slashes."},
        line=_position("1-based; null when the whole file is meant."),
        column=_position("1-based, in code points; null when the whole line is meant."),
        end_column=_position("Behind the last character, on the same line; null when it is not known."),
    )


def _fix_schema() -> dict[str, Any]:
    path = {
        "type": "array",
        "items": {"type": ["string", "integer"]},
        "description": "Keys and list indexes.",
    }
    return closed(path=path, value={"description": "The value that `--fix` writes there."})


def _count(description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "description": description}


def _position(description: str) -> dict[str, Any]:
    return {"type": ["integer", "null"], "minimum": 1, "description": description}
