"""Kubernetes quantities, against what Go's `resource.ParseQuantity` answers."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.source.quantity import canonical_cpu, parse_quantity, quantity_amount
from tests.tools.kinds.gather import go

# What tests/tools/kinds/quantities answers, with apimachinery 0.37: [text, its number or null].
ANSWERS = json.loads(Path(__file__).with_name("quantities.json").read_text(encoding="utf-8"))
PROGRAM = Path(__file__).resolve().parents[2] / "tools" / "kinds" / "quantities"


@pytest.mark.parametrize(("text", "number"), ANSWERS, ids=lambda value: repr(value)[:30])
def test_a_quantity_is_read_as_kubernetes_reads_it(text, number):
    assert parse_quantity(text) == (None if number is None else Decimal(number))


@pytest.mark.slow
def test_the_answers_are_those_of_kubernetes():
    lines = "\n".join(json.dumps(text) for text, _ in ANSWERS)
    printed = go("run", ".", folder=PROGRAM, text=lines)
    assert [json.loads(line) for line in printed.splitlines()] == ANSWERS


def test_the_answers_hold_both_sorts():
    refused = sum(number is None for _, number in ANSWERS)
    assert len(ANSWERS) > 500
    assert refused > 100
    assert {"1E", "1e3", "1.5n", "9Ei", "1K"} <= {text for text, _ in ANSWERS}


@pytest.mark.parametrize(
    ("value", "number"), [(2, "2"), (0.5, "0.5"), (1e-07, "1e-7"), (10**20, "1e20"), (-3, "-3")]
)
def test_numbers_are_quantities(value, number):
    assert parse_quantity(value) == Decimal(number)


@pytest.mark.parametrize(
    "value", [None, True, False, [], {}, float("nan"), float("inf"), "1\n", "\n1", "1Gi\n"]
)
def test_anything_else_is_not(value):
    assert parse_quantity(value) is None


@pytest.mark.parametrize(("text", "number"), [("1e9999", "1e9999"), ("1e-9999", "1e-9"), ("1e99999", None)])
def test_an_exponent_has_at_most_four_digits(text, number):
    assert parse_quantity(text) == (None if number is None else Decimal(number))


@given(st.text(max_size=12))
def test_any_text_is_answered(text):
    number = parse_quantity(text)
    assert number is None or number.is_finite()


def test_an_amount_needs_a_quantity():
    assert quantity_amount("512Mi") == 2**29
    with pytest.raises(ValueError, match="'2 GB' is not a quantity"):
        quantity_amount("2 GB")


@pytest.mark.parametrize(
    ("text", "written"),
    [("500m", "500m"), ("2", "2"), ("0.5", "500m"), ("2.0", "2"), ("1.25", "1250m"), ("1000m", "1"), ("0.0005", "0.0005")],
)  # fmt: skip
def test_cpu_as_kubernetes_writes_it_back(text, written):
    assert canonical_cpu(text) == written
