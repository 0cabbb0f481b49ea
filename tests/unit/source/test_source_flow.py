"""Values as YAML flow text: they read back as they were, and look as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.source.characters import LOOKALIKES, describe, oddities, straighten, straighten_line
from generator.source.flow import flow
from generator.source.reader import parse

REORDERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # refused in every file (SRC116)
TEXTS = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=("Cc", "Cs", "Co", "Cn", "Zl", "Zp"),
        exclude_characters=REORDERING,
    ),
    max_size=12,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_written_reads_back(value):
    assert parse(f"a: {flow(value)}\n".encode(), "s").data == {"a": value}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"weight": "5%", "hold": "1h"}, "{weight: 5%, hold: 1h}"), (["a", 1, True, None], "[a, 1, true, null]"),
        ("bentoml:churn:1", '"bentoml:churn:1"'), ("2", '"2"'), ("1.10", '"1.10"'), ("yes", '"yes"'), ("", '""'),
        ("a b", '"a b"'), ("shop-ml@example.com", "shop-ml@example.com"), ("@shop", '"@shop"'), (0.92, "0.92"),
    ],
)  # fmt: skip
def test_text_is_quoted_only_where_it_must_be(value, text):
    assert flow(value) == text


def test_every_look_alike_has_a_form_in_ascii_and_a_name():
    for character, plain in LOOKALIKES.items():
        assert plain.isascii()
        assert not character.isascii()
        assert f"U+{ord(character):04X}" in describe(character)
    assert straighten("“５％”") == '"5%"'
    assert straighten_line("tier：standard， x") == "tier: standard, x"
    assert oddities("5%") == ""
    assert oddities("a\u200bb") == "an invisible zero width space (U+200B)"
