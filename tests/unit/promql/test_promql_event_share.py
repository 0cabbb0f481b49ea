"""The sequential test as Prometheus computes it, against an independent computation from the same samples."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from generator.promql.bounds import CanaryRequests, canary_requests
from generator.promql.conditions import harm
from generator.promql.event_share import EventShare, LoadMatch, Mask, event_share
from generator.promql.series import Arms, Proportion, Series
from generator.promql.served import BY_POD, BY_VERSION, Served
from tests.unit.promql.controller import verdict
from tests.unit.promql.counted import errors, outcome, slow

SCRAPE = 15
SERVED = Served("rec", "shop")
CTR = outcome(SERVED, "ctr")
TEST = EventShare(rate_ratio=0.9, step_s=60, scrape_s=SCRAPE, horizon_s=7200)
QUERY = event_share(CTR, BY_VERSION, TEST)
A20 = math.log(20)

Values = list[float | None]
Flow = dict[tuple[str, str], Values]


def grown(per_scrape: float, scrapes: int, born: int = 0) -> Values:
    """A counter that is born at 0 at a scrape and grows evenly to the last."""
    return [None if k < born else per_scrape * (k - born) for k in range(scrapes + 1)]


def named(flow: Flow) -> dict[str, Values]:
    """The samples under their full names; the key is (what, arm), or (what, arm/pod)."""
    metric = {
        "events": 'sluice_outcomes_total{namespace="shop",model="rec",outcome="ctr",served_by="%s",pod="%s"}',
        "requests": 'sluice_predictions_total{namespace="shop",model="rec",served_by="%s",pod="%s"}',
    }
    return {metric[what] % tuple((arm + "/0").split("/")[:2]): v for (what, arm), v in flow.items()}


def increase(values: Values, end: float, window: float) -> float | None:
    """Prometheus 2's increase() of one series on the scrape grid: closed range, extrapolated to its ends."""
    points = [
        (k * SCRAPE, v) for k, v in enumerate(values) if v is not None and end - window <= k * SCRAPE <= end
    ]
    if len(points) < 2:
        return None
    (first_at, first), (last_at, last) = points[0], points[-1]
    grown_by = last - first + sum(a for (_, a), (_, b) in pairwise(points) if b < a)
    sampled = last_at - first_at
    spacing = sampled / (len(points) - 1)
    to_start, to_end = first_at - (end - window), end - last_at
    if grown_by > 0 and first >= 0:
        to_start = min(to_start, sampled * first / grown_by)
    covered = sampled + sum(gap if gap < spacing * 1.1 else spacing / 2 for gap in (to_start, to_end))
    return grown_by * covered / sampled


def total(flow: Flow, what: str, arm: str, end: float, window: float) -> float | None:
    found = [increase(v, end, window) for (w, a), v in flow.items() if w == what and a.split("/")[0] == arm]
    known = [value for value in found if value is not None]
    return sum(known) if known else None


def share(flow: Flow, end: float, window: float) -> float | None:
    canary, stable = total(flow, "requests", "c", end, window), total(flow, "requests", "s", end, window)
    if canary is None or stable is None or canary + stable == 0:
        return None
    return canary / (canary + stable)


def steady(flow: Flow, end: float, mask: Mask) -> bool:
    now, before = share(flow, end, mask.lookback_s), share(flow, end - mask.lookback_s, mask.lookback_s)
    if not now or not before:
        return False
    return 1 / mask.tolerance < now / before < mask.tolerance


def reference(flow: Flow, at: float, test: EventShare = TEST) -> float | None:
    """The log-likelihood ratio by the definition, stratum by stratum; None when no stratum counts."""
    window, terms = test.step_s + test.scrape_s, []
    for k in range(math.ceil((at - test.horizon_s) / test.step_s), math.floor(at / test.step_s) + 1):
        end = k * test.step_s
        part = share(flow, end, window)
        if not part or (test.mask and not steady(flow, end, test.mask)):
            continue
        canary, stable = (total(flow, "events", arm, end, window) or 0 for arm in "cs")
        llr = canary * math.log(test.rate_ratio) - (canary + stable) * math.log1p(
            (test.rate_ratio - 1) * part
        )
        terms.append(llr * test.step_s / window / test.design_effect)
    return math.fsum(terms) if terms else None


