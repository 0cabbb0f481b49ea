"""The queries that Sluice writes are PromQL, and PromQL is split into tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.promql.tokens import QuerySyntaxError, tokenize, unquote
from tests.unit.promql.own_queries import OWN


@pytest.mark.parametrize("query", OWN)
def test_own_queries_are_promql(promtool, query):
    assert promtool.ask({"m": "0x4"}, [(query, 60)]) == [[]]


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"a\"b"', 'a"b'),
        (r"'a\'b'", "a'b"),
        (r"`a\b`", r"a\b"),
        (r'"\x41\u00e9\U0001F642\101\n"', "Aé🙂A\n"),
    ],
)
def test_unquote(literal, text):
    assert unquote(literal) == text


@given(st.text(st.sampled_from("ab:1.5me(){}[]\"'`\\ \n#,=~!<>+-*/^%@_"), max_size=30))
def test_any_text_is_split_or_refused(text):
    try:
        tokens = tokenize(text)
    except QuerySyntaxError:
        return
    assert all(text[t.start :].startswith(t.text) for t in tokens.items)
    assert all(tokens.partner[other] == index for index, other in tokens.partner.items())
