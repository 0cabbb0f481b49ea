"""Which events vanish from a query, and what it would give for none: the second is compared with Prometheus itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.promql.absent_events import AbsentEvents, absent_events
from generator.promql.bounds import WindowRatio, bounded_ratio
from generator.promql.event_share import EventShare, Mask, event_share
from generator.promql.selectors import selectors_of
from generator.promql.served import BY_POD, BY_VERSION, Served
from generator.promql.tokens import QuerySyntaxError, tokenize
from tests.unit.promql.counted import errors, outcome, slow

SERVED = Served("model", "shop")
TEST = EventShare(0.9, 60, 15, 7200, mask=Mask(150, 1.1))
E, A, B = "sum(rate(e[5m]))", "sum(rate(a[5m]))", "sum(rate(b[5m]))"


def found(query):
    tokens = tokenize(query)
    return absent_events(tokens, list(selectors_of(tokens)))


@pytest.mark.parametrize("proportion", [errors(SERVED), slow(SERVED, 0.25), outcome(SERVED, "ctr")])
@pytest.mark.parametrize("arms", [BY_POD, BY_VERSION])
def test_own_queries_lose_nothing(proportion, arms):
    assert found(event_share(proportion, arms, TEST)) == []
    assert found(bounded_ratio(proportion, arms.of_canary, WindowRatio(120, 100))) == []


@pytest.mark.parametrize("proportion", [errors(SERVED), outcome(SERVED, "ctr")])
def test_own_queries_without_the_default_do(proportion):
    test = event_share(proportion, BY_POD, TEST).replace(" or vector(0)", "")
    assert found(test) == [AbsentEvents(proportion.events.metric, None)]
    ratio = bounded_ratio(proportion, BY_POD.of_canary, WindowRatio(120, 100)).replace(" or vector(0)", "")
    assert found(ratio) == [AbsentEvents(proportion.events.metric, 0)]


ZERO = [
    (f"{E} / {A}", 0),
    (f"({E}) / {A}", 0),
    (f"100 * {E} / {A}", 0),
    (f"({E} * 100) / {A}", 0),
    (f"1 - {E} / {A}", 1),
    (f"(1 - ({E} / {A}))", 1),
    (f"100 - 100 * clamp_max({E} / {A}, 1)", 100),
    (f"sum_over_time(({E} / {A})[1h:1m])", 0),
    (f"{E} / {A} and on () ({A} > 10)", 0),
    (f"2 * (1 - {E} / {A})", 2),
    (f"100 * (1 - ({E} / {A}))", 100),
    (f"(1 - {E} / {A}) * 100", 100),
]


@pytest.mark.parametrize(
    ("query", "zero"),
    [
        *ZERO,
        (f"2 / (1 - {E} / {A})", None),
        (f"2 * (1 - {E} / {A}) * 3", None),
        (f"clamp_max(1 - {E} / {A}, 0.5)", None),
        (f"ln({E} / {A})", None),
        (f"{E} / {A} - 1", None),
        (f"1 + {E} / {A}", None),
        (f"-{E} / {A}", None),
        (f"({E} - {B} * ln(1 + {A} / {A})) * 0.8", None),
    ],
)
def test_what_no_event_would_give(query, zero):
    assert AbsentEvents("e", zero) in found(query)


@pytest.mark.parametrize(("query", "zero"), ZERO)
def test_prometheus_says_the_same(promtool, query, zero):
    requests, never = {"a": "0+600x240"}, {"e": "0x240"}
    assert promtool.ask({**requests, **never}, [(query, 3600)]) == [[pytest.approx(zero, abs=1e-12)]]
    assert promtool.ask(requests, [(query, 3600)]) == [[]]


@pytest.mark.parametrize(
    "query",
    [
        f"({E} or vector(0)) / {A}",
        f"(({E}) or vector(0)) / {A}",
        f"1 - ({E} / {A} or vector(0))",
        f"vector(0) or {E} / {A}",
        f"{A} / ({A} + {E})",
        f"{A} and on () ({E} > 10)",
        f"{E} / {A} > 0.05",
        f"{A} / {A} and on () {E} / {A} < 2",
        f"absent({E} / {A})",
        f"{E} / 60",
        f"{E} - {A}",
        f"sum by (pod) (rate(e[5m])) / {A}",
        f"sum(rate(e[5m])) by (pod) / {A}",
        f"sum(e) / {A}",
    ],
)
def test_what_does_not_vanish_or_is_not_known_to(query):
    assert found(query) == []


PARTS = st.sampled_from([E, A, "(", ")", "/", "-", "*", "1", "or", ",", ">", "ln(", "absent(", "[1h:1m]"])


@given(st.lists(PARTS, max_size=12))
def test_no_query_makes_it_stumble(parts):
    try:
        tokens = tokenize(" ".join(parts))
    except QuerySyntaxError:
        return
    absent_events(tokens, list(selectors_of(tokens)))
