"""Values written into PromQL: nothing breaks out of its place; Prometheus itself reads it back."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from generator.promql.series import Argument, Matcher, Series, one_of
from generator.promql.text import duration, number, operand, quote
from generator.promql.tokens import seconds, tokenize, unquote

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NASTY = [
    '"',
    "\\",
    "\\\\",
    "\n",
    "\r\t",
    "`'",
    '"} or vector(1) #',
    "é漢🙂",
    "\x00\x7f\x85\u2028\ufeff",
    "{{args.x}}",
    ".*|+$^(){}[]?",
]


def with_labels(values: list[str]) -> list[dict[str, object]]:
    """Rules that create one series per label value; YAML carries the value, no PromQL escape is involved."""
    return [{"record": "made", "expr": "vector(1)", "labels": {"text": value}} for value in values]


def matches(promtool, values: list[str], queries: list[tuple[str, int]]) -> None:
    """Prometheus must count so many of the series that carry these values."""
    rules = {"groups": [{"name": "made", "rules": with_labels(values)}]}
    rule_file = promtool.write("made.yaml", rules)
    tests = [
        {"expr": query, "eval_time": "1m", "exp_samples": [{"labels": "{}", "value": count}]}
        for query, count in queries
    ]
    document = {
        "rule_files": [rule_file],
        "evaluation_interval": "1m",
        "tests": [{"promql_expr_test": tests}],
    }
    promtool.run(document, passes=True)


@settings(
    max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate]
)  # each example starts promtool
@given(st.lists(texts, min_size=1, max_size=10, unique=True))
@example(NASTY)
def test_value_matches_itself_and_nothing_else(promtool, values):
    equal = [(f"count({Series('made', (Matcher('text', value),))})", 1) for value in values]
    pattern = [(f"count({Series('made', (one_of('text', [value]),))})", 1) for value in values]
    every = [(f"count({Series('made', (one_of('text', values),))})", len(values))]
    matches(promtool, values, equal + pattern + every)


@given(texts)
@example("".join(NASTY))
def test_value_stays_inside_its_matcher(value):
    tokens = tokenize(str(Series("m", (Matcher("a", value), Matcher("b", Argument("canary-hash"))))))
    assert [token.kind for token in tokens.items if token.kind != "sign"] == [
        "name",
        "name",
        "string",
        "name",
        "string",
    ]
    assert unquote(tokens.items[4].text) == value
    assert tokens.items[8].text == '"{{args.canary-hash}}"'


@given(texts)
@example("{{{{args.x}}}}")
def test_no_value_reads_as_an_argument_or_needs_escapes_in_yaml(value):
    assert "{{" not in quote(value)
    assert quote(value).isprintable()


def test_lone_surrogate_is_refused():
    with pytest.raises(ValueError, match="surrogate"):
        quote("\ud800")


@pytest.mark.parametrize("name", ["", "a b", "1a", "a{", "a-b", "é", "a\n"])
def test_names_are_checked(name):
    with pytest.raises(ValueError, match="name"):
        Series(name)
    with pytest.raises(ValueError, match="name"):
        Matcher(name, "x")


@pytest.mark.parametrize("name", ["", "Hash", "a}}", "-a", "a b", "a\n"])
def test_arguments_are_checked(name):
    with pytest.raises(ValueError, match="argument"):
        Argument(name)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_reads_back_as_the_same_float(value):
    text = number(value)
    assert float(text) == value
    assert set(text) <= set("-.0123456789")
    assert operand(value).strip("()") == text
    assert not operand(value).startswith("-")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.1, "0.1"), (1e-7, "0.0000001"), (12000, "12000"), (-0.0, "0"), (-2.5, "-2.5")],
)
def test_number_is_short(value, text):
    assert number(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_number_must_be_finite(value):
    with pytest.raises(ValueError, match="finite"):
        number(value)


@given(st.integers(1, 10**11))
def test_duration_reads_back(milliseconds):
    text = duration(float(Decimal(milliseconds) / 1000))
    assert round(seconds(text) * 1000) == milliseconds


@pytest.mark.parametrize(
    ("value", "text"),
    [(60, "1m"), (75, "75s"), (7200, "2h"), (86400, "24h"), (0.5, "500ms"), (90 * 60, "90m")],
)
def test_duration_is_in_the_largest_unit(value, text):
    assert duration(value) == text


def test_prometheus_reads_durations_so(promtool):
    # A counter that grows by one a second: its increase over a window is the window's length.
    windows = [2, 75, 150, 3600, 5400]
    questions = [(Series("m").increase(window), 7200.0) for window in windows]
    assert promtool.ask({"m": "0+1x7200"}, questions, scrape_s=1) == [[pytest.approx(w)] for w in windows]


@pytest.mark.parametrize("value", [0, -1, 0.0004, math.inf, math.nan])
def test_duration_must_be_whole_milliseconds(value):
    with pytest.raises((ValueError, OverflowError)):
        duration(value)
