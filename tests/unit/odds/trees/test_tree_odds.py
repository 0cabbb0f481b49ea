"""The odds of trees: closed form against simulation, ranges, and what makes a verdict impossible."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from generator.lint import read_releases
from generator.odds.trees import chances
from generator.odds.trees import odds as tree
from generator.odds.trees.better import with_better
from generator.odds.trees.odds import tree_odds
from generator.odds.trees.simulation import simulated
from generator.odds.trees.values import Known
from tests.unit.odds.trees.examples import table
from tests.unit.odds.trees.trees import COMPARED, ERRORS, FORMS, SLOW, canary, only

KNOWN = Known(50.0, {"error": 0.01, "slow": 0.02})


@pytest.mark.parametrize("form", FORMS)
def test_the_closed_form_agrees_with_the_simulation(odds, monkeypatch, form):
    """Within the noise of 200 simulated releases and the documented error of the chain of overlapping windows."""
    watches = []
    real = chances.chance
    monkeypatch.setattr(
        "generator.odds.trees.odds.chance", lambda watch: watches.append(watch) or real(watch)
    )
    tree._numbers.cache_clear()
    found = only(odds(canary(*FORMS[form])))
    assert found.ground == "closed form", found
    assert len(watches) >= 3
    for watch in watches[:3]:
        power = math.fsum(stop.mass for stop in real(watch).stops)
        again = math.fsum(stop.mass for stop in simulated(watch, runs=200).stops)
        assert abs(power - again) < 0.05 + 3 * math.sqrt(0.25 / 200) * (0 < again < 1), (
            watch.times,
            power,
            again,
        )


def test_a_comparison_of_two_versions_is_simulated(odds):
    found = only(odds(canary(*COMPARED)))
    assert (found.measure.kind, found.ground) == ("comparison", "simulation")
    assert found.harms[2].power.low > 0.99 > found.false_stop.high


def test_more_traffic_makes_fewer_false_stops_and_more_catches(odds):
    text = canary(ERRORS, 'successCondition: "result[0] < 0.02"')
    few, many = (only(odds(text, Known(rps, {"error": 0.01}))) for rps in (20, 2000))
    assert many.false_stop.high < 1e-6 < few.false_stop.high
    assert many.harms[2].power.low > 0.999
    assert all(one.power.low <= two.power.low for one, two in zip(many.harms, many.harms[1:], strict=False))


def test_what_is_not_known_is_a_range_with_what_narrows_it(odds):
    text = canary(ERRORS, 'successCondition: "result[0] < 0.02"')
    wide, narrow = only(odds(text, Known())), only(odds(text))
    assert wide.false_stop.low <= narrow.false_stop.low <= narrow.false_stop.high <= wide.false_stop.high
    assert wide.false_stop.low < wide.false_stop.high
    assert ["--rps" in text or "--baseline error" in text for text in wide.assumed] == [True, True]
    assert narrow.assumed == ()


TRAPS = {
    "never fails": (ERRORS, 'successCondition: "result[0] < 0.02"', "{interval: 1m, count: 3, failureLimit: -1}"),
    "inconclusive for ever": (ERRORS, 'successCondition: "result[0] < 0.02"\n      failureCondition: "len(result) == 0"'),
    "sees both versions": (ERRORS.replace('service="cart-canary"', 'app="cart"'), 'successCondition: "result[0] < 0.02"'),
    "sees only the stable version": (ERRORS.replace("cart-canary", "cart"), 'successCondition: "result[0] < 0.02"'),
    "passes on nothing": (ERRORS, 'successCondition: "len(result) == 0 || result[0] < 0.02"'),
    "looks before there is data": (ERRORS, 'successCondition: "result[0] < 0.02"', "{interval: 1m}"),
    "decides too late": (ERRORS, 'successCondition: "result[0] < 0.02"', "{interval: 10m, failureLimit: 5}"),
    "fails good values": (ERRORS, 'successCondition: "result[0] > 0.02"'),
    "always fails": (ERRORS, 'successCondition: "result < 0.02"'),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_said(odds, trap):
    assert trap in {name for name, _ in only(odds(canary(*TRAPS[trap]))).traps}


_LIMIT = 'successCondition: "result[0] < 0.02"'
_RAW = 'successCondition: "len(result) == 0 || result[0] < 0.02"'
_MONITOR = """
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: cart, namespace: shop}
spec: {selector: {}, podMetricsEndpoints: [{interval: 15s}]}
"""
_FORGIVEN = "{interval: 10s, initialDelay: 54s, failureLimit: 1}"
_FROM_THE_SECOND_PAUSE = "analysis: {startingStep: 2, templates: [{templateName: quality}]}"


@pytest.mark.parametrize(
    ("steps", "timing", "late"),
    [
        ("[{setWeight: 50}, {pause: {duration: 35s}}]", _FORGIVEN, True),
        ("[{setWeight: 50}, {pause: {duration: 63s}}]", _FORGIVEN, True),
        ("[{setWeight: 50}, {pause: {duration: 64s}}]", _FORGIVEN, False),
        ("[{setWeight: 50}, {pause: {}}]", _FORGIVEN, False),  # as long as a person takes
        ("[{setWeight: 50}, {pause: {duration: 35s}}, {setWeight: 75}, {pause: {}}]", _FORGIVEN, False),
    ],
)
def test_a_metric_that_cannot_fail_before_the_promotion_is_said(odds, steps, timing, late):
    found = only(odds(canary(ERRORS, _LIMIT, timing, steps)))
    said = [text for trap, text in found.traps if trap == "decides too late"]
    assert bool(said) == late
    if late:
        assert said[0].startswith(
            "it can fail 1m 4s after the start at the earliest, and the release ends after "
        )
        assert found.harms[-1].power.high == 0


@pytest.mark.parametrize(
    ("first", "last", "late"), [("{}", "{duration: 29s}", True), ("{duration: 1h}", "{}", False)]
)
def test_a_pause_before_the_run_starts_gives_it_no_time(odds, first, last, late):
    steps = f"[{{setWeight: 10}}, {{pause: {first}}}, {{setWeight: 50}}, {{pause: {{duration: 35s}}}}, {{pause: {last}}}]"
    text = canary(ERRORS, _LIMIT, "{interval: 10s, initialDelay: 55s, failureLimit: 1}", steps)
    text = text.replace("analysis: {templates: [{templateName: quality}]}", _FROM_THE_SECOND_PAUSE)
    assert ("decides too late" in {trap for trap, _ in only(odds(text)).traps}) == late


@pytest.mark.parametrize(
    ("condition", "hold", "late"),
    [
        (
            _RAW,
            "29s",
            True,
        ),  # the second sample comes after 15 s at the earliest, so the measurement after 20 s can fail
        (_RAW, "30s", False),
        ('successCondition: "len(result) > 0 && result[0] < 0.02"', "15s", False),  # none is a failure
    ],
)
def test_a_measurement_without_data_is_no_first_verdict(odds, condition, hold, late):
    steps = f"[{{setWeight: 50}}, {{pause: {{duration: {hold}}}}}]"
    text = canary(ERRORS, condition, "{interval: 10s, failureLimit: 1}", steps) + _MONITOR
    assert ("decides too late" in {trap for trap, _ in only(odds(text)).traps}) == late


def test_a_sound_metric_has_no_trap(odds):
    assert only(odds(canary(ERRORS, 'successCondition: "result[0] < 0.02"'))).traps == ()


def test_a_quantile_that_is_compared_as_a_whole_has_no_better_limit(odds):
    found = odds(canary(SLOW, 'successCondition: "result <= 0.3"'))
    assert only(found).traps[0][0] == "always fails"
    assert only(with_better(found, KNOWN)).better is None


def test_what_sluice_rendered_has_its_odds_in_the_plan(odds):
    """Its own queries are not of a form that is recognized here, and their verdicts follow from other steps."""
    labels = "{app.kubernetes.io/managed-by: sluice, app.kubernetes.io/part-of: shop, sluice.dev/model: cart}"
    own = canary(ERRORS, 'successCondition: "true"')
    found = only(odds(own.replace("namespace: shop}", f"namespace: shop, labels: {labels}}}", 1)))
    assert "`sluice plan shop/cart`" in found.why
    assert (found.measure.kind, found.traps, found.false_stop) == ("unknown", (), None)
    assert only(odds(own)).traps


def test_errors_before_the_data_abort(odds):
    """Five measurements in a row, ten seconds apart, without a result: the second scrape comes after 30 to 60 s."""
    text = canary(ERRORS, 'successCondition: "result[0] < 0.5"', "{interval: 1m}")
    assert only(odds(text)).false_stop.high == pytest.approx(2 / 3, abs=0.01)


def test_a_limit_that_is_never_reached_needs_no_simulation(odds):
    text = canary(
        ERRORS,
        'successCondition: "result[0] < 0.02"',
        "{interval: 1s, initialDelay: 3m, failureLimit: 999999}",
    )
    found = only(odds(text))
    assert (found.ground, found.false_stop.high, found.harms[2].power.high) == ("closed form", 0.0, 0.0)


def test_a_simulation_of_many_measurements_is_bounded_and_says_so(odds):
    text = canary(*COMPARED, "{interval: 4s, initialDelay: 3m, failureLimit: 1}")
    found = only(odds(text))
    assert found.ground == "simulation"
    assert "93 simulated releases: give or take 11 points" in found.assumed
    found = only(odds(text.replace("interval: 4s", "interval: 1s")))
    assert found.why.startswith("it has up to 1,021 measurements")
    assert found.false_stop is None


def test_flagger_counts_failed_checks_of_all_metrics(tmp_path):
    (tmp_path / "tree.yaml").write_text("""
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: cart, namespace: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: cart}
  analysis:
    interval: 1m
    threshold: 3
    maxWeight: 50
    stepWeight: 10
    metrics:
      - {name: request-success-rate, thresholdRange: {min: 98}, interval: 1m}
      - {name: request-duration, thresholdRange: {max: 500}, interval: 1m}
