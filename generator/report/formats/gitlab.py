"""Findings as a GitLab Code Quality report (`artifacts: reports: codequality`).

GitLab shows only the first of several entries with the same fingerprint, and in some views the description without the
name of the check; therefore fingerprints are unique, and every description starts with the code. `content` is the Code
Climate specification's place for a link.
"""

from __future__ import annotations

import json
from typing import Any

from generator.report.formats.report import Report, advice, fingerprints, page
from generator.source.finding import Finding

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(report: Report) -> str:
    """Write a JSON array; an empty one closes the findings of the previous run."""
    identities = fingerprints(report.findings)
    entries = [
        _entry(finding, identity) for finding, identity in zip(report.findings, identities, strict=True)
    ]
    return json.dumps(entries, indent=2) + "\n"


def _entry(finding: Finding, fingerprint: str) -> dict[str, Any]:
    return {
        "description": f"{finding.code}: {advice(finding)}",
        "check_name": finding.code,
        "content": {"body": f"[{finding.code}]({page(finding.code)})"},
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": finding.place.file, "lines": {"begin": max(finding.place.line, 1)}},
    }
