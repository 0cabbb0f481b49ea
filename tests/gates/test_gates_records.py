"""Records of releases: what they prove, what they do not, and that a doctored one proves nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.gates.document import own_digest, plain
from generator.gates.records import (
    ReadRecord,
    Requirement,
    parse_record,
    read_record,
    reasons_against,
    record_bytes,
)
from generator.source.canonical import canonical_document
from tests.gates.record_samples import END, KEY, sample

OTHER = "sha256:" + "c" * 64
BLUE: dict[str, Any] = {"power": {"seen": None, "byGuard": {}, "promised": {}, "least": 0.5, "unknown": ""}}
LATER = dt.datetime.fromisoformat(END) + dt.timedelta(hours=25)
ASKED = Requirement("passed", 0.5, 24 * 3600.0, 14 * 24 * 3600.0)


def against(
    edits: dict[str, Any], asked: Requirement = ASKED, key: str = KEY, now: dt.datetime = LATER
) -> str:
    return "; ".join(reasons_against(sample(edits), key, asked, now))


def test_a_release_that_passed_proves_its_key() -> None:
    assert sample().verdict == "passed"
    assert against({}) == ""


def test_no_record_proves_nothing() -> None:
    assert reasons_against(None, KEY, ASKED, LATER) == ("there is no record",)


@pytest.mark.parametrize(
    ("edits", "verdict", "reason"),
    [
        ({"subject.releaseKey": OTHER}, "passed", "another release"),
        ({"subject.releaseKey": ""}, "passed", "its key is none"),
        ({"current": False}, "passed", "had been replaced"),
        ({"aborted": True, "current": False, "phase": "Degraded"}, "aborted", "its verdict is aborted"),
        ({"firstRelease": True, "rollout.revision": 1}, "weak", "first release"),
        ({"runs": [], "start": ...}, "weak", "nothing was analysed"),
        ({"steps.skipped": [2]}, "weak", "steps were skipped or cut short: 2"),
        ({"steps.skipped": [1, 2], "steps.promoteFull": True}, "weak", "promote --full"),
        ({"runs.1.metrics.0.successful": 0}, "weak", "ctr in the AnalysisRun ranker-6f9-2-2 measured nothing"),
        ({"runs.0.verdict": "Failed"}, "weak", "ended as Failed, and the release went on"),
        ({"runs.0.verdict": "Error"}, "weak", "ended as Error, and the release went on"),
        ({"runs.1.verdict": "Inconclusive"}, "inconclusive", "its verdict is inconclusive"),
        ({"power.seen": 0.49, "power.byGuard.ctr": 0.49}, "weak", "is 49%, less than 50%"),
        ({"power": {**BLUE["power"], "unknown": "no traffic"}}, "weak", "is unknown: no traffic"),
    ],
)  # fmt: skip
def test_what_a_release_did_decides_its_verdict(edits: dict[str, Any], verdict: str, reason: str) -> None:
    assert sample(edits).verdict == verdict
    assert reason in against(edits)


@pytest.mark.parametrize(
    ("asked", "accepted"),
    [("passed", {"passed"}), ("weak", {"passed", "weak"}), ("any", {"passed", "weak", "inconclusive"})],
)
def test_an_abort_is_never_accepted(asked: Any, accepted: set[str]) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "passed": {},
        "weak": {"steps.skipped": [2]},
        "inconclusive": {"runs.1.verdict": "Inconclusive"},
        "aborted": {"aborted": True, "current": False, "phase": "Degraded"},
    }
    assert {name for name, edits in kinds.items() if not against(edits, Requirement(asked))} == accepted


@pytest.mark.parametrize(
    ("hours", "reason"),
    [(-0.1, ""), (-0.2, "in the future"), (0, "its soak of 1d ends in 1d"), (23.9, "ends in 6m"), (24, ""), (14 * 24, ""), (14 * 24 + 1, "ended 14d 1h ago")],
)  # fmt: skip
def test_time_is_counted_from_the_end_of_the_release(hours: float, reason: str) -> None:
    now = dt.datetime.fromisoformat(END) + dt.timedelta(hours=hours)
    asked = Requirement(soak_s=0.0) if hours == -0.1 else ASKED
    found = against({}, asked, now=now)
    assert reason in found
    assert bool(found) == bool(reason)


def test_power_is_required_even_where_a_weak_record_is_accepted() -> None:
    assert sample(BLUE).verdict == "passed"
    assert (
        against(BLUE, Requirement("any", 0.3))
        == "its power with the traffic that came is unknown, and 30% is required"
    )
    assert (
        against({}, Requirement(min_power=0.94))
        == "its power with the traffic that came is 93%, and 94% is required"
    )


def _parsed(raw: bytes) -> ReadRecord:
    return parse_record(raw, ReadRecord("x", "shop/ranker"), "staging")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ranker.staging.record.json"
    assert not read_record(path, tmp_path, "shop/ranker", "staging").exists
    path.write_bytes(record_bytes(sample()))
    read = read_record(path, tmp_path, "shop/ranker", "staging")
    assert (read.content, read.findings) == (sample(), [])
    other = read_record(path, tmp_path, "shop/ranker", "production")
    assert [found.code for found in other.findings] == ["RECD103"]
    assert other.content is None
    (tmp_path / "link.json").symlink_to(path)
    assert [
        f.code for f in read_record(tmp_path / "link.json", tmp_path, "shop/ranker", "staging").findings
    ] == ["RECD101"]


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    items: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in items:
        yield from _paths(item, (*path, key))


def _changed(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    return [] if value else 1


def _doctored(change: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in _paths(plain(sample())):
        document = plain(sample())
        *parents, last = path
        node: Any = document
        for part in parents:
            node = node[part]
        if change == "removed":
            del node[last]
        elif change == "unknown" and isinstance(node[last], dict):
            node[last]["extra"] = 1
        elif change == "edited" and node[last] not in ({}, []):
            node[last] = _changed(node[last])
        else:
            continue
        yield ".".join(map(str, path)), document


@pytest.mark.parametrize("change", ["removed", "unknown", "edited"])
def test_no_field_can_be_edited_without_its_digest(change: str) -> None:
    count = 0
    for path, document in _doctored(change):
        read = _parsed(canonical_document(document).encode())
        assert read.content is None, path
        assert {found.code for found in read.findings} <= {"RECD101", "RECD102", "RECD103"}, path
        count += 1
    assert count > {"removed": 70, "unknown": 10, "edited": 60}[change]


@pytest.mark.parametrize(
    "edits",
    [
        {"verdict": "weak"},
        {"reasons": ["it was so"]},
        {"aborted": True},
        {"phase": "Degraded"},
        {"firstRelease": True},
        {"end": "2026-11-20T09:00:00Z"},
        {"start": "2026-11-20T09:00:00Z"},
        {"power": {**plain(sample())["power"], "seen": 0.99}},
        {"power": {**plain(sample())["power"], "seen": None}},
        {"steps": {"planned": 3, "skipped": [3], "promoteFull": False}},
        {"runs": list(reversed(plain(sample())["runs"]))},
    ],
)
def test_a_new_digest_does_not_hide_a_contradiction(edits: dict[str, Any]) -> None:
    document = {**plain(sample()), **edits}
    document["digest"] = own_digest(document)
    read = _parsed(canonical_document(document).encode())
    assert {found.code for found in read.findings} == {"RECD103"}
    assert read.content is None


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"null", b"{", b'{"schema": 1, "schema": 2}', b'{"schema": NaN}', b"\xff", b"[" * 10_000],
)
def test_what_is_no_record_is_refused(raw: bytes) -> None:
    assert [found.code for found in _parsed(raw).findings] == ["RECD101"]


def test_the_form_of_the_file_is_one() -> None:
    loose = json.dumps(plain(sample())).encode()
    assert [found.code for found in _parsed(loose).findings] == ["RECD101"]
