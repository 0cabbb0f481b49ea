"""Findings as a SARIF 2.1.0 log (OASIS standard) within the limits of GitHub code scanning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from generator import DOCUMENTATION, __version__
from generator.report.formats.report import SEVERITIES, Report, advice, fingerprints, page
from generator.source.finding import Finding, Place

MAX_RESULTS = 25_000  # GitHub rejects a file whose run has more
MAX_RELATED = 100  # GitHub shows no more locations of one result
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PLACEHOLDER = re.compile(r"\{\d+\}|\{\{|\}\}")
_LINK = re.compile(r"(?<!\\)(\\*)\]\(")


def render(report: Report) -> str:
    """Write a log with one run."""
    kept = _most_severe(report.findings)
    codes = {code: index for index, code in enumerate(sorted({finding.code for finding in kept}))}
    identities = fingerprints(kept)
    run = {
        "tool": {"driver": _driver(codes)},
        "invocations": [_invocation(len(report.findings), len(kept))],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(finding, codes[finding.code], identity)
            for finding, identity in zip(kept, identities, strict=True)
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _most_severe(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    if len(findings) <= MAX_RESULTS:
        return findings
    order = sorted(range(len(findings)), key=lambda index: SEVERITIES.index(findings[index].severity))
    return tuple(findings[index] for index in sorted(order[:MAX_RESULTS]))


def _invocation(found: int, kept: int) -> dict[str, Any]:
    """The invocation: successful, with a notification if findings were left out."""
    note = f"the {found - kept:,} least severe of {found:,} findings are left out: GitHub accepts {MAX_RESULTS:,}."
    left_out = [{"level": "warning", "message": {"text": note}}] if found > kept else []
    return {"executionSuccessful": True, "toolExecutionNotifications": left_out}


def _driver(codes: Iterable[str]) -> dict[str, Any]:
    return {
        "name": "sluice",
        "version": __version__,
        "informationUri": DOCUMENTATION,
        "rules": [_rule(code) for code in codes],
    }


def _rule(code: str) -> dict[str, Any]:
    """A rule with its whole page, which GitHub shows next to a finding."""
    from generator.report import codes

    known = codes.all_codes().get(code)
    if known is None:
        return {"id": code, "shortDescription": {"text": _text(code)}, "helpUri": page(code)}
    text = codes.page(known)
    return {
        "id": code,
        "shortDescription": {"text": _text(known.title)},
        "fullDescription": {"text": _text(known.why)},
        "defaultConfiguration": {"level": _LEVELS[known.severity]},
        "helpUri": page(code),
        "help": {"text": _text(text), "markdown": _braces(text)},
    }


def _result(finding: Finding, rule_index: int, fingerprint: str) -> dict[str, Any]:
    related = finding.related[:MAX_RELATED]
    location = _location(finding.place)
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path}]
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _text(advice(finding)) + _links(related)},
        "locations": [location],
        "relatedLocations": [
            {"id": number, **_location(place), "message": {"text": _text(why)}}
            for number, (why, place) in enumerate(related, start=1)
        ],
        # GitHub's upload action adds its own hash of the line.
        "partialFingerprints": {"sluiceFinding/v1": fingerprint},
    }


def _links(related: tuple[tuple[str, Place], ...]) -> str:
    """Links to the related locations (SARIF 2.1.0, 3.11.6): GitHub shows those that a message links to."""
    return "".join(
        f"\nSee [{_link_text(why)}]({number})." for number, (why, _) in enumerate(related, start=1)
    )


def _location(place: Place) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(place.file), "region": _region(place)}}


def _artifact(file: str) -> dict[str, str]:
    path = quote(file, safe="/")
    return {"uri": f"file://{path}"} if path.startswith("/") else {"uri": path, "uriBaseId": "%SRCROOT%"}


def _region(place: Place) -> dict[str, int]:
    """The place as a region; line 1 for a whole file, because GitHub needs a line."""
    region = {"startLine": max(place.line, 1)}
    if place.line and place.column:
        region["startColumn"] = place.column
        if place.end_column > place.column:
            region["endColumn"] = place.end_column
    return region


def _text(text: str) -> str:
    r"""Text that no reader takes for a link: `](` becomes `\](`, and backslashes before it are doubled."""
    return _LINK.sub(r"\1\1\](", _braces(text))


def _link_text(why: str) -> str:
    """Text of a link: on one line, brackets and backslashes escaped by a backslash (SARIF 2.1.0, 3.11.6)."""
    return " ".join(re.sub(r"([\\\[\]])", r"\\\1", _braces(why)).split())


def _braces(text: str) -> str:
    """Text that no reader takes for a placeholder: every brace is doubled (SARIF 2.1.0, 3.11.5).

    Only where the text has a placeholder or a doubled brace in it; other text reads the same either way, and
    readers in the field show the text of a message that has no arguments as it stands.
    """
    return text.replace("{", "{{").replace("}", "}}") if _PLACEHOLDER.search(text) else text
