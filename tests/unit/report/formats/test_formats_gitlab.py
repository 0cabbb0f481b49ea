from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from generator.report.formats import render
from generator.report.formats.report import page
from generator.source.finding import Finding
from tests.unit.report.formats.samples import EXAMPLES, FINDINGS, REPORT, REPORTS, UNKNOWN_KEY

SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def _entries(findings: tuple[Finding, ...] | list[Finding]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(render(findings, "gitlab"))
    return entries


def _moved(finding: Finding, lines: int) -> Finding:
    return replace(finding, place=replace(finding.place, line=finding.place.line + lines))


def test_an_entry() -> None:
    (entry,) = _entries([UNKNOWN_KEY])
    fingerprint = entry.pop("fingerprint")
    assert re.fullmatch("[0-9a-f]{32}", fingerprint)
    assert entry == {
        "description": "SPEC101: `stratgy` is not a key of a rollout. Hint: did you mean `strategy`?",
        "check_name": "SPEC101",
        "content": {"body": f"[SPEC101]({page('SPEC101')})"},
        "severity": "major",
        "location": {"path": "specs/shop/recommender.yaml", "lines": {"begin": 13}},
    }


def test_no_findings_are_an_empty_array() -> None:
    assert render([], "gitlab", checked=5) == "[]\n"


@EXAMPLES
@given(findings=REPORTS)
def test_entries_keep_the_rules_of_the_report(findings: list[Finding]) -> None:
    entries = _entries(findings)
    for entry in entries:
        assert set(entry) == {"description", "check_name", "content", "fingerprint", "severity", "location"}
        assert entry["severity"] in SEVERITIES
        assert entry["location"]["lines"]["begin"] >= 1
        assert not entry["location"]["path"].startswith("./")
    written = Counter(entry["description"].partition(" Hint: ")[0].rstrip(".") for entry in entries)
    found = Counter(f"{f.code}: {f.message}".partition(" Hint: ")[0].rstrip(".") for f in findings)
    assert written == found


@EXAMPLES
@given(findings=st.lists(FINDINGS, min_size=1, max_size=3), times=st.integers(1, 4))
def test_no_two_findings_share_a_fingerprint(findings: list[Finding], times: int) -> None:
    entries = _entries([_moved(finding, n) for finding in findings for n in range(times)])
    assert len({entry["fingerprint"] for entry in entries}) == len(findings) * times


@EXAMPLES
@given(findings=st.lists(FINDINGS.map(lambda f: _moved(f, 1)), max_size=4), lines=st.integers(1, 50))
def test_fingerprints_outlive_a_move(findings: list[Finding], lines: int) -> None:
    before = [entry["fingerprint"] for entry in _entries(findings)]
    after = [entry["fingerprint"] for entry in _entries([_moved(finding, lines) for finding in findings])]
    assert before == after


def test_fingerprints_outlive_changes_elsewhere() -> None:
    everything = {entry["check_name"]: entry["fingerprint"] for entry in _entries(REPORT)}
    fewer = {entry["check_name"]: entry["fingerprint"] for entry in _entries(REPORT[1:])}
    assert fewer.items() < everything.items()


def test_fingerprints_know_the_key_that_is_meant() -> None:
    findings = [replace(UNKNOWN_KEY, path=f"spec.steps[{index}]") for index in range(3)]
    all_three = [entry["fingerprint"] for entry in _entries(findings)]
    assert [entry["fingerprint"] for entry in _entries(findings[1:])] == all_three[1:]


def test_the_parts_of_a_fingerprint_do_not_run_together() -> None:
    one = replace(UNKNOWN_KEY, path="a\0b", message="c")
    other = replace(UNKNOWN_KEY, path="a", message="b\0c")
    assert _entries([one])[0]["fingerprint"] != _entries([other])[0]["fingerprint"]
