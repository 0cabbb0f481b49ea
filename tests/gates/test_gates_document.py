"""Evidence that is torn, edited or forged is refused, whatever was done to it."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.gates.adapters import Outcome, Task
from generator.gates.document import (
    Evidence,
    evidence_bytes,
    own_digest,
    parse_evidence,
    plain,
    read_evidence,
)
from generator.gates.measures import measure, rounded
from generator.gates.run import UNSEALED, document, run_gate
from generator.plan.gates import gate_from
from generator.source.canonical import canonical_document
from generator.stats.binomial import Interval
from tests.gates.tables import MODEL, RELEASE, lock

NOW = dt.datetime(2026, 11, 23, 10, 30, tzinfo=dt.UTC)


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A document of two gates, one of which fails."""
    found = {
        "accuracy": measure(
            "accuracy", 0.95, "atLeast", 0.92, interval=Interval(0.93, 0.96), samples={"rows": 2000}
        ),
        "drift": measure("amount", 0.31, "atMost", 0.1, details={"p": 1e-9}),
    }
    outcome = SimpleNamespace(
        run=lambda task: Outcome("tool", "1.0", "digest", (), (found[task.gate.name],), None)
    )
    monkeypatch.setattr("generator.gates.run.adapter", lambda kind: outcome)
    gates = [gate_from({"name": name, "custom": "check"}) for name in found]
    entries = [run_gate(Task(gate, None, False, None, None, None), lambda: NOW) for gate in gates]
    return evidence_bytes(document("risk/fraud", [RELEASE.gate_key], lock({"dvc:x": MODEL}), entries))


def codes(raw: bytes) -> list[str]:
    evidence = Evidence("x.evidence.json", "risk/fraud")
    parse_evidence(raw, evidence)
    assert (evidence.content is None) == bool(evidence.findings)
    return [finding.code for finding in evidence.findings]


def forged(raw: bytes, edit) -> bytes:
    """An edit by someone who knows how to make the digests right again."""
    data = json.loads(raw)
    edit(data["predicate"]["gates"])
    for entry in data["predicate"]["gates"]:
        entry["digest"] = own_digest(entry)
    data["digest"] = own_digest(data)
    return canonical_document(data).encode()


def test_what_was_written_is_read(raw: bytes) -> None:
    assert codes(raw) == []
    assert raw.endswith(b"}\n")
    assert b"\r" not in raw


def test_it_is_an_in_toto_statement(raw: bytes) -> None:
    data = json.loads(raw)
    assert data["_type"] == "https://in-toto.io/Statement/v1"
    assert data["subject"] == [{"name": "risk/fraud", "digest": {"sha256": MODEL[7:]}}]
    assert {"predicateType", "predicate"} <= data.keys()


def test_every_digit_counts(raw: bytes) -> None:
    """Each digit of the file, changed alone, is noticed."""
    for found in re.finditer(rb"[0-9]", raw):
        at = found.start()
        other = b"1" if raw[at : at + 1] != b"1" else b"2"
        assert codes(raw[:at] + other + raw[at + 1 :]), raw[max(0, at - 40) : at + 10]


def test_every_digit_is_needed(raw: bytes) -> None:
    for found in re.finditer(rb"[0-9]", raw):
        at = found.start()
        assert codes(raw[:at] + raw[at + 1 :]), raw[max(0, at - 40) : at + 10]


def test_every_end_too_early_is_noticed(raw: bytes) -> None:
    for end in range(0, len(raw), 7):
        assert codes(raw[:end])
    assert codes(raw[:-1])


def test_a_verdict_that_is_edited_is_noticed(raw: bytes) -> None:
    assert "EVID102" in codes(raw.replace(b'"verdict": "fail"', b'"verdict": "pass"'))


def test_a_gate_that_is_taken_out_is_noticed(raw: bytes) -> None:
    data = json.loads(raw)
    del data["predicate"]["gates"][1]
    assert codes(canonical_document(data).encode()) == ["EVID102"]


def test_a_forged_verdict_does_not_follow_from_its_number(raw: bytes) -> None:
    def passes(gates):
        gates[1]["verdict"] = gates[1]["measures"][0]["verdict"] = "pass"

    assert codes(forged(raw, passes)) == ["EVID103"]


def test_a_pass_without_measures_is_no_pass(raw: bytes) -> None:
    assert codes(forged(raw, lambda gates: gates[0].update(measures=[]))) == ["EVID103"]


def test_an_interval_below_the_limit_is_no_pass(raw: bytes) -> None:
    def widened(gates):
        gates[0]["measures"][0]["interval"]["low"] = 0.5

    assert codes(forged(raw, widened)) == ["EVID103"]


def test_a_gate_judged_twice_is_noticed(raw: bytes) -> None:
    assert "EVID103" in codes(forged(raw, lambda gates: gates.append(dict(gates[0]))))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"schema": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"a": 1e999}',
    ],
)
def test_anything_else_is_refused(text: bytes) -> None:
    assert codes(text) == ["EVID101"]


def test_nan_is_no_number_even_with_the_right_digests(raw: bytes) -> None:
    text = raw.replace(b'"value": 0.31', b'"value": NaN')
    assert codes(text) == ["EVID101"]


def test_a_form_that_a_formatter_left_is_refused(raw: bytes) -> None:
    assert codes(json.dumps(json.loads(raw)).encode()) == ["EVID101"]
    assert codes(raw.replace(b"\n", b"\r\n")) == ["EVID101"]


def test_no_file_is_no_mistake_here_and_a_folder_is(tmp_path: Path) -> None:
    assert read_evidence(tmp_path / "none.json", tmp_path, "a/b").exists is False
    (tmp_path / "folder").mkdir()
    assert [f.code for f in read_evidence(tmp_path / "folder", tmp_path, "a/b").findings] == ["EVID101"]


@given(st.binary(max_size=300))
def test_no_bytes_are_a_traceback(text: bytes) -> None:
    assert codes(text)


@given(st.floats())
def test_numbers_have_one_form(value: float) -> None:
    found = rounded(value)
    assert found is None or rounded(found) == found
    assert found is None or json.loads(json.dumps(found)) == found


def test_a_digest_covers_all_but_itself(raw: bytes) -> None:
    evidence = Evidence("x", "a/b")
    parse_evidence(raw, evidence)
    assert evidence.content is not None
    data = plain(evidence.content)
    assert own_digest({**data, "digest": UNSEALED}) == data["digest"]
