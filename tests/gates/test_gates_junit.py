"""JUnit XML by the real pytest, and what attackers and accidents make of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from generator.gates.adapters.tests import measures_from_report, parse
from generator.gates.errors import NoVerdictError
from generator.spec.gates import TestsGate as JunitGate
from tests.gates.tables import MODEL, OTHER, run

SUITES = {
    "good": "import pytest\n@pytest.mark.parametrize('n', range(20))\ndef test_it(n): pass\n",
    "none": "",
    "skipped": "import pytest\n@pytest.mark.skip\ndef test_a(): pass\n@pytest.mark.xfail\ndef test_b(): assert 0\n",
    "failing": "def test_a(): pass\ndef test_b(): assert 0\n",
    "error": "import pytest\n@pytest.fixture\ndef broken(): raise ValueError\ndef test_a(broken): pass\n",
    "teardown": "import pytest\n@pytest.fixture\ndef f():\n    yield\n    raise ValueError\ndef test_a(f): assert 0\n",
    "named": f"def test_a(record_testsuite_property): record_testsuite_property('sluice.model', '{MODEL}')\n",
    "other": f"def test_a(record_testsuite_property): record_testsuite_property('sluice.model', '{OTHER}')\n",
}


MISSING = "missing"


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, bytes]:
    """What pytest writes about each suite."""
    folder, out = tmp_path_factory.mktemp("suites"), {}
    for name, text in SUITES.items():
        suite, report = folder / f"test_{name}.py", folder / f"{name}.xml"
        suite.write_text(text)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
        command += [f"--rootdir={folder}", f"--junitxml={report}", str(suite)]
        subprocess.run(command, capture_output=True, cwd=folder)
        out[name] = report.read_bytes()
    command[-2:] = [f"--junitxml={folder}/{MISSING}.xml", str(folder / "no-such-test.py")]
    subprocess.run(command, capture_output=True, cwd=folder)
    out[MISSING] = (folder / f"{MISSING}.xml").read_bytes()
    return out


def gate(at_least: int = 1) -> JunitGate:
    return JunitGate.model_validate({"name": "unit-tests", "junit": "junit.xml", "atLeast": at_least})


def verdicts(raw: bytes, at_least: int = 1) -> list[str]:
    return [measure.verdict for measure in measures_from_report(gate(at_least), parse(raw))]


def test_enough_that_ran(reports) -> None:
    assert verdicts(reports["good"], 20) == ["pass", "pass"]
    assert verdicts(reports["good"], 21) == ["fail", "pass"]


@pytest.mark.parametrize("name", ["failing", "error", "teardown"])
def test_a_failure_or_an_error_fails(reports, name) -> None:
    assert "fail" in verdicts(reports[name])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none", "no tests were collected"), (MISSING, "no tests were collected"), ("skipped", "all 2 tests")],
)
def test_nothing_that_ran_is_no_proof(reports, name, reason) -> None:
    with pytest.raises(NoVerdictError, match=reason):
        verdicts(reports[name])


def test_a_report_cut_off_anywhere_is_refused(reports) -> None:
    raw = reports["good"]
    for end in range(0, len(raw), 11):
        with pytest.raises(NoVerdictError):
            verdicts(raw[:end])


def test_a_failure_that_was_taken_out_is_noticed(reports) -> None:
    raw = reports["failing"]
    start, end = raw.index(b"<failure"), raw.index(b"</failure>") + len(b"</failure>")
    with pytest.raises(NoVerdictError, match="counts 1 failures in the suite `pytest` but holds 0"):
        verdicts(raw[:start] + raw[end:])


def test_a_test_that_stands_twice_counts_once() -> None:
    case = b'<testcase classname="a" name="b"/>'
    found = measures_from_report(gate(), parse(b'<testsuite tests="3">' + case * 3 + b"</testsuite>"))
    assert found[0].value == 1


@pytest.mark.parametrize(
    "raw",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite><testcase name="&a;"/></testsuite>',
        b'<!DOCTYPE x SYSTEM "file:///etc/hostname"><testsuite/>',
        b"<html/>", b"", b"\x00", b'<testsuite failures="many"/>', b'<testsuite timestamp="noon"/>',
    ],
)  # fmt: skip
def test_anything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(NoVerdictError):
        parse(raw)


@pytest.mark.parametrize(
    ("name", "verdict", "binding"),
    [("named", "pass", "digest"), ("other", "inconclusive", "none"), ("good", "pass", "time")],
)
def test_the_model_that_a_report_is_about(tmp_path: Path, reports, name, verdict, binding) -> None:
    text = reports[name].decode()
    (tmp_path / "junit.xml").write_text(text)
    entry = run(tmp_path, {"junit": "junit.xml", "atLeast": 1})
    assert (entry.verdict, entry.binding) == (verdict, binding)


def test_a_report_older_than_the_lock_must_name_its_model(tmp_path: Path) -> None:
    case = '<testcase name="b"/>'
    for stamp, verdict in (("2026-11-19T00:00:00", "inconclusive"), ("2026-11-21T00:00:00+02:00", "pass")):
        (tmp_path / "junit.xml").write_text(f'<testsuite timestamp="{stamp}">{case}</testsuite>')
        assert run(tmp_path, {"junit": "junit.xml", "atLeast": 1}).verdict == verdict


def test_no_report_is_inconclusive(tmp_path: Path) -> None:
    entry = run(tmp_path, {"junit": "junit.xml", "atLeast": 1})
    assert (entry.verdict, "--data junit.xml=FILE" in entry.reason) == ("inconclusive", True)