def steady_flow(clicks: float, scrapes: int = 240, born: int = 40) -> Flow:
    """150 canary requests per scrape and 2,850 of the stable version, which has 114 clicks: 4%."""
    return {
        ("requests", "s"): grown(2850, scrapes),
        ("events", "s"): grown(114, scrapes),
        ("requests", "c"): grown(150, scrapes, born),
        ("events", "c"): grown(clicks, scrapes, born),
    }


def late_birth() -> Flow:
    flow = steady_flow(5)
    flow["events", "c"] = [v or None for v in flow["events", "c"]]
    return flow


def counter_reset() -> Flow:
    flow = steady_flow(5)
    for what in ("requests", "events"):
        values = flow[what, "c"]
        flow[what, "c"] = [
            v if k < 100 or v is None else v - (values[100] or 0) for k, v in enumerate(values)
        ]
    return flow


def replaced_pod() -> Flow:
    flow = steady_flow(5)
    for what, per_scrape in (("requests", 150), ("events", 5)):
        flow[what, "c/old"] = [v if k <= 90 else None for k, v in enumerate(flow.pop((what, "c")))]
        flow[what, "c/new"] = grown(per_scrape, 240, born=93)
    return flow


def weight_step() -> Flow:
    """5 % of 3000 requests a scrape, then 25 %; the canary's clicks come 60 s late."""
    flow: Flow = {
        ("requests", "c"): [0.0],
        ("requests", "s"): [0.0],
        ("events", "c"): [0.0],
        ("events", "s"): [0.0],
    }
    for k in range(1, 241):
        now, late = (150 if k < 120 else 750), (150 if k < 124 else 750)
        for key, more in zip(flow, (now, 3000 - now, late * 0.04, (3000 - now) * 0.04), strict=True):
            flow[key].append((flow[key][-1] or 0) + more)
    return flow


MASKED = replace(TEST, mask=Mask(lookback_s=150, tolerance=1.1))
SCENARIOS: dict[str, Callable[[], Flow]] = {
    "steady": lambda: steady_flow(5),
    "late birth": late_birth,
    "counter reset": counter_reset,
    "replaced pod": replaced_pod,
    "weight step": weight_step,
}


def test_known_values(promtool):
    # Computed without this code, before it existed, on the same grid.
    expected = {
        11: 0.225165534,
        12: 0.503925129,
        15: 1.340203915,
        20: 2.734001887,
        30: 5.521597836,
        60: 13.884385681,
    }
    answers = promtool.ask(named(steady_flow(5)), [(QUERY, 60 * minute) for minute in expected])
    assert [value for [value] in answers] == pytest.approx(list(expected.values()), rel=1e-8)


@pytest.mark.parametrize(
    "test", [TEST, MASKED, replace(TEST, design_effect=2.5, rate_ratio=1.5, horizon_s=900)]
)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_agrees_with_reference(promtool, scenario, test):
    flow, query = SCENARIOS[scenario](), event_share(CTR, BY_VERSION, test)
    looks = [600, 660, 690, 905, 1500, 1800, 1860, 2400, 3600]
    answers = promtool.ask(named(flow), [(query, at) for at in looks])
    for at, answer in zip(looks, answers, strict=True):
        wanted = reference(flow, at, test)
        assert answer == ([] if wanted is None else [pytest.approx(wanted, rel=1e-9, abs=1e-9)]), at


@settings(
    max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate]
)  # each example starts promtool
@given(
    data=st.lists(st.tuples(*[st.integers(0, 400)] * 2, *[st.integers(0, 30)] * 2), min_size=20, max_size=60),
    missed=st.sets(st.integers(0, 60), max_size=15),
    reset=st.integers(0, 60),
)
def test_agrees_on_any_flow(promtool, data, missed, reset):
    flow: Flow = {}
    for index, key in enumerate([("requests", "c"), ("requests", "s"), ("events", "c"), ("events", "s")]):
        values, level = [], 0
        for k, row in enumerate(data):
            level = (0 if k == reset and key[1] == "c" else level) + row[index]
            values.append(None if k in missed else float(level))
        flow[key] = values
    end = SCRAPE * len(data)
    answers = promtool.ask(named(flow), [(QUERY, end), (event_share(CTR, BY_VERSION, MASKED), end)])
    for test, answer in zip((TEST, MASKED), answers, strict=True):
        wanted = reference(flow, end, test)
        assert answer == ([] if wanted is None else [pytest.approx(wanted, rel=1e-9, abs=1e-9)])


