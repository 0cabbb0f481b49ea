"""Rules on queries, on our own and on the mistakes that hand-written templates make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.lint.engine import CODES, run
from generator.lint.rules.analysis import matches
from generator.lint.rules.queries import QueryContext
from generator.promql.bounds import WindowRatio, bounded_ratio
from generator.promql.served import BY_POD
from generator.promql.tokens import QuerySyntaxError, tokenize
from tests.unit.promql.counted import errors
from tests.unit.promql.own_queries import OWN, SERVED


def codes(query, scrape_s=15):
    return [code.code for _, code, _ in run([QueryContext(query, scrape_s)])]


@pytest.mark.parametrize("query", OWN)
def test_own_queries_are_clean(query):
    assert codes(query) == []


@pytest.mark.parametrize("query", OWN)
def test_missing_restriction_is_found_in_every_own_query(query):
    free = query.replace('served_by="{{args.canary-hash}}"', "").replace(
        'rollouts_pod_template_hash="{{args.canary-hash}}"', ""
    )
    assert set(codes(free)) == {"CAN120"}


def test_missing_default_is_found_in_own_query():
    query = bounded_ratio(errors(SERVED), BY_POD.of_canary, WindowRatio(120, 100))
    assert codes(query.replace(" or vector(0)", "")) == ["CAN124"]


C = 'pod_template_hash="{{args.canary-hash}}"'
ERRORS, ALL = f'sum(rate(req{{{C},code=~"5.."}}[5m]))', f"sum(rate(req{{{C}}}[5m]))"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        # CAN120, which version
        ("sum(rate(req[5m]))", ["CAN120"]),
        ('sum(rate({__name__="req"}[5m]))', ["CAN120"]),
        ('sum(rate(req{pod_template_hash=~".*"}[5m]))', ["CAN120"]),
        ('sum(rate(req{pod_template_hash!="x"}[5m]))', ["CAN120"]),
        (f"sum(rate(req{{{C}}}[5m])) / sum(rate(req[5m]))", ["CAN120", "CAN124"]),
        ("up * 2", ["CAN120"]),
        ('sum(rate(req{pod=~"m-{{args.canary-hash}}-.*"}[5m]))', []),
        ('sum(rate(req{served_by="shadow-3"}[5m]))', []),
        (f"sum(rate(req[5m]) * on (pod) group_left () kube_pod_labels{{{C}}})", []),
        ("sum(rate(req[5m]) * on (pod) group_left () kube_pod_labels)", ["CAN120", "CAN120"]),
        ("# only a {comment}\nvector(1)", []),
        # CAN121, how many samples
        (f"sum(irate(req{{{C}}}[5m]))", ["CAN121"]),
        (f"sum(rate(req{{{C}}}[30s]))", ["CAN121"]),
        (f"sum(increase((req{{{C}}})[59s:15s]))", ["CAN121"]),
        (f"sum(rate(req{{{C}}}[1m]))", []),
        (f"sum(rate(req{{{C}}}[1m30s] offset 5s))", []),
        (f"sum(rate(req{{{C}}}[{{{{args.window}}}}]))", []),
        (f"max_over_time(req{{{C}}}[15s])", []),
        # CAN122, quantiles
        (f"histogram_quantile(0.95, sum by (le) (rate(lat_bucket{{{C}}}[5m])))", ["CAN122"]),
        # CAN124, events that vanish
        (f"{ERRORS} / {ALL}", ["CAN124"]),
        (f"({ERRORS}) / {ALL}", ["CAN124"]),
        (f"1 - {ERRORS} / on () ({ALL} > 0)", ["CAN124"]),
        (f"100 * {ERRORS} / ignoring (code) group_left () {ALL}", ["CAN124"]),
        (f"SUM({ERRORS[4:-1]}) / {ALL}", ["CAN124"]),
        (f"({ERRORS} OR vector(0)) / {ALL}", []),
        (f"{ERRORS} / {ALL} or vector(0)", []),
        (f"(({ERRORS} / {ALL})) or vector(0)", []),
        (f"{ALL} / ({ALL} + {ERRORS})", []),
        (f"sum by (pod) (rate(e{{{C}}}[5m])) / sum by (pod) (rate(r{{{C}}}[5m]))", []),
        (f"sum(rate(e{{{C}}}[5m])) by (pod) / sum(rate(r{{{C}}}[5m])) by (pod)", []),
        (f'sum(rate(lat_bucket{{{C},le="0.3"}}[5m])) / sum(rate(lat_count{{{C}}}[5m]))', []),
        (f"sum(lag{{{C}}}) / sum(size{{{C}}})", []),
        (f"{ALL} / 2", []),
        # CAN125, not PromQL
        ("", ["CAN125"]),
        ("  # nothing", ["CAN125"]),
        ("sum(rate(req[5m])", ["CAN125"]),
        ("sum(rate(req[5m)])", ["CAN125"]),
        ("sum)", ["CAN125"]),
        ('req{a="b}', ["CAN125"]),
        ("req & 1", ["CAN125"]),
    ],
)
def test_mistakes_and_near_misses(query, found):
    assert codes(query) == found


def test_message_names_the_metric():
    [(_, _, problem)] = run([QueryContext(f"{ERRORS} / {ALL}", 15)])
    assert problem.message.startswith("req ")


@given(st.text(st.sampled_from("ab:1.5me(){}[]\"'`\\ \n#,=~!<>+-*/^%@_"), max_size=30))
def test_any_text_is_checked_or_not_promql(text):
    try:
        tokenize(text)
    except QuerySyntaxError:
        assert codes(text) == ["CAN125"]
        return
    codes(text)


@pytest.mark.parametrize("code", ["CAN120", "CAN121", "CAN122", "CAN124", "CAN125"])
def test_the_example_of_a_code_trips_it_and_no_other(code):
    assert codes(CODES[code].example.strip()) == [code]
    assert codes(CODES[code].instead.strip()) == []


def test_a_query_of_too_many_tokens_is_refused():
    nested = "sum(" * 5000 + "up" + ")" * 5000
    for query in (nested, "sum(rate(up[5m])) + " * 5000 + "up"):
        with pytest.raises(QuerySyntaxError, match="more than 4,000 tokens"):
            tokenize(query)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(?:a*){9}b", "a*a*a*b", "a" * 201])
def test_a_pattern_that_takes_exponential_time_is_not_evaluated(pattern):
    assert not matches(pattern, ["a" * 100_000])
    assert matches("^a+$", ["a" * 9])
