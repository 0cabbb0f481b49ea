"""Ratio guards and the enough-evidence guard, on the real engine, through to the controller's verdict."""

from __future__ import annotations

import pytest

from generator.promql.bounds import (
    CanaryRequests,
    CohortRequests,
    WindowRatio,
    bounded_ratio,
    canary_requests,
    cohort_requests,
    worst_gauge,
)
from generator.promql.conditions import harm, proof, threshold
from generator.promql.served import BY_POD, BY_VERSION, Served
from tests.unit.promql.controller import verdict
from tests.unit.promql.counted import errors, outcome

SERVED = Served("rec", "shop")


def request_series(arm: str, code: str, **other: str) -> str:
    labels = {
        "namespace": "shop",
        "endpoint": "/predict",
        "http_response_code": code,
        "rollouts_pod_template_hash": arm,
        **other,
    }
    return "bentoml_service_request_total{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}"


def own_series(metric: str, arm: str, more: str = "") -> str:
    return f'{metric}{{namespace="shop",model="rec",served_by="{arm}"{more}}}'


@pytest.mark.parametrize(
    ("failed", "per_scrape", "result", "judged"),
    [
        (0, 20, [0.0], "Successful"),
        (1, 20, [0.05], "Successful"),
        (10, 20, [0.5], "Failed"),
        (10, 10, [], "Successful"),
        (10, 12.5, [0.8], "Failed"),
        (20, 20, [1.0], "Failed"),
    ],
)
def test_catastrophe(promtool, failed, per_scrape, result, judged):
    samples = {
        request_series("c", "200"): f"0+{per_scrape - failed}x20",
        request_series("c", "500"): f"0+{failed}x20",
        request_series("s", "500"): "0+1000x20",
        request_series("c", "500", endpoint="/readyz"): "0+1000x20",
        request_series("c", "500", namespace="elsewhere"): "0+1000x20",
    }
    query = bounded_ratio(errors(SERVED), BY_POD.of_canary, WindowRatio(120, 100))
    [answer] = promtool.ask(samples, [(query, 300)])
    assert answer == pytest.approx(result)
    assert verdict(harm(0.2), answer) == judged


def test_ratio_without_one_event_is_zero_and_not_missing(promtool):
    samples = {own_series("sluice_predictions_total", "c"): "0+20x20"}
    query = bounded_ratio(outcome(SERVED, "ctr"), BY_VERSION.of_canary, WindowRatio(120, 100))
    [answer] = promtool.ask(samples, [(query, 300)])
    assert answer == [0.0]
    assert verdict(threshold(">=", 0.03, "pause"), answer) == "Failed"


@pytest.mark.parametrize("samples", [{}, {own_series("sluice_predictions_total", "c"): "0x20"}])
def test_ratio_without_traffic_is_left_to_the_policy(promtool, samples):
    query = bounded_ratio(outcome(SERVED, "ctr"), BY_VERSION.of_canary, WindowRatio(120, 1))
    [answer] = promtool.ask(samples, [(query, 300)])
    assert answer == []
    assert [verdict(threshold(">=", 0.03, policy), answer) for policy in ("fail", "pause", "pass")] == [
        "Failed",
        "Inconclusive",
        "Successful",
    ]


def test_ratio_needs_a_floor():
    with pytest.raises(ValueError, match="at least one"):
        WindowRatio(120, 0)


@pytest.mark.parametrize(
    ("canary", "stable_events", "result", "judged"),
    [
        (100, 10, [4000.0], "Successful"),
        (50, 10, [2000.0], "Inconclusive"),
        (100, 1, [], "Inconclusive"),
        (100, None, [], "Inconclusive"),
        (None, 10, [], "Inconclusive"),
        (0, 10, [0.0], "Inconclusive"),
    ],
)
def test_enough_evidence(promtool, canary, stable_events, result, judged):
    flows = {
        own_series("sluice_predictions_total", "c"): canary,
        own_series("sluice_predictions_total", "s"): 1000,
        own_series("sluice_outcomes_total", "s", ',outcome="ctr"'): stable_events,
        own_series("sluice_outcomes_total", "s", ',outcome="other"'): 1000,
    }
    samples = {name: f"0+{flow}x40" for name, flow in flows.items() if flow is not None}
    query = canary_requests(outcome(SERVED, "ctr"), BY_VERSION, CanaryRequests(600, 200))
    [answer] = promtool.ask(samples, [(query, 600)])
    assert answer == pytest.approx(result)
    assert verdict(proof(">=", 3000), answer) == judged


