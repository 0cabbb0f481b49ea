"""Every condition that Sluice writes, on every kind of result."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.promql.conditions import Condition, harm, proof, threshold
from tests.unit.promql.controller import verdict

S, F, N, E = "Successful", "Failed", "Inconclusive", "Error"
GOOD, BAD = [0.97], [0.90]
RESULTS = (GOOD, BAD, [math.nan], [math.inf], [-math.inf], [], [0.97, 0.90], [0.90, 0.97])

TABLE = {
    #                                    good bad NaN +Inf -Inf empty two two
    (threshold, (">=", 0.95, "fail")): (S, F, F, F, F, F, F, F),
    (threshold, (">=", 0.95, "pause")): (S, F, N, N, N, N, N, N),
    (threshold, (">=", 0.95, "pass")): (S, F, S, S, F, S, S, F),
    (threshold, (">", 0.95, "pause")): (S, F, N, N, N, N, N, N),
    (threshold, ("<", 0.95, "fail")): (F, S, F, F, F, F, F, F),
    (threshold, ("<", 0.95, "pause")): (F, S, N, N, N, N, N, N),
    (threshold, ("<=", 0.95, "pass")): (F, S, S, F, S, S, F, S),
    (proof, (">=", 0.95)): (S, N, N, N, N, N, N, N),
    (proof, ("<", 0.95)): (N, S, N, N, N, N, N, N),
    (harm, (0.95,)): (F, S, N, F, S, S, N, N),
}


@pytest.mark.parametrize(
    ("form", "arguments", "result", "judged"),
    [
        (form, arguments, result, judged)
        for (form, arguments), row in TABLE.items()
        for result, judged in zip(RESULTS, row, strict=True)
    ],
)
def test_table(form, arguments, result, judged):
    assert verdict(form(*arguments), result) == judged


# What the controller's own library answered (executed with both versions that the controllers use).
@pytest.mark.parametrize(
    ("success", "failure", "row"),
    [
        ("result[0] >= 0.95", None, (S, F, E, S)),
        (None, "result[0] < 0.95", (S, S, E, S)),
        ("result[0] >= 0.95", "result[0] < 0.95", (S, N, E, S)),
        ("len(result) > 0 && result[0] >= 0.95", None, (S, F, F, S)),
        ("len(result) == 0 || result[0] >= 0.95", None, (S, F, S, S)),
        ("result >= 0.95", None, (E, E, E, E)),
        ("isNan(result[0])", None, (E, E, E, E)),
        ("result[0] = 0.95", None, (E, E, E, E)),
        ("result[0] >= 5%", None, (E, E, E, E)),
        ("result[0] >= '0.95'", None, (E, E, E, E)),
        ("result[0]", None, (E, E, E, E)),
        (None, None, (S, S, S, S)),
        ("", "", (S, S, S, S)),
    ],
)
def test_agrees_with_the_controller(success, failure, row):
    condition = Condition(success, failure)
    assert tuple(verdict(condition, r) for r in ([0.97], [math.nan], [], [0.97, 0.9])) == row


@given(st.floats(allow_nan=True), st.floats(allow_nan=False, allow_infinity=False))
def test_threshold_splits_the_numbers(value, bound):
    good, bad = threshold("<", bound, "pause"), threshold(">=", bound, "pause")
    expected = (N, N) if not math.isfinite(value) else (S, F) if value < bound else (F, S)
    assert (verdict(good, [value]), verdict(bad, [value])) == expected


@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">="])
@pytest.mark.parametrize("value", [-2.5, -1.609, 0.0, 12000.0])
def test_exactly_one_side_at_the_bound(comparison, value):
    judged = verdict(threshold(comparison, value, "pause"), [value])
    assert judged == (S if "=" in comparison else F)


def test_harm_fails_at_its_boundary():
    assert verdict(harm(3), [3.0]) == F


def test_failure_wins_over_success():
    assert verdict(Condition("true", "true"), [1.0]) == F
