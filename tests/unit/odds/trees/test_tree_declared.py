"""Values that no model gives: gauges and other providers, with a declared baseline or a replay."""

from __future__ import annotations

import math

import pytest

from generator.lint import read_releases
from generator.odds.trees import chances
from generator.odds.trees import odds as tree
from generator.odds.trees.odds import tree_odds
from generator.odds.trees.simulation import simulated
from generator.odds.trees.values import LARGEST_RPS, LARGEST_VALUE, SMALLEST_RPS, Known, Replay, Span
from generator.source.errors import UserError
from generator.stats.normal import normal_cdf
from tests.unit.odds.trees.trees import canary

QUEUE = 'max(queue_length{service="cart-canary"})'
BELOW_90 = 'successCondition: "result[0] < 90"'
ONCE = "{interval: 1m, count: 1, initialDelay: 3m}"


def provided(name, settings, conditions, timing=ONCE):
    """A Rollout with one background metric of another provider."""
    text = canary("up", conditions, timing)
    return f"{text.partition('      provider:')[0]}      provider: {{{name}: {settings}}}\n"


@pytest.fixture
def only(tmp_path):
    def of(text, known=None):
        (tmp_path / "tree.yaml").write_text(text)
        (release,) = tree_odds(read_releases(tmp_path), known or Known()).releases
        (metric,) = release.metrics
        return metric

    return of


def queue(low, high):
    return Known(50.0, ranges={"queue_length": Span(low, high)})


def test_a_gauge_has_odds_only_where_its_values_are_declared(only):
    found = only(canary(QUEUE, BELOW_90, ONCE))
    assert found.false_stop is None
    assert "`--baseline queue_length=LOW..HIGH`" in found.why
    assert "`--prometheus`" in found.why
    found = only(canary(QUEUE, BELOW_90, ONCE), queue(40, 90))
    assert (found.why, found.ground, found.limit) == ("", "closed form", 90)
    # A range of 95% that ends at the limit leaves 2.5% beyond it.
    assert found.false_stop.low == found.false_stop.high == pytest.approx(0.025, abs=1e-6)
    mean, spread = 65.0, 50 / 3.919928
    assert found.harms[0].power.low == pytest.approx(1 - normal_cdf((90 - 1.5 * mean) / (1.5 * spread)))
    assert found.harms[2].power.low > 0.999


def test_several_measurements_are_between_independent_and_alike(only):
    found = only(
        canary(QUEUE, BELOW_90, "{interval: 1m, count: 10, failureLimit: 0, initialDelay: 3m}"), queue(40, 90)
    )
    assert found.false_stop.low == pytest.approx(0.025, abs=1e-6)
    assert found.false_stop.high == pytest.approx(1 - 0.975**10, abs=1e-6)
    assert "measurements of quality between independent and all alike" in found.assumed


def test_a_single_number_leaves_the_spread_open(only):
    found = only(canary(QUEUE, BELOW_90, ONCE), Known(50.0, {"queue_length": 70.0}))
    spread = 70 / 3.919928
    assert (found.false_stop.low, found.false_stop.high) == (0.0, pytest.approx(1 - normal_cdf(20 / spread)))
    assert any("(--baseline quality=LOW..HIGH)" in text for text in found.assumed)


def test_a_value_that_fails_when_it_is_low_is_harmed_by_less(only):
    text = canary('min(free_slots{service="cart-canary"})', 'successCondition: "result[0] > 10"', ONCE)
    found = only(text, Known(50.0, ranges={"free_slots": Span(20, 30)}))
    assert found.false_stop.high < 1e-6
    assert found.harms[0].power.high < 0.01
    assert found.harms[2].power.low > 0.999


def test_a_gauge_of_both_versions_has_no_harms(only):
    found = only(canary('max(queue_length{app="cart"})', BELOW_90, ONCE), queue(40, 90))
    assert (found.harms, found.false_stop.high) == ((), pytest.approx(0.025, abs=1e-6))
    assert any("of both versions is not known" in text for text in found.assumed)


USUAL_TIMING = "{interval: 1m, initialDelay: 3m, failureLimit: 2}"


@pytest.mark.parametrize(("conditions", "timing"), [
    ('successCondition: "result[0] > 40 && result[0] < 90"', USUAL_TIMING),
    ('failureCondition: "len(result) > 0 && result[0] >= 90"', USUAL_TIMING),
    ('successCondition: "result[0] < 80"\n      failureCondition: "result[0] > 95"', "{interval: 1m, failureLimit: 1, inconclusiveLimit: 2}"),
    (BELOW_90, "{interval: 20s, failureLimit: 1}"),
    (BELOW_90, "{interval: 2m, initialDelay: 3m, failureLimit: 3, consecutiveSuccessLimit: 3}"),
])  # fmt: skip
def test_the_closed_form_of_declared_values_agrees_with_the_simulation(only, monkeypatch, conditions, timing):
    watches, real = [], chances.chance
    monkeypatch.setattr(
        "generator.odds.trees.odds.chance", lambda watch: watches.append(watch) or real(watch)
    )
    tree._numbers.cache_clear()
    only(canary(QUEUE, conditions, timing), queue(40, 90))
    assert {watch.alike for watch in watches} == {False, True}
    for watch in watches[:2]:
        one, other = real(watch), simulated(watch, runs=400, seed=3)
        power, again = (math.fsum(stop.mass for stop in found.stops) for found in (one, other))
        assert abs(power - again) < 0.1
        assert abs(one.paused - other.paused) < 0.1


