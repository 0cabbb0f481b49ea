"""The last task of the gate Workflow: every combination of what its gates can leave."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.cli.main import cli
from generator.gates.adapters import Outcome
from generator.gates.document import Evidence, own_digest, parse_evidence
from generator.gates.measures import measure
from generator.gates.pod import blocking, conclude, parameter, read_release
from generator.gates.run import entry_of
from generator.plan.gates import gate_from
from tests.gates.tables import LOCKED, MODEL

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
TESTS = {"name": "unit-tests", "junit": "reports/junit.xml", "atLeast": 20}
METRIC = {"name": "accuracy", "metric": "accuracy", "atLeast": 0.9, "paired": False}
CUSTOM = {"name": "toxicity", "custom": "r.example/t@sha256:" + "1" * 64, "args": []}
RELEASE = {
    "model": "shop/ranker",
    "framework": "sklearn",
    "gateKey": "3" * 64,
    "guaranteed": False,
    "lock": {
        "schema": "sluice/lock/v1",
        "model": {"ref": "r", "resolved": "r", "version": "1", "digest": MODEL, "at": LOCKED, "by": "t"},
        "data": {},
    },
}


def entry(config: dict, value: float | None = 0.0) -> str:
    outcome = Outcome("tool", "1", "data", (), (measure("m", value, "atMost", 0.5),))
    return parameter(entry_of(gate_from(config), outcome, lambda: NOW)).decode()


def doctored(config: dict, edit, *, sealed: bool) -> str:
    data = json.loads(entry(config, 0.9))
    edit(data)
    if sealed:
        data["digest"] = own_digest(data)
    return json.dumps(data)


def passes(data: dict) -> None:
    data["verdict"] = data["measures"][0]["verdict"] = "pass"


def report(value: float = 0.01, **more: object) -> str:
    found = {"name": "toxic", "value": value, "bound": "atMost", "threshold": 0.02}
    return json.dumps({"tool": "t", "version": "1", "model": MODEL, "measures": [found], **more})


LEFT = {
    "pass": (entry(TESTS), "pass", ""),
    "fail": (entry(TESTS, 0.9), "fail", "m is 0.9, not at most 0.5"),
    "inconclusive": (entry(TESTS, None), "inconclusive", "is not a number"),
    "missing": ("none", "inconclusive", "left no evidence"),
    "empty": ("", "inconclusive", "left no evidence"),
    "torn": (entry(TESTS)[:-30], "inconclusive", "truncated?"),
    "no object": ("[]", "inconclusive", "is not evidence"),
    "deep": ("[" * 50_000, "inconclusive", "truncated?"),
    "a word": ('{"verdict": "pass"}', "inconclusive", "is not evidence"),
    "edited": (doctored(TESTS, passes, sealed=False), "inconclusive", "changed after it was written"),
    "forged": (doctored(TESTS, passes, sealed=True), "inconclusive", "although its number misses the threshold"),
    "verdict alone": (doctored(TESTS, lambda d: d.update(verdict="pass"), sealed=True), "inconclusive", "does not follow from its measures"),
    "no measures": (doctored(TESTS, lambda d: d.update(verdict="pass", measures=[]), sealed=True), "inconclusive", "does not follow from its measures"),
    "NaN": (entry(TESTS).replace('"value":0.0', '"value":NaN'), "inconclusive", "is not evidence"),
    "another gate": (entry({**TESTS, "name": "other"}), "inconclusive", "about another gate"),
    "another bound": (entry({**TESTS, "atLeast": 1}), "inconclusive", "or another configuration"),
}  # fmt: skip


def verdict(folder: Path, configs: list[dict], said: dict[str, str], **release: object):
    to = folder / "evidence.json"
    done = CliRunner().invoke(
        cli,
        ["gates", "verdict", "--to", str(to), *(f"{name}={text}" for name, text in said.items())],
        env={
            "SLUICE_GATES": json.dumps(configs),
            "SLUICE_RELEASE": json.dumps({**RELEASE, **release}),
            "SOURCE_DATE_EPOCH": str(int(NOW.timestamp())),
        },
    )
    if not to.exists():
        return done, None
    evidence = Evidence("e", "shop/ranker")
    parse_evidence(to.read_bytes(), evidence)
    assert evidence.findings == []
    return done, {item.name: item for item in evidence.content.predicate.gates}


@pytest.mark.parametrize("left", LEFT)
def test_what_one_gate_left(left: str, tmp_path: Path):
    text, wanted, reason = LEFT[left]
    done, found = verdict(tmp_path, [TESTS], {"unit-tests": text})
    assert (found["unit-tests"].verdict, reason in found["unit-tests"].reason) == (wanted, True), done.output
    assert done.exit_code == (0 if wanted == "pass" else 10)


def test_every_combination_of_two():
    """Passes exactly when both passed, whatever else is in either place."""
    release, gates = (
        read_release({"SLUICE_RELEASE": json.dumps(RELEASE)}),
        [gate_from(TESTS), gate_from(METRIC)],
    )
    for one, other in itertools.product(LEFT, LEFT):
        second = entry(METRIC) if other == "pass" else LEFT[other][0].replace('"unit-tests"', '"accuracy"')
        content = conclude(release, gates, {"unit-tests": LEFT[one][0], "accuracy": second}, lambda: NOW)
        assert [item.name for item in content.predicate.gates] == ["accuracy", "unit-tests"]
        stopped = {item.name for item in blocking(content, {}, NOW.date())}
        bad = {"unit-tests": one, "accuracy": other}
        assert stopped == {name for name, left in bad.items() if left != "pass"}, bad


def test_a_gate_that_nobody_spoke_of(tmp_path: Path):
    done, found = verdict(tmp_path, [TESTS, METRIC], {"unit-tests": entry(TESTS)})
    assert (done.exit_code, found["accuracy"].verdict) == (10, "inconclusive")


def test_a_gate_that_was_not_asked_is_not_in_the_document(tmp_path: Path):
    done, found = verdict(tmp_path, [TESTS], {"unit-tests": entry(TESTS), "accuracy": entry(METRIC)})
    assert (done.exit_code, set(found)) == (0, {"unit-tests"})


def test_without_gates_nothing_passes(tmp_path: Path):
    done, _ = verdict(tmp_path, [], {})
    assert done.exit_code != 0


@pytest.mark.parametrize(("until", "code"), [("2026-11-23", 0), ("2026-11-22", 10)])
def test_a_waiver_covers_its_gate_to_its_last_day(until: str, code: int, tmp_path: Path):
    done, found = verdict(tmp_path, [TESTS], {"unit-tests": LEFT["fail"][0]}, waived={"unit-tests": until})
    assert (done.exit_code, found["unit-tests"].verdict) == (code, "fail")
    other, _ = verdict(tmp_path, [TESTS], {"unit-tests": LEFT["fail"][0]}, waived={"accuracy": until})
    assert other.exit_code == 10


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (report(), "pass"),
        (report(0.03), "fail"),
        (report(model="sha256:" + "9" * 64), "inconclusive"),
        (report(measures=[]), "inconclusive"),
        (report(verdict="pass"), "inconclusive"),
        (report()[:-3], "inconclusive"),
        ("none", "inconclusive"),
        (entry(CUSTOM), "inconclusive"),
    ],
)
def test_the_report_of_a_custom_container_is_judged_here(text: str, wanted: str, tmp_path: Path):
    done, found = verdict(tmp_path, [CUSTOM], {"toxicity": text})
    assert (found["toxicity"].verdict, done.exit_code) == (wanted, 0 if wanted == "pass" else 10)


@pytest.mark.parametrize("name", ["SLUICE_GATES", "SLUICE_RELEASE"])
def test_a_verdict_that_was_told_nothing_is_the_infrastructures_fault(name: str, tmp_path: Path):
    env = {"SLUICE_GATES": json.dumps([TESTS]), "SLUICE_RELEASE": json.dumps(RELEASE), name: ""}
    done = CliRunner().invoke(cli, ["gates", "verdict", "--to", str(tmp_path / "e"), "unit-tests=x"], env=env)
    assert (done.exit_code, (tmp_path / "e").exists()) == (2, False)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_text_passes(tmp_path_factory, text: str):
    release = read_release({"SLUICE_RELEASE": json.dumps(RELEASE)})
    content = conclude(release, [gate_from(TESTS)], {"unit-tests": text}, lambda: NOW)
    assert [entry.verdict for entry in blocking(content, {}, NOW.date())] == ["inconclusive"]
