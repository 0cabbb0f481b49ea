"""The comment on a pull request: a table first, folds below, never too long, and nothing breaks out of it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from generator.odds.key_metrics import KeyMetrics
from generator.plan.changes import Change
from generator.report.comment import LIMIT, MARKER, CommentEntry, comment
from generator.report.consequences import consequences
from generator.report.diffs.compare import Comparison, Difference
from generator.report.diffs.revision import Compared
from generator.report.markdown import cell, fenced, row
from generator.report.overview import OpenWaiver, Overview
from generator.report.sections.section import Section
from tests.unit.cli.edits import change

HEAD = "| model | version | power | exposed if bad | planned | gates |"
NUMBERS = KeyMetrics(3600.0, (), 0.9, 0.8, 0.05, 1000.0, 4, 10.0, "EUR", 1, 0)


def told(number: int, section: str = "text", lines: int = 3) -> CommentEntry:
    overview = Overview(
        "shop", f"m{number}", "production", "basic", "canary", "1", (5,), NUMBERS, "1 pass", "pass"
    )
    found = Difference(
        "shop",
        f"m{number}",
        "production",
        "changed",
        (Change("capacity", "", "cpu", "1", "2"),),
        NUMBERS,
        NUMBERS,
    )
    sections = tuple(Section(f"s{i}", f"Part {i}", {}, (section,) * 40) for i in range(lines))
    return CommentEntry(overview, (found,), sections)


def compared(models: list[CommentEntry]) -> Compared:
    found = [d for model in models for d in model.differences]
    return Compared("main (abc)", {"revision": "main", "commit": "abc"}, Comparison(len(models), 1, found))


def test_the_first_lines_say_what_a_merge_does_then_the_table_has_old_and_new(committed, sluice):
    change(committed, "shop/recommender.yaml", "hold: 60m", "hold: 40m")
    # A rule of the platform that no plan shows: what it breaks is found by the rules.
    change(committed, "platform.yaml", "gpu: 0\n", "gpu: 0\n      requires: {approvals: [ml-lead]}\n")
    # An expired waiver of another team is named; whether it is an error of this change is decided by `validate --against`.
    change(committed, "platform.yaml", "until: 2027-01-31", "until: 2026-01-31")
    lines = sluice("plan", "--all", "--against", "HEAD", "--format", "markdown").output.splitlines()
    assert lines[0] == MARKER
    assert " models" in lines[1]
    assert lines[3].startswith("- **2 models can't be rendered:** risk/fraud (WAIV701: ")
    assert "support/ticket-classifier (TIER312: " in lines[3]
    assert lines[4].startswith("- **waivers that expired:** parity of risk/fraud, on 2026-01-31")
    assert lines[5] == "- no release starts"
    assert lines.index("### What changes") < lines.index(HEAD)
    (line,) = [line for line in lines if line.startswith("| shop/recommender in production |")]
    assert "120,353 →" in line
    assert line.endswith("| 1h 40m → 1h 20m | 1 pass |")
    (line,) = [line for line in lines if line.startswith("| risk/fraud in production |")]
    assert line.endswith("waiver of parity expired on 2026-01-31: can't be rendered |")


def test_an_open_waiver_has_its_days(repository, sluice):
    whole = sluice("plan", "risk/fraud", "--format", "markdown").output
    assert "parity waived, 69 days left |" in whole
    assert HEAD in whole, "six columns fit into the 830 pixels of a comment"


def difference(name: str, status: str, **more: object) -> Difference:
    team, _, model = name.partition("/")
    return replace(Difference(team, model, "production", "changed"), status=status, **more)


def test_what_is_lost_is_said_before_what_starts():
    found = Comparison(
        4,
        1,
        [
            difference("shop/gone", "removed", pods=4, artifact="sha256:1", lost_hosts=("gone.example.com",)),
            difference("shop/new-name", "added", artifact="sha256:2", starts_release=True),
            difference("shop/old-name", "removed", pods=2, artifact="sha256:2"),
            difference("shop/ranker", "changed", changes=(Change("route", "", "hosts", "a", "b"),)),
        ],
    )
    waiver = OpenWaiver("shop/ranker", "parity", "why", "lead", "2026-01-01", -9)
    assert consequences(found, {"shop/ranker": "TIER312: no"}, [waiver]) == [
        "- **1 model can't be rendered:** shop/ranker (TIER312: no)",
        "- **renamed:** shop/old-name is shop/new-name now: its objects are new, and its first release is not analyzed",
        "- **removed:** shop/gone in production: 4 pods are deleted on merge",
        "- **hosts that answer no more:** gone.example.com (shop/gone)",
        "- **waivers that expired:** parity of shop/ranker, on 2026-01-01",
        "- **1 release starts** on merge: production: shop/new-name",
        "- **at once, to everybody:** route hosts (shop/ranker in production)",
    ]


def test_a_comment_is_never_too_long_and_says_what_was_cut():
    models = [told(number, "a line of the plan that is neither long nor short") for number in range(300)]
    text = comment(models, compared(models))
    assert len(text.encode()) <= LIMIT
    cut = re.search(r"To stay under 65536 characters this was cut: (.*)\.", text)
    assert cut
    shown = re.findall(r"<summary>shop/(m\d+)</summary>", text)
    assert shown[:3] == ["m0", "m1", "m2"]
    assert 300 - len(shown) <= int(re.search(r"and (\d+) more", cut[1])[1]) + 5
    assert text.count("<details>") == text.count("</details>") == len(shown)
    assert text.count("```text") * 2 == len(re.findall("^```", text, re.MULTILINE))


def test_a_table_that_is_too_long_says_how_much_was_cut():
    models = [told(number, lines=0) for number in range(2000)]
    text = comment(models, compared(models))
    assert len(text.encode()) <= LIMIT
    shown = len(re.findall(r"^\| shop/m", text, re.MULTILINE))
    assert f"{2000 - shown:,} rows of this table were cut: shop/m" in text


@settings(deadline=None, max_examples=15)
@given(st.text(max_size=300), st.integers(0, 90))
def test_any_text_fits(section, count):
    models = [told(number, section) for number in range(count)]
    assert len(comment(models, compared(models)).encode()) <= LIMIT


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)


@given(st.text(max_size=60))
def test_a_cell_is_one_line_without_markup(text):
    made = cell(text)
    tags = Tags()
    tags.feed(made)
    assert tags.found == []
    assert "\n" not in made
    assert not re.search(r"(?<!\\)[*_\[\]~]|[|@`]|<", made)
    assert row((text, 1)).count("|") == 3
    fence = fenced(text).partition("text\n")[0]
    assert not re.search(rf"^ {{0,3}}{fence}", text, re.MULTILINE)


def test_hostile_names_stay_text():
    assert cell("<script>alert(1)</script> @team | #12 [x](http://a) **b**") == (
        "&lt;script&gt;alert(1)&lt;/script&gt; &#64;team &#124; &#35;12 \\[x\\](http://a) \\*\\*b\\*\\*"
    )
