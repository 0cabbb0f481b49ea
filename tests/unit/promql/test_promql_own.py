"""The queries that Sluice writes are PromQL, and PromQL is split into tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.promql.bounds import RequestsSeen, WindowRatio, bounded_ratio, requests_seen
from generator.promql.event_share import EventShare, Mask, event_share
from generator.promql.fairness import ParityTest, parity_difference, parity_lower, parity_upper
from generator.promql.served import BY_POD, BY_VERSION, Served
from generator.promql.tokens import QuerySyntaxError, tokenize, unquote
from tests.unit.promql.counted import errors, outcome, slow

SERVED = Served('odd"\\name', "shop")
TEST = EventShare(0.9, 60, 15, 7200, mask=Mask(150, 1.1))
PARITY = ParityTest(("18+", "a|b", '"'), 86400)
OWN = [
    *(event_share(p, BY_POD, TEST) for p in (errors(SERVED), slow(SERVED, 0.25), slow(SERVED, 1))),
    event_share(outcome(SERVED, "ctr"), BY_VERSION, TEST),
    bounded_ratio(errors(SERVED), BY_POD.of_canary, WindowRatio(120, 100)),
    bounded_ratio(slow(SERVED, 0.25), BY_POD.of_canary, WindowRatio(120, 100)),
    requests_seen(outcome(SERVED, "ctr"), BY_VERSION, RequestsSeen(3600, 50)),
    *(
        form(SERVED.group_rows("age"), BY_VERSION.of_canary, PARITY)
        for form in (parity_difference, parity_lower, parity_upper)
    ),
]


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
