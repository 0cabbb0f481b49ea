from __future__ import annotations

import re
import unicodedata
from collections import Counter

from hypothesis import given

from generator.report.formats import render
from generator.report.formats.report import page
from generator.source.finding import Finding
from generator.source.line import visible
from tests.unit.report.formats.samples import EXAMPLES, REPORT, REPORTS

Command = tuple[str, dict[str, str], str]


def _unescaped(text: str, codes: str) -> str:
    """What the runner reads: each code stands for one character, and is undone once."""
    return re.sub(f"%({codes})", lambda match: chr(int(match[1], 16)), text)


def _read(line: str) -> Command:
    """A workflow command by the rules of the runner: `::name key=value,key=value::message`."""
    assert line.startswith("::")
    info, message = line[2:].split("::", 1)
    name, _, listed = info.partition(" ")
    pairs = [pair.split("=", 1) for pair in listed.strip().split(",")]
    properties = {key: _unescaped(value, "25|0D|0A|3A|2C") for key, value in pairs}
    return name, properties, _unescaped(message, "25|0D|0A")


def _commands(findings: tuple[Finding, ...] | list[Finding]) -> list[Command]:
    return [_read(line) for line in render(findings, "github").split("\n")[:-2]]


def test_the_commands_of_a_report() -> None:
    encoding, remark, unknown_key, _, power = _commands(REPORT)
    assert encoding == (
        "error",
        {"file": "specs/risk/fraud.yaml", "title": "SRC101"},
        f"the file isn't UTF-8\nsave it as UTF-8\n{page('SRC101')}",
    )
    assert remark[0] == "notice"
    assert remark[2].startswith("the owner 推薦チーム has no address \\x1b[31mhere")
    assert unknown_key == (
        "error",
        {
            "file": "specs/shop/recommender.yaml",
            "line": "13",
            "endLine": "13",
            "col": "5",
            "endColumn": "11",
            "title": "SPEC101 at spec.rollout.stratgy",
        },
        f"`stratgy` is not a key of a rollout\ndid you mean `strategy`?\n{page('SPEC101')}",
    )
    assert power[0] == "warning"
    assert "col" not in power[1]


def test_the_escapes_are_those_of_the_runner() -> None:
    finding = Finding("A1", "error", "100%, a::b\r\n%0A", "read", REPORT[0].place, "x:y,z%")
    assert render([finding], "github").split("\n")[0] == (
        "::error file=specs/shop/recommender.yaml,line=14,endLine=14,col=22,endColumn=24,"
        "title=A1 at x%3Ay%2Cz%25::100%25, a::b\\r\\n%250A%0Aread%0A" + page("A1")
    )


@EXAMPLES
@given(findings=REPORTS)
def test_the_runner_reads_what_was_found(findings: list[Finding]) -> None:
    def message(finding: Finding) -> str:
        return "\n".join(
            visible(text) for text in (finding.message, finding.hint, page(finding.code)) if text
        )

    def title(finding: Finding) -> str:
        return visible(f"{finding.code} at {finding.path}" if finding.path else finding.code).strip()

    read = Counter((properties["title"].strip(), text) for _, properties, text in _commands(findings))
    assert read == Counter((title(finding), message(finding)) for finding in findings)


@EXAMPLES
@given(findings=REPORTS)
def test_columns_are_sent_only_with_a_line_and_in_order(findings: list[Finding]) -> None:
    for name, properties, _ in _commands(findings):
        assert name in {"error", "warning", "notice"}
        assert list(properties) in (
            ["file", "title"],
            ["file", "line", "endLine", "title"],
            ["file", "line", "endLine", "col", "endColumn", "title"],
            ["title"],
        )
        assert int(properties.get("col", 1)) <= int(properties.get("endColumn", 1))


@EXAMPLES
@given(findings=REPORTS)
def test_nothing_steers_the_terminal_that_shows_the_log(findings: list[Finding]) -> None:
    written = render(findings, "github")
    assert {c for c in written if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"}} <= {"\n"}
