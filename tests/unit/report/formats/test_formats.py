from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import DOCUMENTATION
from generator.report.formats import FORMATS, render
from generator.source.finding import Finding, Place
from tests.unit.report.formats.samples import EXAMPLES, REPORT, REPORTS

ROOT = Path(__file__).resolve().parents[4]


def test_the_formats_are_those_of_the_command_line() -> None:
    assert FORMATS == ("text", "json", "github", "gitlab", "sarif", "junit")


def test_another_format_is_a_bug_of_the_caller() -> None:
    with pytest.raises(KeyError):
        render([], "toml")


@pytest.mark.parametrize("fmt", FORMATS)
@EXAMPLES
@given(findings=REPORTS, data=st.data())
def test_order_does_not_matter_and_the_document_ends_in_one_line_feed(
    fmt: str, findings: list[Finding], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(findings))
    written = render(findings, fmt, checked=3)
    assert written == render(shuffled, fmt, checked=3)
    assert written.endswith("\n")
    assert not written.endswith("\n\n")
    assert "\r" not in written


@pytest.mark.parametrize("fmt", FORMATS)
def test_findings_that_differ_in_little_have_one_order(fmt: str) -> None:
    one, other = (Finding("A001", "error", "m", hint, Place("a.yaml", 1, 1)) for hint in ("first", "second"))
    assert render([one, other], fmt) == render([other, one], fmt)


@pytest.mark.parametrize("fmt", FORMATS)
def test_lone_surrogates_are_spelled_out(fmt: str) -> None:
    bad = "caf\udce9"
    finding = Finding("SRC101", "error", bad, bad, Place(bad, 1, 1), bad, bad, ((bad, Place(bad)),))
    written = render([finding], fmt).encode("utf-8").decode("utf-8")
    assert "udce9" in written


@pytest.mark.parametrize("fmt", FORMATS)
def test_files_are_named_without_a_leading_dot(fmt: str) -> None:
    written = render([Finding("SRC101", "error", "m", "h", Place(".//./specs/a.yaml", 1, 1))], fmt)
    assert "specs/a.yaml" in written
    assert "./" not in written.replace("https://", "")


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_finding_names_the_page_of_its_code(fmt: str) -> None:
    findings = [Finding(code, "error", "m", "h", Place("a.yaml", 1, 1)) for code in ("CAN102", "REF202")]
    written = render(findings, fmt)
    if fmt == "text":
        assert written.splitlines()[-1] == "`sluice explain CAN102` shows why, and an example"
    else:
        assert all(f"{DOCUMENTATION}/codes/{code}.html" in written for code in ("CAN102", "REF202"))


def test_the_documents_are_published_at_one_address() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["urls"]["Documentation"] == DOCUMENTATION


def test_a_format_is_imported_only_when_it_is_asked_for() -> None:
    program = (
        "import sys\n"
        "from generator.report.formats import render\n"
        "render([], 'text')\n"
        "print(*sorted(m for m in sys.modules if m.startswith('generator.report.formats.')))\n"
        "print(*sorted({'json', 'hashlib', 'urllib', 'xml', 'unicodedata', 'pydantic'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    ours, heavy = done.stdout.splitlines()
    names = [name.rpartition(".")[2] for name in ours.split()]
    assert names == ["excerpt", "report", "text"]
    assert heavy == ""


@pytest.mark.parametrize(
    ("findings", "checked", "summary"),
    [
        ([], 0, "no findings"),
        ([], 1, "1 spec is fine"),
        ([], 12, "12 specs are fine"),
        (REPORT[:1], 12, "1 error in 1 file"),
        (REPORT[2:3] * 2, 12, "12 specs are fine; 2 info"),
        (REPORT, 12, "3 errors, 1 warning, 1 info in 2 files; --fix repairs 1 of them"),
    ],
)
def test_the_last_line_sums_up(findings: list[Finding], checked: int, summary: str) -> None:
    assert summary in render(findings, "text", checked=checked).splitlines()[-2:]
    assert render(findings, "github", checked=checked).splitlines()[-1] == summary
