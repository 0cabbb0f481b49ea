"""Numbers for people: one form, rounded conservatively."""

from __future__ import annotations

import pytest

from generator.spec import quantities


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        ("count_up", 31382.2, "31,383"), ("count_up", 3.0000000001, "3"), ("count_up", 0, "0"),
        ("share_down", 0.9999, "99.9%"), ("share_down", 1.0, "100%"), ("share_down", 0.8279, "82.7%"),
        ("share_up", 0.0101, "1.1%"), ("share_up", 0.05, "5%"), ("share_up", 0.0, "0%"),
        ("change", -0.1, "-10%"), ("change", 1.0, "+100%"), ("change", 0.125, "+12.5%"),
        ("time_span", 6000, "1h 40m"), ("time_span", 115200, "1d 8h"), ("time_span", 0.25, "250ms"), ("time_span", 0, "0s"),
        ("minutes_up", 2461, "42m"), ("minutes_up", 4201, "1h 11m"), ("minutes_up", 0, "0s"),
    ],
)  # fmt: skip
def test_numbers_have_one_form(function, value, text):
    assert getattr(quantities, function)(value) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(1279.2, "EUR", "1,280 EUR"), (0.731, "EUR", "0.74 EUR"), (0, "EUR", "0.00 EUR"), (None, "EUR", "not priced"),
     (1, "", "not priced")],
)  # fmt: skip
def test_money_is_rounded_up(amount, currency, text):
    assert quantities.money_up(amount, currency) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 models"), (1, "1 model"), (1200, "1,200 models")])
def test_nouns_follow_their_count(count, text):
    assert quantities.plural(count, "model") == text