@pytest.mark.parametrize(("name", "settings", "conditions", "key"), [
    ("datadog", "{query: 'avg:app.latency{*}'}", 'successCondition: "result < 90"', "LOW..HIGH"),
    ("wavefront", "{query: 'ts(latency)'}", 'successCondition: "result < 90"', "LOW..HIGH"),
    ("graphite", "{query: latency}", BELOW_90, "LOW..HIGH"),
    ("influxdb", "{query: latency}", BELOW_90, "LOW..HIGH"),
    ("newRelic", "{query: SELECT 1}", 'successCondition: "result.errors < 0.1"', "=1%"),
    ("cloudWatch", "{}", 'successCondition: "all(result[0].Values, {# <= 0.01})"', "=1%"),
    ("skywalking", "{query: x}", 'successCondition: "result.value.values[0] < 1"', "=1%"),
    ("web", "{url: 'http://a', jsonPath: '{$.ok}'}", 'successCondition: "result == \\"yes\\""', "=1%"),
    ("web", "{url: 'http://a', jsonPath: '{$.score}'}", 'successCondition: "result < 90"', "LOW..HIGH"),
    ("job", "{spec: {}}", "", "=1%"),
    ("kayenta", "{application: a}", "", "=1%"),
    ("plugin", "{org/thing: {}}", 'successCondition: "result.ok"', "=1%"),
])  # fmt: skip
def test_every_other_provider_is_unknown_with_what_would_narrow_it(only, name, settings, conditions, key):
    text = provided(name, settings, conditions)
    found = only(text)
    assert (found.measure.kind, found.false_stop) == ("unknown", None)
    assert f"--baseline quality={key.lstrip('=')}" in found.why
    if key == "LOW..HIGH":
        found = only(text, Known(50.0, ranges={"quality": Span(40, 90)}))
        assert (found.measure.kind, found.false_stop.high) == ("gauge", pytest.approx(0.025, abs=1e-6))
        assert found.harms[2].power.low > 0.999
        assert "quality measures the new version only" in found.assumed
    else:
        found = only(text, Known(50.0, {"quality": 0.03}))
        assert (found.measure.kind, found.harms) == ("verdict", ())
        assert found.false_stop.high == found.false_stop.low == pytest.approx(0.03)


def test_a_baseline_of_another_metric_declares_nothing(only):
    text = provided("job", "{spec: {}}", "")
    assert only(text, Known(50.0, {"other": 0.03}, {"error": Span(1, 2)})).measure.kind == "unknown"


def test_a_datadog_metric_of_flagger_is_not_an_error_for_every_value(tmp_path):
    (tmp_path / "tree.yaml").write_text("""
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: cart, namespace: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: cart}
  analysis:
    interval: 1m
    threshold: 1
    stepWeight: 50
    maxWeight: 100
    metrics: [{name: latency, templateRef: {name: latency}, thresholdRange: {max: 90}}]
---
apiVersion: flagger.app/v1beta1
kind: MetricTemplate
metadata: {name: latency, namespace: shop}
spec: {provider: {type: datadog}, query: 'avg:latency{*}'}
""")
    known = Known(50.0, ranges={"latency": Span(40, 90)})
    (release,) = tree_odds(read_releases(tmp_path), known).releases
    (metric,) = release.metrics
    assert [trap for trap, _ in metric.traps] == []
    assert (metric.measure.kind, metric.ground) == ("gauge", "simulation")
    assert 0.005 < metric.false_stop.low < metric.false_stop.high < 0.12


def test_a_replay_gives_a_gauge_odds_with_the_uncertainty_of_its_windows(only):
    text = canary(QUEUE, BELOW_90, "{interval: 1m, initialDelay: 3m, failureLimit: 1}")
    past = Replay(100, {1.0: (60.0, 120.0), 1.5: (60.0,) * 50, 2.0: (0.0,) * 100, 5.0: (0.0,) * 100})
    found = only(text, Known(50.0, replays={"quality": past}))
    assert (found.why, found.ground) == ("", "replay")
    assert found.false_stop.low < 0.02 < found.false_stop.high < 0.08
    assert found.harms[0].power.low < 0.5 < found.harms[0].power.high
    assert found.harms[1].mean_s == Span(180.0, 180.0)
    assert found.harms[1].by_stage[0].low > 0.95
    assert "as in 100 windows of its history" in found.assumed[0]


@pytest.mark.parametrize(
    "given",
    [
        *({"rps": rps} for rps in (0.0, -1.0, 1e308, math.inf, math.nan, LARGEST_RPS * 2, SMALLEST_RPS / 2)),
        *({"baselines": {"error": value}} for value in (math.inf, -math.inf, math.nan, LARGEST_VALUE * 2)),
        *(
            {"ranges": {"queue": Span(low, high)}}
            for low, high in ((0, math.inf), (-math.inf, 0), (math.nan, 1))
        ),
    ],
)
def test_numbers_that_no_service_has_are_refused(given):
    with pytest.raises(UserError, match="odds are computed"):
        Known(**given)


@pytest.mark.parametrize("rps", [SMALLEST_RPS, LARGEST_RPS])
def test_the_largest_and_the_smallest_numbers_have_odds(only, rps):
    share = canary(
        "sum(rate(http_errors_total[5m])) / sum(rate(http_requests_total[5m]))",
        "failureCondition: result[0] > 0.02",
        ONCE,
    )
    widest = Known(rps, ranges={"queue_length": Span(-LARGEST_VALUE, LARGEST_VALUE)})
    known = (Known(rps, {"error": 1e-30}), Known(rps, {"error": 0.999999}))
    found = [only(share, one) for one in known] + [only(canary(QUEUE, BELOW_90, ONCE), widest)]
    for one in found:
        assert one.why == ""
        assert 0 <= one.false_stop.low <= one.false_stop.high <= 1
