"""What queries measure: forms that people write, and forms that are not recognized."""

from __future__ import annotations

import pytest

from generator.promql.expressions import parse
from generator.promql.measures import recognize
from generator.promql.tokens import QuerySyntaxError
from generator.promql.versions import Versions

NEW = Versions(frozenset({"hash-new", "cart-canary"}), frozenset({"hash-old", "cart"}))
ALL = 'sum(rate(http_requests_total{service="cart-canary"}[5m]))'


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f'sum(rate(http_requests_total{{service="cart-canary",code!~"5.*"}}[5m])) / {ALL}', ("share", "error", True, "canary")),
        (f'sum(rate(http_requests_total{{service="cart-canary",status!="500"}}[5m])) / {ALL}', ("share", "error", True, "canary")),
        (f'sum(rate(http_requests_total{{service="cart-canary",code=~"[45].."}}[5m])) / {ALL}', ("share", "error", False, "canary")),
        (f'sum(rate(http_requests_total{{service="cart-canary",code=~"4.*"}}[5m])) / {ALL}', ("share", "4xx", False, "canary")),
        (f'sum(rate(x_total{{service="cart-canary",outcome="success"}}[5m])) / {ALL}', ("share", "error", True, "canary")),
        (f'sum(rate(http_errors_total{{service="cart-canary"}}[5m])) / {ALL} * 100', ("share", "error", False, "canary")),
        (f'100 * (1 - sum(rate(http_requests_total{{service="cart-canary",code="500"}}[5m])) / {ALL})', ("share", "error", False, "canary")),
        (f'sum(rate(clicks_total{{service="cart-canary"}}[5m])) / {ALL}', ("share", "clicks_total", False, "canary")),
        ('sum(rate(s_bucket{service="cart-canary",le="0.3"}[5m])) / sum(rate(s_count{service="cart-canary"}[5m]))', ("share", "slow", True, "canary")),
        ('sum(rate(s_sum{service="cart-canary"}[5m])) / sum(rate(s_count{service="cart-canary"}[5m]))', ("mean", "s_sum", False, "canary")),
        ('histogram_quantile(0.95, sum by (le) (rate(s_bucket{service="cart-canary"}[5m])))', ("quantile", "slow", False, "canary")),
        ('sum(rate(http_requests_total{service="cart-canary",code=~"5.."}[5m]))', ("rate", "error", False, "canary")),
        ('sum(increase(http_requests_total{service="cart",code=~"5.."}[5m]))', ("count", "error", False, "stable")),
        ('max(container_memory_usage_bytes{pod=~"cart-.*"})', ("gauge", "container_memory_usage_bytes", False, "both")),
        ('sum(rate(e{h="hash-new",code="500"}[5m])) / sum(rate(e{h="hash-new"}[5m])) / (sum(rate(e{h="hash-old",code="500"}[5m])) / sum(rate(e{h="hash-old"}[5m])))', ("comparison", "error", False, "canary")),
    ],
)  # fmt: skip
def test_the_form_of_a_query(query, expected):
    found = recognize(query, NEW)
    assert (found.kind, found.event, found.complement, found.arm) == expected, found


def test_the_name_of_the_stable_service_is_often_that_of_the_application():
    both, stable = (
        recognize(f'sum(rate(r_total{{{label}="cart"}}[5m]))', NEW).arm for label in ("app", "service")
    )
    assert (both, stable) == ("both", "stable")


def test_value_and_quantity_are_inverse():
    found = recognize(f'100 - 100 * sum(rate(r_total{{service="cart-canary",code="500"}}[5m])) / {ALL}', NEW)
    assert found.value(0.02) == pytest.approx(98)
    assert found.quantity(98) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("query", "fallback"), [("(sum(rate(a_total[1m]))) or vector(7)", 7), ("a or on() vector(0) * 3", 0)]
)
def test_a_fallback_is_the_value_without_data(query, fallback):
    assert recognize(query).fallback == fallback


@pytest.mark.parametrize(
    "query",
    ["job:errors:ratio5m", "predict_linear(disk_free[1h], 3600)", "sum(rate(a_total[5m])) / sum(up)", "sum(", "3", "{{args.query}}",
     "sum(rate(a_total[5m])) and on() sum(rate(b_total[5m])) > 5"],
)  # fmt: skip
def test_what_is_not_recognized_is_unknown_with_a_reason(query):
    found = recognize(query)
    assert found.kind == "unknown"
    assert found.reason


@pytest.mark.parametrize(
    "query",
    ["sum by (a) (rate(x[5m]))", "sum(rate(x[5m])) by (a)", "a / on(x) group_left b", "-a ^ 2 * 3", "x[5m:1m] offset 5m",
     "rate(x[5m] @ end())", "a == bool 1", "topk(3, a) unless b", '{__name__="a"}', "1e3 * 0x1F"],
)  # fmt: skip
def test_the_grammar(query):
    parse(query)


@pytest.mark.parametrize("query", ["a b", "sum(a,", "(a", "a +", "", "sum by a (b)", "a[5m"])
def test_what_is_not_promql_is_refused(query):
    with pytest.raises(QuerySyntaxError):
        parse(query)