@pytest.mark.parametrize(
    ("series", "result", "judged"),
    [
        ("0+1x40", [0.01], "Successful"),
        ("0+1x5 5x35", [0.0], "Successful"),  # reported before, none in the window
        ("0x40", [], "Inconclusive"),
        (None, [], "Inconclusive"),
    ],
)
def test_no_report_at_all_is_no_data_where_fewer_are_better(promtool, series, result, judged):
    samples = {own_series("sluice_predictions_total", "c"): "0+100x40"}
    if series is not None:
        samples[own_series("sluice_outcomes_total", "c", ',outcome="complaints"')] = series
    # Reports of the stable version say nothing about those of the canary.
    samples[own_series("sluice_outcomes_total", "s", ',outcome="complaints"')] = "0+10x40"
    counted = outcome(SERVED, "complaints")
    heard = bounded_ratio(counted, BY_VERSION.of_canary, WindowRatio(120, 100, heard_s=600))
    enough = canary_requests(counted, BY_VERSION, CanaryRequests(600, 200, own_events=1))
    [answer, evidence] = promtool.ask(samples, [(heard, 600), (enough, 600)])
    assert answer == pytest.approx(result)
    assert verdict(threshold("<=", 0.05, "pause"), answer) == judged
    assert verdict(proof(">=", 3000), evidence) == judged


def test_evidence_counts_a_replaced_pod(promtool):
    samples = {
        own_series("sluice_predictions_total", "c", ',pod="old"'): "0+100x20 _x20",
        own_series("sluice_predictions_total", "c", ',pod="new"'): "_x20 0+100x20",
        own_series("sluice_outcomes_total", "s", ',outcome="ctr"'): "0+10x40",
    }
    query = canary_requests(outcome(SERVED, "ctr"), BY_VERSION, CanaryRequests(600, 200))
    [[value]] = promtool.ask(samples, [(query, 600)])
    assert value == pytest.approx(4000, rel=0.03)


def gauge_series(pod: str, arm: str, namespace: str = "shop") -> str:
    return f'age_seconds{{namespace="{namespace}",model="rec",served_by="{arm}",pod="{pod}"}}'


@pytest.mark.parametrize(
    ("largest", "expected", "judged"), [(True, 900.0, "Failed"), (False, 10.0, "Successful")]
)
def test_the_worst_pod_of_an_arm_decides(promtool, largest, expected, judged):
    samples = {
        gauge_series("a", "c"): "10x20",
        gauge_series("b", "c"): "30x5 900 30x14",
        gauge_series("c", "s"): "5000x20",
        gauge_series("d", "c", namespace="elsewhere"): "1x20",
    }
    query = worst_gauge(SERVED.gauge("age_seconds"), BY_VERSION.of_canary, 120, largest=largest)
    [answer] = promtool.ask(samples, [(query, 180)])
    assert answer == [expected]
    assert verdict(threshold("<=", 600, "fail"), answer) == judged


def test_a_gauge_that_is_not_exported_is_left_to_the_policy(promtool):
    query = worst_gauge(SERVED.pod_gauge("age_seconds"), BY_POD.of_canary, 120, largest=True)
    [answer] = promtool.ask({gauge_series("a", "c"): "10x20"}, [(query, 180)])
    assert answer == []
    assert verdict(threshold("<=", 600, "pause"), answer) == "Inconclusive"


@pytest.mark.parametrize(
    ("canary", "stable", "weight", "result"),
    [
        (None, 1000, 0.0, []),
        (0, 1000, 0.0, [0.0]),
        (10, 1000, 0.0, [200.0]),
        (
            50,
            950,
            0.05,
            [-3 * (0.05 / 0.95 * 20_000) ** 0.5],
        ),  # the share that the weight explains, and no more
        (150, 950, 0.05, [2000 - 3 * (0.05 / 0.95 * 22_000) ** 0.5]),
        (10, None, 0.05, [200 - 3 * (0.05 / 0.95 * 200) ** 0.5]),
    ],
)
def test_requests_of_a_cohort(promtool, canary, stable, weight, result):
    counts = {"c": canary, "s": stable}
    samples = {request_series(arm, "200"): f"0+{n}x40" for arm, n in counts.items() if n is not None}
    seen = CohortRequests(300, weight)
    [answer] = promtool.ask(samples, [(cohort_requests(errors(SERVED), BY_POD, seen), 300)])
    assert answer == pytest.approx(result)
    if canary is not None and weight:
        assert seen.of(20 * canary, 20 * (stable or 0)) == pytest.approx(answer[0])
