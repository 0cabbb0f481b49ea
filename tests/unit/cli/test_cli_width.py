"""Text for people fits the screen, whatever it is about, and says everything at every width."""

from __future__ import annotations

import re

import pytest

from generator.pipeline.terminal import line_width
from generator.report.characters import width
from generator.report.formats import render
from generator.report.tables import JOINED, Screen, Table, fit, paragraph, shell_lines, wrap
from generator.source.finding import Finding, Fix, Place
from tests.unit.cli.edits import change, git

WIDTHS = (60, 80, 120)
LONG = "ｃｌｉｃｋ－ｔｈｒｏｕｇｈ"  # wide characters: two cells each
COMMANDS = (
    ("plan", "shop/recommender"),
    ("plan", "risk/fraud", "--full"),
    ("plan", "support/ticket-classifier", "--full"),
    ("plan", "shop/recommender", "--against", "HEAD"),
    ("plan", "--all"),
    ("plan", "--all", "--against", "HEAD"),
    ("diff",),
    ("status",),
    ("audit", "shop/recommender"),
    ("replay", "shop/recommender", "--simulate", "drop=10%", "--runs", "3"),
    ("design", "shop/recommender", "--write"),
)


@pytest.fixture
def changed(committed):
    """The examples with a description in wide characters, committed, and a few changes that are not."""
    change(committed, "shop/recommender.yaml", "owner: shop-ml@example.com", f"owner: {LONG}@example.com")
    git(committed, "commit", "-qam", f"{LONG} " * 12)
    change(committed, "platform.yaml", 'quota: {cpu: "40"', 'quota: {cpu: "41"')
    change(committed, "shop/recommender.yaml", "hold: 60m", "hold: 20m")
    return committed


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_fits_the_screen(changed, sluice, arguments):
    words = []
    for cells in (*WIDTHS, 1000):
        done = sluice(*arguments, env={"COLUMNS": str(cells)})
        assert done.exit_code == 0, done.stderr
        too_long = [line for line in done.stdout.splitlines() if width(line) > cells]
        assert not too_long
        words.append(done.stdout)
    assert len(words[0].splitlines()) >= len(words[-1].splitlines())


def test_output_that_is_no_terminal_has_80_columns(changed, sluice):
    lines = sluice("plan", "shop/recommender", "--full", env={"COLUMNS": None}).stdout.splitlines()
    assert 70 < max(map(width, lines)) <= 80


@pytest.mark.parametrize("columns", ["", "0", "-5", "many"])
def test_a_width_that_is_not_a_number_counts_as_none(monkeypatch, capfd, columns):
    import sys

    monkeypatch.setenv("COLUMNS", columns)
    assert line_width(sys.stdout) == 80


FINDING = Finding(
    "CAN102", "error", f"the step is short, {LONG} " * 5, "hold it for longer, " * 8,
    Place("specs/shop/recommender.yaml", 14, 22, 25), path="spec.rollout.steps[0].hold",
    excerpt="    steps: [{weight: 5%, hold: 60m}, {weight: 25%, hold: 20m}, {weight: 50%, hold: 20m}]" * 2,
    fix=Fix(("spec", "rollout"), "1h"),
)  # fmt: skip


@pytest.mark.parametrize("cells", WIDTHS)
def test_findings_wrap_on_a_terminal(cells):
    text = render([FINDING], "text", screen=Screen(cells))
    assert max(map(width, text.splitlines())) <= cells
    assert "".join(FINDING.message.split()) in "".join(text.split())


def test_findings_are_one_line_each_for_programs():
    assert FINDING.message.rstrip() in render([FINDING], "text")


TABLE = Table.of(
    [
        ("guard", "text", "count", "more"),
        ("error-rate", "a text of several words that can wrap", "31,383", "only where there is room"),
        (LONG, LONG, "1", "short"),
    ],
    drop=(3,),
)


def test_a_table_wraps_then_leaves_out_columns_then_breaks_words():
    assert [len(TABLE.lines(cells)) for cells in (200, 90)] == [3, 4]
    assert "only where" in "".join(TABLE.lines(90))
    assert "only where" not in "".join(TABLE.lines(60))
    for cells in range(24, 130):
        lines = TABLE.lines(cells)
        assert max(map(width, lines)) <= cells
        assert "31,383" in "\n".join(lines)


def test_an_empty_table_has_no_lines():
    assert Table.of([]).lines(80) == []


def test_words_are_broken_behind_a_separator_and_joined_ones_stay_together():
    assert wrap("registry.example.com/models/shop", 12) == ["registry.", "example.com/", "models/shop"]
    assert wrap(f"in 42{JOINED}/{JOINED}71{JOINED}min", 12) == ["in", "42 / 71 min"]
    assert wrap("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_a_bullet_keeps_its_indentation():
    assert paragraph("  - " + "word " * 8, 24) == ["  - word word word word", "    word word word word"]
    assert list(fit(["short"], 40, "    ")) == ["    short"]


def test_a_command_that_is_too_long_can_be_copied():
    command = "kubectl argo rollouts promote recommender --namespace shop-production"
    lines = list(shell_lines(command, 40, "    "))
    assert max(map(len, lines)) <= 40
    assert " ".join(line.strip().removesuffix("\\").strip() for line in lines) == command
    assert [line.endswith(" \\") for line in lines] == [True] * (len(lines) - 1) + [False]


@pytest.mark.parametrize("cells", [8, 20, 40])
def test_a_number_is_never_broken(changed, sluice, cells):
    numbers = re.findall(r"[0-9]+(?:,[0-9]{3})+", sluice("plan", "--all").stdout)
    assert len(numbers) >= 2
    narrow = sluice("plan", "--all", env={"COLUMNS": str(cells)}).stdout
    assert [number for number in numbers if number not in narrow] == []


@pytest.mark.parametrize("limit", range(10, 40))
def test_the_longest_words_of_a_table_are_broken_first(limit):
    table = Table.of([("model", "exposed"), ("support/ticketclassifier", "1,613,440"), ("a", "-99.95%")])
    lines = table.lines(limit)
    assert "1,613,440" in " ".join(lines)
    assert "-99.95%" in " ".join(lines)
    assert max(map(width, lines)) <= max(limit, 6 + 2 + 9)


def test_a_simulation_on_a_narrow_screen_leaves_columns_out_and_names_its_errors(committed, sluice):
    narrow, wide = (
        sluice(
            *("replay", "shop/recommender", "--simulate", "drop=10%", "--runs", "50", "--seed", "7"),
            env={"COLUMNS": cells},
        )
        for cells in ("60", "120")
    )
    assert max(map(width, narrow.stdout.splitlines())) <= 60
    table = narrow.stdout.partition("(left out")[0]
    assert ("p90" in table, "p90" in narrow.stdout, "p90" in wide.stdout) == (False, True, True)
    assert "by Agresti and Coull" in wide.stdout


def test_a_narrow_table_names_the_columns_that_it_leaves_out():
    rows = [("model", "strategy", "gates"), ("shop/recommender", "canary", "1 pass")]
    table = Table.of(rows, drop=(1,))
    assert "strategy" in table.lines(40)[0]
    assert table.lines(28) == [
        "model             gates",
        "shop/recommender  1 pass",
        "(left out for want of",
        "  width: strategy)",
    ]
