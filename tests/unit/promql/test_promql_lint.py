"""The lint, on our own queries and on the mistakes that hand-written templates make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.promql.bounds import RequestsSeen, WindowRatio, bounded_ratio, requests_seen
from generator.promql.event_share import EventShare, Mask, event_share
from generator.promql.fairness import ParityTest, parity_difference, parity_lower, parity_upper
from generator.promql.lint import lint
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
def test_own_queries_are_clean(query):
    assert lint(query, 15) == []


@pytest.mark.parametrize("query", OWN)
def test_own_queries_are_promql(promtool, query):
    assert promtool.ask({"m": "0x4"}, [(query, 60)]) == [[]]


@pytest.mark.parametrize("query", OWN)
def test_missing_restriction_is_found_in_every_own_query(query):
    free = query.replace('served_by="{{args.canary-hash}}"', "").replace(
        'rollouts_pod_template_hash="{{args.canary-hash}}"', ""
    )
    assert {p.code for p in lint(free, 15)} == {"CAN120"}


def test_missing_default_is_found_in_own_query():
    query = bounded_ratio(errors(SERVED), BY_POD.of_canary, WindowRatio(120, 100))
    assert [p.code for p in lint(query.replace(" or vector(0)", ""), 15)] == ["CAN124"]


C = 'pod_template_hash="{{args.canary-hash}}"'
ERRORS, ALL = f'sum(rate(req{{{C},code=~"5.."}}[5m]))', f"sum(rate(req{{{C}}}[5m]))"


@pytest.mark.parametrize(
    ("query", "codes"),
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
def test_lint(query, codes):
    assert [problem.code for problem in lint(query, 15)] == codes


def test_message_names_the_metric():
    [problem] = lint(f"{ERRORS} / {ALL}", 15)
    assert problem.message.startswith("req ")


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
        assert [p.code for p in lint(text, 15)] == ["CAN125"]
        return
    assert all(text[t.start :].startswith(t.text) for t in tokens.items)
    assert all(tokens.partner[other] == index for index, other in tokens.partner.items())
    lint(text, 15)
