"""What conditions decide about good, bad and missing data: the table that was executed with the real libraries."""

from __future__ import annotations

import math

import pytest

from generator.lint.conditions import Rejected, Result, Unsupported, evaluate, measure, measure_vector, parse

NAN, INF = math.nan, math.inf
GUARD = "len(result) == 1 && !isNaN(result[0]) && !isInf(result[0])"
WORDS = {"S": "Successful", "F": "Failed", "I": "Inconclusive", "E": "Error"}
# success, failure: phases of a good value, a bad one, NaN, +Inf, no series, and a good series next to a bad one
TABLE = [
    ("result[0] >= 0.95", "", "SFFSES"),
    ("", "result[0] < 0.95", "SFSSES"),
    ("result[0] >= 0.95", "result[0] < 0.95", "SFISES"),
    ("len(result) > 0 && result[0] >= 0.95", "", "SFFSFS"),
    ("len(result) == 0 || result[0] >= 0.95", "", "SFFSSS"),
    ("all(result, # >= 0.95)", "", "SFFSSF"),
    ("", "any(result, # < 0.95)", "SFSSSF"),
    ("sum(result) >= 0.95", "", "SFFSFS"),
    ("mean(result) < 0.95", "", "FSFFSS"),
    (f"{GUARD} && result[0] >= 0.95", "", "SFFFFF"),
    (f"{GUARD} && result[0] >= 0.95", f"{GUARD} && result[0] < 0.95", "SFIIII"),
    (f"{GUARD} && result[0] >= 0.95", "false", "SIIIII"),
    ("result >= 0.95", "", "EEEEEE"),
    ("", "", "SSSSSS"),
]
RESULTS = ([0.97], [0.2], [NAN], [INF], [], [0.97, 0.2])


@pytest.mark.parametrize("version", ["1.9", "1.10"])
@pytest.mark.parametrize(("success", "failure", "phases"), TABLE)
def test_truth_table(success, failure, phases, version):
    got = [measure(success, failure, Result("vector", values), version) for values in RESULTS]
    assert version == "1.9" or got == [
        measure_vector(success or None, failure or None, values) for values in RESULTS
    ]
    assert got == [WORDS[letter] for letter in phases]


def test_what_the_versions_differ_on():
    result = Result("vector", [0.5])
    for condition in ("max(result) < 1", "0.1 < result[0] < 0.9"):
        assert evaluate(condition, result, "1.10")
        with pytest.raises(Rejected):
            evaluate(condition, result, "1.9")


@pytest.mark.parametrize(
    "text",
    [
        "result[0] =",
        "(result[0] > 1",
        "result[0] > 5%",
        "# comment",
        "1 ?? 2 > 1",
        "a b",
        "",
        "0.95and true",
        "result[0] > ²",
        "result[0] > 0x_",
        "result[0] > " + "9" * 5000,
        "result[0] > 0x" + "f" * 5000,
    ],
)
def test_an_invalid_condition_is_rejected(text):
    with pytest.raises(Rejected):
        evaluate(text, Result("vector", [1.0]), "1.10")


@pytest.mark.parametrize(
    "text",
    [
        "let x = 1; x > 0",
        "result | first() > 1",
        "result[0] in 1..3",
        "result matches 'a'",
        "true // yes",
        "!" * 5000 + "true",
        "(" * 5000,
        "1 + " * 5000 + "1",
        "true ? true : " * 5000 + "true",
    ],
)
def test_a_construct_that_is_not_evaluated_is_reported(text):
    with pytest.raises(Unsupported):
        parse(text)


def test_missing_values_of_datadog():
    nothing = Result("nil", None)
    assert evaluate("default(result, 0) < 1", nothing, "1.10")
    assert evaluate("isNil(result)", nothing, "1.10")
    assert measure("result < 1", "", nothing, "1.10") == "Error"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("!false && true", True),
        ("true || false && false", True),
        ("(true || false) && false", False),
        ("!(1 < 2)", False),
        ("-1.5 < 0", True),
        ("result[1] != result[0]", True),
        ("false && result[9] > 0", False),
        ("true || result[9] > 0", True),
        ("len(result) == 2", True),
        ("isInf(result[1])", True),
        ("result[-1] > 1", True),
        ("result[0] > 0.5 ? true : false", True),
        ("1 < 2 < 3", True),
        ("34300510230987210 == 34300510230987208.0", True),
        ("34300510230987210 > 34300510230987208.0", False),
    ],
)
def test_precedence_short_circuits_and_indexes(text, value):
    assert evaluate(text, Result("vector", [1.0, math.inf]), "1.10") is value


@pytest.mark.parametrize(
    "text",
    [
        "(", "true)", "1", "true && 1", "!1", "-true", "len(1) > 0", "isNaN(result)", "result[2] > 0",
        "result[0.5] > 0", "result[0", "len result", "true # why", "true true", "1 == true", "result[0][0] > 1",
        "isNan(result[0])", "result[0] = 0.95", "result[0] >= '0.95'", "1 % 0 == 0",
    ],
)  # fmt: skip
def test_an_error_of_type_syntax_or_index_is_rejected(text):
    with pytest.raises(Rejected):
        evaluate(text, Result("vector", [1.0, math.inf]), "1.10")