def test_model_without_clicks_fires(promtool):
    flow = steady_flow(5)
    del flow["events", "c"]
    blind = QUERY.replace(" or vector(0)", "")
    [seen], unseen = promtool.ask(named(flow), [(QUERY, 3600), (blind, 3600)])
    assert seen > A20
    assert verdict(harm(A20), [seen]) == "Failed"
    assert unseen == []


def test_equal_canary_never_fires(promtool):
    answers = promtool.ask(named(steady_flow(6)), [(QUERY, 60 * minute) for minute in range(11, 61)])
    assert {verdict(harm(A20), answer) for answer in answers} == {"Successful"}
    assert max(value for [value] in answers) < 0


@pytest.mark.parametrize("absent", [["c"], ["c", "s"]])
def test_no_traffic_gives_no_result(promtool, absent):
    flow = {key: values for key, values in steady_flow(5).items() if key[1] not in absent}
    idle = {key: [0.0] * 241 if key[1] in absent else v for key, v in steady_flow(5).items()}
    assert promtool.ask(named(flow), [(QUERY, 3600)]) == [[]]
    assert promtool.ask(named(idle), [(QUERY, 3600)]) == [[]]


def test_late_clicks_cannot_convict_under_the_mask(promtool):
    flow = weight_step()
    masked = event_share(CTR, BY_VERSION, MASKED)
    looks = range(1740, 3600, 60)
    bare, safe = (promtool.ask(named(flow), [(query, at) for at in looks]) for query in (QUERY, masked))
    assert max(b for [b] in bare) - bare[0][0] > 3
    assert max(value for [value] in safe) <= 0


def joined(before: int, after: int, at: int, scrapes: int = 160) -> Flow:
    """Stable pods join at a scrape; 15,000 requests and 600 clicks of each version a scrape, counted by the stable pods.

    A pod is ready a scrape after its own series began, which it holds for two scrapes; so it does with the canary's.
    """
    flow: Flow = {("requests", "c"): grown(15_000, scrapes), ("events", "c/0"): [0.0] * (scrapes + 1)}
    for pod in range(after):
        born = 0 if pod < before else at
        for what, arm, each, first in (
            ("requests", "s", 15_000, born),
            ("events", "s", 600, born),
            ("events", "c", 600, born + 1 if born else 0),
        ):
            level, values = 0.0, []
            for k in range(scrapes + 1):
                ready = k > born if born else k > 0
                level += each / (before if k <= at + 1 else after) * ready * (pod < before or k > at + 1)
                values.append(None if k < first else 0.0 if born and k < first + 2 else level)
            flow[what, f"{arm}/{pod}"] = values
    return flow


def test_pods_that_join_do_not_make_the_canary_lose_clicks(promtool):
    """An autoscaler doubles the stable pods: for a scrape half of the canary's clicks are missing, then they appear."""
    looks = range(SCRAPE * 100, SCRAPE * 120, 15)
    rises = []
    for young in ({}, {"young_s": 135, "young": 0.05}):
        query = event_share(CTR, BY_VERSION, replace(TEST, mask=Mask(150, 1.5, **young)))
        values = [
            [value for [value] in promtool.ask(named(joined(2, 4, at)), [(query, look) for look in looks])]
            for at in range(100, 104)
        ]
        rises.append(max(later - first for one in values for first, later in pairwise(one)))
    assert rises[0] > A20
    assert rises[1] <= 0


@pytest.mark.parametrize(("lookback", "first_minute"), [(300, 20), (150, 15)])
def test_mask_blinds_for_two_lookbacks(promtool, lookback, first_minute):
    query = event_share(CTR, BY_VERSION, replace(TEST, mask=Mask(lookback, 1.1)))
    minutes = range(10, 25)
    answers = promtool.ask(named(steady_flow(5)), [(query, 60 * minute) for minute in minutes])
    assert next(m for m, answer in zip(minutes, answers, strict=True) if answer) == first_minute


def bento(code: str, arm: str, metric: str = "request_total", **labels: str) -> str:
    more = "".join(f',{label}="{value}"' for label, value in labels.items())
    return (
        f'bentoml_service_{metric}{{namespace="shop",endpoint="/predict",http_response_code="{code}",'
        f'rollouts_pod_template_hash="{arm}"{more}}}'
    )


