"""Findings as JUnit XML: one suite per file, one test case per finding.

Errors fail their case. Warnings and remarks are in the output of a case that passes. GitLab identifies a case by its
class name and name, and drops the second of two with the same: names are therefore unique, without line numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from generator.report.formats.report import Report, page
from generator.report.formats.text import block
from generator.source.finding import Finding

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_CONTENT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = _CONTENT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def render(report: Report) -> str:
    """Write a document; a report without findings is one case that passes."""
    by_file = groupby(report.findings, key=lambda finding: finding.place.file)
    suites = [_suite(file, list(findings)) for file, findings in by_file]
    if not suites:
        suites = [
            f"  <testsuite{_totals('sluice', 1, 0)}>",
            _case("sluice", report.summary(), ""),
            "  </testsuite>",
        ]
    totals = _totals("sluice", max(len(report.findings), 1), report.count("error"))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{totals}>", *suites, "</testsuites>"]
    return "".join(f"{line}\n" for line in lines)


def _suite(file: str, findings: list[Finding]) -> str:
    failures = sum(finding.severity == "error" for finding in findings)
    cases = [
        _case(file, name, _outcome(finding)) for finding, name in zip(findings, _names(findings), strict=True)
    ]
    return "\n".join([f"  <testsuite{_totals(file, len(findings), failures)}>", *cases, "  </testsuite>"])


def _totals(name: str, tests: int, failures: int) -> str:
    counts = {"tests": tests, "failures": failures, "errors": 0, "skipped": 0, "time": 0}
    return _attributes(name=name, **{key: str(value) for key, value in counts.items()})


def _names(findings: list[Finding]) -> Iterator[str]:
    taken: set[str] = set()
    repeats: Counter[str] = Counter()
    for finding in findings:
        name = plain = f"{finding.code}: {finding.message}"
        while name in taken:
            repeats[plain] += 1
            name = f"{plain} ({repeats[plain] + 1})"
        taken.add(name)
        yield name


def _case(file: str, name: str, outcome: str) -> str:
    attributes = _attributes(classname=file, name=name, file=file, time="0")
    return f"    <testcase{attributes}>{outcome}</testcase>" if outcome else f"    <testcase{attributes}/>"


def _outcome(finding: Finding) -> str:
    details = _xml(f"{block(finding)}\n  page | {page(finding.code)}").translate(_CONTENT)
    if finding.severity != "error":
        return f"<system-out>{details}</system-out>"
    return f"<failure{_attributes(type=finding.code, message=finding.message)}>{details}</failure>"


def _attributes(**values: str) -> str:
    return "".join(f' {name}="{_xml(value).translate(_ATTRIBUTE)}"' for name, value in values.items())


def _xml(text: str) -> str:
    """Text with every character that XML 1.0 can't hold replaced by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)
