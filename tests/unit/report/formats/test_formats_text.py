from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.report.formats import render
from generator.report.tables import Screen
from generator.source.finding import Finding, Place
from tests.unit.report.formats.samples import EXAMPLES, REPORT, REPORTS

GOLDEN = """\
error[SRC101] specs/risk/fraud.yaml: the file isn't UTF-8
  hint | save it as UTF-8

info[OWN001] specs/risk/fraud.yaml:3:19: the owner 推薦チーム has no address \\x1b[31mhere\\x1b[0m
     3 | metadata:   {owner: "推薦チーム"}
       |                     ^^^^^^^^^^^

error[SPEC101] specs/shop/recommender.yaml:13:5: `stratgy` is not a key of a rollout
    13 |     stratgy: canary
       |     ^^^^^^^
    at | spec.rollout.stratgy
  hint | did you mean `strategy`?
   fix | --fix writes spec.rollout.strategy: "canary"

error[SPEC301] specs/shop/recommender.yaml:14:22: the first step takes 10% of the traffic, the tier high-traffic allows 5%
    14 |     steps: [{weight: 10%, hold: 60m}, {weight: 50%, hold: 20m}]
       |                      ^^^
    at | spec.rollout.steps[0].weight
  hint | start with 5% or less, or ask the platform team for another tier
   see | specs/platform.yaml:22:44: the ceiling of the tier
   see | specs/shop/recommender.yaml:5:3: the tier of this model

warning[PLAN210] specs/shop/recommender.yaml:17:1: the guard ctr sees a 10% drop with a power of 61%, and 80% is required
    17 |       - {outcome: ctr, detect: {drop: 10%}}
    at | spec.rollout.guards[0]
  hint | hold the step at 5% for 95m or longer

3 errors, 1 warning, 1 info in 2 files; --fix repairs 1 of them
`sluice explain SRC101` shows why, and an example
"""
SGR = re.compile(r"\x1b\[[0-9;]*m")


def _excerpt(line: str, column: int, end_column: int = 0) -> tuple[str, str]:
    """The source line and the line of carets, without what stands before the bar and one space."""
    finding = Finding("SRC105", "error", "m", "", Place("a.yaml", 7, column, end_column), excerpt=line)
    _, source, carets, *_ = render([finding], "text").split("\n")
    assert source.startswith("     7 | ")
    assert carets.startswith("       | ")
    return source[9:], carets[9:]


def test_a_report_as_people_see_it() -> None:
    assert render(REPORT, "text") == GOLDEN


def test_colors_change_the_look_and_not_the_text() -> None:
    colored = render(REPORT, "text", screen=Screen(color=True))
    assert SGR.sub("", colored) == GOLDEN
    assert "\x1b[1;31merror[SRC101]\x1b[0m \x1b[1mspecs/risk/fraud.yaml\x1b[0m: " in colored
    assert "\x1b[1;31m^^^^^^^\x1b[0m" in colored
    assert render([], "text", screen=Screen(color=True)) == "\x1b[32mno findings\x1b[0m\n"


@pytest.mark.parametrize(
    ("line", "column", "end_column", "expected"),
    [
        ("key: value", 6, 11, ("key: value", "     ^^^^^")),
        ("key: value", 6, 0, ("key: value", "     ^")),
        ("key: value", 6, 3, ("key: value", "     ^")),
        ("key:", 5, 0, ("key:", "    ^")),  # what is missing at the end of the line
        ("key:", 99, 0, ("key:", "    ^")),
        ("key: value\r", 6, 99, ("key: value", "     ^^^^^")),
        ("\tkey: v", 2, 5, ("    key: v", "    ^^^")),
        ("ab\tkey", 4, 7, ("ab  key", "    ^^^")),
        ("a:\tb", 3, 4, ("a:  b", "  ^^")),  # the tab itself
        ("名前: x", 5, 6, ("名前: x", "      ^")),
        ("名前: x", 1, 3, ("名前: x", "^^^^")),
        ("cafe\u0301: x", 8, 9, ("cafe\u0301: x", "      ^")),
        ("a\x1b[0mb: x", 9, 10, (r"a\x1b[0mb: x", "           ^")),
        ("a\u202eb: x", 6, 7, (r"a\u202eb: x", "          ^")),
    ],
)
def test_carets_stand_under_what_is_meant(
    line: str, column: int, end_column: int, expected: tuple[str, str]
) -> None:
    assert _excerpt(line, column, end_column) == expected


@EXAMPLES
@given(
    before=st.text("abc: ", max_size=400),
    meant=st.text("XYZ", min_size=1, max_size=30),
    after=st.text("def, ", max_size=400),
)
def test_long_lines_are_cut_around_the_carets(before: str, meant: str, after: str) -> None:
    source, carets = _excerpt(f"{before}{meant}{after}", len(before) + 1, len(before) + len(meant) + 1)
    start = len(carets) - len(carets.lstrip())
    assert source[start : len(carets)] == meant
    assert len(source) <= 102
    if len(before + meant + after) <= 100:
        assert source == f"{before}{meant}{after}".rstrip()
    assert source.startswith("…") or f"{before}{meant}".startswith(source[: len(carets)])


def test_a_mark_longer_than_what_is_shown_ends_with_it() -> None:
    source, carets = _excerpt("k: " + "x" * 5000, 4, 5004)
    assert source == "k: " + "x" * 97 + "…"
    assert carets == "   " + "^" * 97


def test_a_line_in_a_wide_script_is_cut_by_cells() -> None:
    source, carets = _excerpt("名" * 200, 151, 152)
    assert source == "…" + "名" * 50 + "…"
    assert carets == " " + "  " * 30 + "^^"  # the ellipsis, then the sixty cells that may stand before


@EXAMPLES
@given(findings=REPORTS)
def test_nothing_in_user_text_steers_the_terminal(findings: list[Finding]) -> None:
    written = render(findings, "text")
    assert {c for c in written if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} <= {"\n"}


@EXAMPLES
@given(findings=REPORTS)
def test_every_line_is_a_header_or_hangs_on_the_bar(findings: list[Finding]) -> None:
    *blocks, summary = render(findings, "text").removesuffix("\n").split("\n\n")
    assert len(blocks) == len(findings)
    assert summary.count("\n") == bool(findings)
    codes = sorted(finding.code for finding in findings)
    headers = [re.match(r"(?:error|warning|info)\[([A-Z0-9]+)\] ", block) for block in blocks]
    assert sorted(match[1] for match in headers if match) == codes
    for block in blocks:
        for line in block.split("\n")[1:]:
            assert re.match(r" *(?:[0-9]+|at|hint|fix|see|) \|", line), line


@EXAMPLES
@given(
    finding=st.sampled_from(REPORT), message=st.text(st.characters(categories=["L", "N", "P"]), min_size=1)
)
def test_printable_text_is_shown_as_it_is(finding: Finding, message: str) -> None:
    plain = Finding(finding.code, finding.severity, message, message, finding.place, message)
    head, *lines = render([plain], "text").split("\n")
    assert head == f"{finding.severity}[{finding.code}] {finding.place}: {message}"
    assert lines[:2] == [f"    at | {message}", f"  hint | {message}"]