def test_broken_contract_fires(promtool):
    samples = {
        bento("200", "s"): grown(1000, 80),
        bento("500", "s"): grown(5, 80),
        bento("200", "c"): [None] * 20 + [0.0] * 61,
        bento("500", "c"): [None] * 20 + [0.0] * 61,
        bento("400", "c"): grown(50, 80, born=20),
        bento("200", "c").replace("/predict", "/readyz"): grown(9000, 80),
    }
    query = event_share(errors(SERVED), BY_POD, replace(TEST, rate_ratio=2))
    assert promtool.ask(samples, [(query, 1200)])[0][0] > A20


def test_healthy_errors_do_not_fire(promtool):
    samples = {
        bento("200", "s"): grown(1000, 80),
        bento("503", "s"): grown(10, 80),
        bento("200", "c"): grown(50, 80, born=20),
    }
    query = event_share(errors(SERVED), BY_POD, replace(TEST, rate_ratio=2))
    [[value]] = promtool.ask(samples, [(query, 1200)])
    assert value < 0


@pytest.mark.parametrize(
    ("bound", "le"),
    [(0.25, "0.25"), (1, "1"), (1, "1.0"), (1.0, "1.0"), (10, "10"), (10, "10.0"), (2.5, "2.5")],
)
def test_slow_requests_are_those_outside_the_bucket(promtool, bound, le):
    samples = {}
    for arm, requests, tardy in (("s", 1000, 20), ("c", 50, 3)):
        samples[bento("200", arm, "request_duration_seconds_count")] = grown(requests, 80)
        samples[bento("200", arm, "request_duration_seconds_bucket", le=le)] = grown(requests - tardy, 80)
        samples[bento("200", arm, "request_duration_seconds_bucket", le="100.5")] = grown(requests, 80)
        samples[bento("200", arm, "request_duration_seconds_bucket", le="+Inf")] = grown(requests, 80)
    late = slow(SERVED, bound)
    questions = [
        (late.count_events(BY_POD.of_canary, 600), 1200.0),
        (event_share(late, BY_POD, replace(TEST, rate_ratio=1.5)), 1200.0),
    ]
    [[count], [value]] = promtool.ask(samples, questions)
    assert count == pytest.approx(3 * 40)
    # 20 whole strata of 60 s of even flow; the first two lack samples before the start.
    stratum = 12 * math.log(1.5) - 92 * math.log(1 + 0.5 * 50 / 1050)
    assert value == pytest.approx(stratum * 20, rel=0.02)
    assert value > A20


def pods(flow: dict[str, int], until: int = 80) -> dict[str, Values]:
    """`up` of some pods of each version."""
    return {
        f'up{{namespace="shop",rollouts_pod_template_hash="{arm}",pod="{arm}{i}"}}': [1.0] * (until + 1)
        for arm, count in flow.items()
        for i in range(count)
    }


@pytest.mark.parametrize(
    ("canary", "stable_pods", "canary_pods", "counts"),
    [(50, 4, 1, False), (200, 4, 1, True), (250, 4, 1, False), (500, 4, 2, False), (500, 4, 4, True)],
)
def test_only_equal_loads_are_compared(promtool, canary, stable_pods, canary_pods, counts):
    test = replace(TEST, rate_ratio=1.5, load=LoadMatch((0.05, 0.2, 0.25, 0.5), 1.25))
    samples = pods({"c": canary_pods, "s": stable_pods})
    for arm, requests in (("s", 1000 - canary), ("c", canary)):
        samples[bento("200", arm, "request_duration_seconds_count")] = grown(requests, 80)
        samples[bento("200", arm, "request_duration_seconds_bucket", le="0.25")] = grown(0.9 * requests, 80)
    late = slow(SERVED, 0.25)
    seen = CanaryRequests(7200, 1, test)
    questions = [
        (event_share(late, BY_POD, test, SERVED.pods()), 1200.0),
        (canary_requests(late, BY_POD, seen, SERVED.pods()), 1200.0),
        (event_share(late, BY_POD, replace(test, load=None)), 1200.0),
    ]
    judged, requests, unrestricted = promtool.ask(samples, questions)
    assert unrestricted
    if not counts:
        assert (judged, requests) == ([], [])
        return
    # Strata with samples on both sides: the first has none before the start.
    assert judged == pytest.approx(unrestricted, rel=0.06)
    assert requests == pytest.approx([canary * 80], rel=0.06)


