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


CASE = '<testcase classname="a" name="b"/>'


@pytest.mark.parametrize(
    "report",
    [
        f'<testsuite tests="1" failures="0" errors="0" skipped="0">{CASE}</testsuite>',
        (
            f'<testsuites tests="2" failures="0"><testsuite tests="1">{CASE}</testsuite><testsuite tests="1">'
            '<testcase name="c"><system-out>x</system-out></testcase></testsuite></testsuites>'
        ),
        (
            f'<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="x.xsd" '
            f'tests="1" flakes="0" time="0.1">{CASE}</testsuite>'
        ),
        (
            '<testsuites tests="2" disabled="1" failures="0"><testsuite name="g" tests="2" disabled="1">'
            '<testcase name="a" status="run" result="completed"/>'
            '<testcase name="b" status="notrun" result="suppressed"/></testsuite></testsuites>'
        ),
        f"<testsuites>{CASE}</testsuites>",
        f'<testsuite name="2024" id="7" package="1" hostname="3" assertions="5">{CASE}</testsuite>',
        f'<testsuites random_seed="4711" failures="0" name="AllTests"><testsuite>{CASE}</testsuite></testsuites>',
        f'<testsuite ignored="0" timestamp="2026-11-25T10:00:00 UTC">{CASE}</testsuite>',
        (
            '<testsuite tests="2" skipped="1" passed="1" status="passed">\n'
            '<testcase name="a" success="True" executed="True"/>\n'
            '<testcase name="b" executed="False"><skipped>later</skipped></testcase>\n</testsuite>'
        ),
    ],
    ids=["pytest", "nested", "surefire", "googletest", "node", "numbers", "shuffled", "testng", "states"],
)
def test_reports_of_other_programs_are_read(report: str) -> None:
    assert verdicts(report.encode()) == ["pass", "pass"]


@pytest.mark.parametrize(
    "report",
    [
        f'<testsuite xmlns:x="y">{CASE[:-2]}><x:failure/></testcase></testsuite>',
        f"<testsuite>{CASE[:-2]}><Failure/></testcase></testsuite>",
        f"<testsuite>{CASE[:-2]}><failures/></testcase></testsuite>",
        f"<testsuite>{CASE[:-2]}><flakyFailure/></testcase></testsuite>",
        f"<testsuite>{CASE[:-2]}><system-out><failure/></system-out></testcase></testsuite>",
        f"<testsuite>{CASE}<failure/></testsuite>",
        f"<testsuite>{CASE}<properties><failure/></properties></testsuite>",
        f"<testsuites><x/><testsuite>{CASE}</testsuite></testsuites>",
        f'<testsuites><testsuite failures="1">{CASE}</testsuite><testsuite failures="-1"/></testsuites>',
        f'<testsuites failures="1"><testsuite>{CASE}</testsuite></testsuites>',
        f'<testsuites errors="1">{CASE}</testsuites>',
        f'<testsuite Failures="1">{CASE}</testsuite>',
        f'<testsuite failed="1">{CASE}</testsuite>',
        f'<testsuite tests="2">{CASE}</testsuite>',
        f'<testsuite tests="0">{CASE}</testsuite>',
        f'<testsuite skipped="1">{CASE}</testsuite>',
        f'<testsuite failures="+0">{CASE}</testsuite>',
        f'<testsuite failures="0.5">{CASE}</testsuite>',
        '<testsuite><testcase name="b" status="failed"/></testsuite>',
        '<testsuite><testcase name="b" result="error"/></testsuite>',
        f'<testsuite>{CASE}<properties><property name="Sluice.Model" value="{OTHER}"/></properties></testsuite>',
        f'<testsuite>{CASE[:-2]}><properties><property name="sluice.model" Value="x"/></properties></testcase></testsuite>',
        *(f'<testsuite>{CASE}<properties><property name="{name}" value="{OTHER}"/></properties></testsuite>'
          for name in (" sluice.model", "sluice_model", "sluice.mo\u200bdel", "\uff53luice.model")),
        *(f"<testsuite>{CASE[:-2]} {attribute}/></testsuite>"
          for attribute in ('outcome="failed"', 'Status="FAILED"', 'success="false"', 'failures="1"', 'isBroken="yes"')),
        *(f"<testsuite {attribute}>{CASE}</testsuite>"
          for attribute in ('status="failed"', 'success="False"', 'failed="one"', 'failed="1 test"', 'numFails="0x1"',
                            'broken="\uff11"', 'passed="0"', 'skippedCount="some"')),
        f"<testsuite>{CASE[:-2]}>FAILED</testcase></testsuite>",
        f"<testsuite>1 failed{CASE}</testsuite>",
        f'<testsuite>{CASE[:-2]} status="failed"><skipped/></testcase>{CASE}</testsuite>',
        f'<?xml version="1.0" encoding="rot13"?><testsuite>{CASE}</testsuite>',
        f'<?xml version="1.0" encoding="zlib"?><testsuite>{CASE}</testsuite>',
        "<report><testsuite/></report>",
    ],
)  # fmt: skip
def test_what_is_not_known_or_not_explained_is_inconclusive(report: str) -> None:
    with pytest.raises(NoVerdictError):
        verdicts(report.encode())


def test_a_case_that_did_not_run_is_not_a_pass() -> None:
    with pytest.raises(NoVerdictError, match="all 1 tests were skipped"):
        verdicts(b'<testsuite><testcase name="b" status="notrun"/></testsuite>')


@pytest.mark.parametrize(
    "report",
    [
        f'<testsuite timestamp="2999-01-01T00:00:00">{CASE}</testsuite>',
        (f'<testsuites><testsuite timestamp="2026-11-21T00:00:00Z">{CASE}</testsuite>'
        '<testsuite timestamp="2999-01-01T00:00:00Z"/></testsuites>'),
        (f'<testsuite timestamp="2026-11-21T00:00:00Z"><properties><property name="sluice.model" value="{MODEL}"/>'
        f'</properties>{CASE}<testsuite timestamp="2999-01-01T00:00:00Z"/></testsuite>'),
        (f'<testsuites><testsuite timestamp="2026-11-21T00:00:00Z">{CASE}</testsuite>'
        '<testsuite timestamp="1999-01-01T00:00:00Z"/></testsuites>'),
        f'<testsuite><properties><property name="sluice.model" value="model 12"/></properties>{CASE}</testsuite>',
        f'<testsuite><properties><property name="sluice.model">{OTHER}</property></properties>{CASE}</testsuite>',
    ],
    ids=["future", "second suite in the future", "named and in the future", "one suite before the lock", "form", "text"],
)  # fmt: skip
def test_a_time_or_a_model_that_does_not_bind(tmp_path: Path, report: str) -> None:
    (tmp_path / "junit.xml").write_text(report)
    assert run(tmp_path, {"junit": "junit.xml", "atLeast": 1}).verdict == "inconclusive"