""")
    (release,) = tree_odds(read_releases(tmp_path), Known(100.0, {"error": 0.001, "slow": 0.001})).releases
    assert [stage.label for stage in release.release.stages] == ["10%", "20%", "30%", "40%", "50%"]
    assert [one.measure.kind for one in release.metrics] == ["share", "quantile"]
    assert release.false_stop.high < 0.01
    (release,) = tree_odds(read_releases(tmp_path), Known(100.0, {"error": 0.05, "slow": 0.001})).releases
    assert release.false_stop.low > 0.99


def test_kserve_has_no_metric_that_stops(tmp_path):
    (tmp_path / "tree.yaml").write_text("""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: cart}
spec: {predictor: {canaryTrafficPercent: 10}}
""")
    (release,) = tree_odds(read_releases(tmp_path), KNOWN).releases
    assert (release.metrics, release.false_stop, release.release.waits) == ((), None, True)


def test_the_page_shows_what_the_advice_of_others_is_worth():
    page = Path(__file__).parents[4] / "docs/odds.md"
    assert table() in page.read_text(encoding="utf-8"), "python -m tests.unit.odds.trees.examples"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "a"}, %s}'),
        ("a.yaml", "{apiVersion: serving.kserve.io/v1beta1, kind: InferenceService, metadata: {name: a}, %s}"),
        ("b.yaml", "apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: serving.kserve.io/v1beta1,\n     kind: 'InferenceService', metadata: {name: a}, %s}"),
        ("c.yaml", "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceServiceList\nitems: [{metadata: {name: a}, %s}]"),
    ],
)  # fmt: skip
def test_a_release_is_found_in_every_notation(tmp_path, name, text):
    (tmp_path / name).write_text(text % '"spec": {"predictor": {"canaryTrafficPercent": 10}}')
    assert len(read_releases(tmp_path).releases) == 1


@pytest.mark.parametrize(
    "steps",
    ["[{setWeight: 5000}, {pause: {duration: -10m}}, {setWeight: -3}, {pause: {duration: 9000h}}]", "[1, null, {setWeight: x}, {analysis: []}]"],
)  # fmt: skip
def test_steps_that_the_controller_refuses_are_no_exception(odds, steps):
    odds(canary(ERRORS, 'successCondition: "result[0] < 0.02"', steps=steps))