def test_a_load_needs_the_pods():
    test = replace(TEST, load=LoadMatch((0.2,), 1.25))
    with pytest.raises(ValueError, match="series of the pods"):
        event_share(slow(SERVED, 0.25), BY_POD, test)


@pytest.mark.parametrize(
    ("weights", "tolerance", "why"),
    [
        ((0.2,), 1, "above 1"),
        ((0.2,), math.inf, "above 1"),
        ((), 1.25, "between 0 and 1"),
        ((0, 0.2), 1.25, "between 0 and 1"),
        ((0.2, 1), 1.25, "between 0 and 1"),
        ((0.2, 0.2), 1.25, "must rise"),
        ((0.5, 0.2), 1.25, "must rise"),
    ],
)
def test_loads_are_compared_around_one_at_weights_that_rise(weights, tolerance, why):
    with pytest.raises(ValueError, match=why):
        LoadMatch(weights, tolerance)


@pytest.mark.parametrize("requests", [230, 250, 270])
def test_chance_in_the_share_does_not_change_the_load(promtool, requests):
    """A canary at 25% of four pods has 1.33 times their load, also when it got a little less than its share."""
    test = replace(TEST, rate_ratio=1.5, load=LoadMatch((0.05, 0.25, 0.5), 1.25))
    samples = pods({"c": 1, "s": 4})
    for arm, count in (("s", 1000 - requests), ("c", requests)):
        samples[bento("200", arm, "request_duration_seconds_count")] = grown(count, 80)
        samples[bento("200", arm, "request_duration_seconds_bucket", le="0.25")] = grown(0.9 * count, 80)
    assert promtool.ask(
        samples, [(event_share(slow(SERVED, 0.25), BY_POD, test, SERVED.pods()), 1200.0)]
    ) == [[]]


def test_undeclared_bound_gives_no_evidence(promtool):
    samples = {bento("200", arm, "request_duration_seconds_count"): grown(100, 80) for arm in ("c", "s")} | {
        bento("200", arm, "request_duration_seconds_bucket", le="0.5"): grown(90, 80) for arm in ("c", "s")
    }
    assert promtool.ask(samples, [(event_share(slow(SERVED, 0.25), BY_POD, TEST), 1200)]) == [[]]


def test_disagreeing_resets_never_count_below_zero(promtool):
    samples = {
        bento("200", "c", "request_duration_seconds_count"): [0, 50, 60, 70, 80, 90],
        bento("200", "c", "request_duration_seconds_bucket", le="0.5"): [0, 48, 30, 40, 50, 60],
    }
    assert promtool.ask(samples, [(slow(SERVED, 0.5).count_events(BY_POD.of_canary, 75), 75)]) == [[0.0]]


def test_is_the_form_that_was_executed():
    arms = Arms("H")
    query = event_share(Proportion(Series("REQUESTS"), Series("EVENTS")), arms, TEST)
    executed = """
    sum_over_time((
      ((sum(increase(EVENTS{H="{{args.canary-hash}}"}[75s])) or vector(0)) * (-0.10536051565782628)
      - ((sum(increase(EVENTS{H="{{args.canary-hash}}"}[75s])) or vector(0))
         + (sum(increase(EVENTS{H="{{args.stable-hash}}"}[75s])) or vector(0)))
        * ln(1 + (-0.1) * sum(increase(REQUESTS{H="{{args.canary-hash}}"}[75s]))
          / (sum(increase(REQUESTS{H="{{args.canary-hash}}"}[75s]))
             + sum(increase(REQUESTS{H="{{args.stable-hash}}"}[75s])))))
        * 0.8
      and on() (sum(increase(REQUESTS{H="{{args.canary-hash}}"}[75s])) > 0)
    )[2h:1m])"""
    assert re.sub(r"\s", "", query) == re.sub(r"\s", "", executed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_ratio": 1},
        {"rate_ratio": 0},
        {"rate_ratio": math.nan},
        {"scrape_s": 16},
        {"horizon_s": 59},
        {"design_effect": 0.5},
    ],
)
def test_parameters_that_make_no_test_are_refused(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        replace(TEST, **wrong)


@pytest.mark.parametrize("tolerance", [1, 0.9, math.inf, math.nan])
def test_mask_needs_a_tolerance_above_one(tolerance):
    with pytest.raises(ValueError, match="tolerance"):
        Mask(150, tolerance)
