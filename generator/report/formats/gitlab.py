"""Findings as a GitLab Code Quality report (`artifacts: reports: codequality`).

GitLab shows only the first of several entries with one fingerprint, and has shown descriptions without the
name of the check; hence unique fingerprints, and the code at the head of every description.
"""

from __future__ import annotations

import json
from typing import Any

from generator.report.formats.report import Report, advice, fingerprints
from generator.source.finding import Finding

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(report: Report) -> str:
    """Write a JSON array; it is empty when there are no findings, which closes those of the run before."""
    identities = fingerprints(report.findings)
    entries = [
        _entry(finding, identity) for finding, identity in zip(report.findings, identities, strict=True)
    ]
    return json.dumps(entries, indent=2) + "\n"


def _entry(finding: Finding, fingerprint: str) -> dict[str, Any]:
    return {
        "description": f"{finding.code}: {advice(finding)}",
        "check_name": finding.code,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": finding.place.file, "lines": {"begin": max(finding.place.line, 1)}},
    }
