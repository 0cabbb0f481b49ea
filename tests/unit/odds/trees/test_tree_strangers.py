"""Releases as strangers write them: what they measure, what they are worth, and what is said to be unknown."""

from __future__ import annotations

import pytest

from generator.lint import read_releases
from generator.odds.trees.better import with_better
from generator.odds.trees.values import Known
from generator.report.trees.words import guard, headline
from tests.unit.odds.trees.trees import ALL, ERRORS, canary, only, rollout, template

KNOWN = Known(100.0)
PASSES = 'successCondition: "result[0] < 0.05"'
STEP = "{templates: [{templateName: quality}]}"
FINITE = "interval: 1m\n      count: 5"
BY_HASH = ERRORS.replace('service="cart-canary"', 'hash="{{args.hash}}"')


def stepped(analysis, metric=None, before="{setWeight: 20}, {pause: {duration: 10m}}"):
    """A Rollout with an analysis step."""
    metric = metric or template(ERRORS, PASSES, FINITE)
    return rollout("", f"[{before}, {{analysis: {analysis}}}]") + metric


def traps(metric):
    return [name for name, _ in metric.traps]


@pytest.mark.parametrize("pattern", ["qual.*", "lit", ".*", "^quality$"])
def test_a_dry_run_is_named_by_a_regular_expression(odds, pattern):
    found = odds(
        stepped(f"{{templates: [{{templateName: quality}}], dryRun: [{{metricName: '{pattern}'}}]}}")
    )
    assert traps(only(found)) == ["ignored"]
    assert headline(found.releases[0]).startswith("nothing decides: every metric is a dry run")


@pytest.mark.parametrize("pattern", ["errors", "^qual$", "*"])
def test_a_rule_that_names_no_metric_makes_no_dry_run(odds, pattern):
    found = odds(
        stepped(f"{{templates: [{{templateName: quality}}], dryRun: [{{metricName: '{pattern}'}}]}}")
    )
    assert only(found).false_stop is not None
    assert "ignored" not in traps(only(found))


def test_a_scalar_is_compared_as_a_number(odds):
    """Without series it is NaN, which fails instead of being an Error."""
    found = only(odds(canary(f"scalar({ERRORS})", 'successCondition: "result < 0.02"')))
    assert (found.limit, "always fails" in traps(found)) == (0.02, False)
    listed = only(odds(canary(f"scalar({ERRORS})", 'successCondition: "result[0] < 0.02"')))
    assert "always fails" in traps(listed)


def test_errors_that_must_be_many_stop_every_good_version(odds):
    """The success rate's limit on a query of errors: what is usual does not follow from it."""
    found = only(odds(canary(ERRORS, 'successCondition: "result[0] >= 0.95"')))
    assert traps(found) == ["fails good values"]
    assert found.false_stop.low > 0.999
    assert found.harms[2].power.low > 0.999


@pytest.mark.parametrize("moved", ["offset 1w", "offset -1w", "@ 1609746000"])
def test_a_comparison_with_the_past_is_unknown(odds, moved):
    query = f"{ALL} / {ALL.replace('[2m]', f'[2m] {moved}')}"
    found = only(odds(canary(query, 'successCondition: "result[0] < 1.2"')))
    assert found.measure.kind == "unknown"
    assert found.why.startswith("it compares two times")


def test_a_query_that_looks_back_as_a_whole_is_recognized(odds):
    found = only(odds(canary(ERRORS.replace("[2m]", "[2m] offset 1m"), PASSES)))
    assert found.measure.kind == "share"


def test_the_names_of_pods_hold_the_hash(odds):
    query = 'sum(container_memory_usage_bytes{pod=~"cart-{{args.hash}}-.*"})'
    args = "templates: [{templateName: quality}], args: [{name: hash, valueFrom: {podTemplateHashValue: Latest}}]"
    metric = template(query, 'successCondition: "result[0] < 9"', FINITE).replace(
        "spec:", "spec:\n  args: [{name: hash}]"
    )
    assert only(odds(stepped(f"{{{args}}}", metric))).measure.arm == "canary"
    stable = stepped(f"{{{args.replace('Latest', 'Stable')}}}", metric.replace("pod=~", "pod_hash=~"))
    assert only(odds(stable)).measure.arm == "stable"


def test_a_run_without_the_value_of_an_argument_has_no_odds(odds):
    metric = template(BY_HASH, PASSES, FINITE).replace("spec:", "spec:\n  args: [{name: hash}]")
    passed = "{templates: [{templateName: quality}], args: [{name: %s, valueFrom: {podTemplateHashValue: Latest}}]}"
    found = only(odds(stepped(passed % "hsah", metric)))
    assert found.why == "nothing gives hash a value, so its run can't start"
    assert only(odds(stepped(passed % "hash", metric))).false_stop is not None


def test_what_a_missing_template_decides_is_unknown(odds):
    found = odds(stepped("{templates: [{templateName: success-rate}]}"))
    (release,) = found.releases
    assert headline(release) == "what decides is unknown: AnalysisTemplate success-rate is not in the tree"


def test_metrics_without_odds_are_counted_in_the_headline(odds):
    metric = template(ERRORS, PASSES, FINITE) + template("up", PASSES, FINITE, name="other")
    found = odds(stepped("{templates: [{templateName: quality}, {templateName: other}]}", metric))
    assert headline(found.releases[0]).endswith("; 1 of its 2 metrics has no odds")
    assert "no odds" not in headline(odds(stepped(STEP)).releases[0])


def test_a_limit_with_a_gap_has_what_is_usual_below_it(odds):
    conditions = 'successCondition: "result[0] < 0.01"\n      failureCondition: "result[0] > 0.05"'
    found = only(odds(canary(ERRORS, conditions)))
    assert "error between 0.1% and 0.5% (--baseline error=…)" in found.assumed


MATCH = "{name: some, match: [{headerName: x, headerValue: {exact: '1'}}]}"


@pytest.mark.parametrize(
    ("before", "seen"),
    [
        ("{setCanaryScale: {replicas: 1}}, {pause: {duration: 9m}}", "none"),
        (f"{{setCanaryScale: {{replicas: 1}}}}, {{setHeaderRoute: {MATCH}}}, {{pause: {{duration: 9m}}}}", "some"),
        ("{setMirrorRoute: {name: m, percentage: 35, match: [{method: {exact: GET}}]}}, {pause: {duration: 9m}}", "some"),
        ("{setMirrorRoute: {name: m, percentage: 35, match: [{path: {prefix: /}}]}}, {pause: {duration: 9m}}", "copies"),
        (f"{{setHeaderRoute: {MATCH}}}, {{pause: {{duration: 9m}}}}, {{setHeaderRoute: {{name: some}}}}, {{setWeight: 5}}, {{pause: {{duration: 9m}}}}", "weight"),
    ],
)  # fmt: skip
def test_requests_before_the_first_weight(odds, before, seen):
    found = odds(stepped(STEP, before=before))
    metric, stages = only(found), found.releases[0].release.stages
    if seen == "some":
        assert metric.why.startswith("only requests that match a header or a path")
        assert traps(metric) == []
    elif seen == "none":
        assert traps(metric) == ["sees no traffic"]
    else:
        assert metric.false_stop.high < 0.01
        assert traps(metric) == []
    assert [stage.label for stage in stages][-1] == {
        "some": "0% + matched", "none": "0%", "copies": "0% + 35% mirrored", "weight": "5%"
    }[seen]  # fmt: skip


EXPERIMENT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: cart, namespace: shop}}
spec:
  replicas: 4
  template: {{metadata: {{labels: {{app: cart}}}}}}
  strategy:
    canary:
      steps:
        - experiment:
            duration: 20m
            templates: [{{name: old, specRef: stable}}, {{name: new, specRef: canary{labels}}}]
            analyses: [{{name: quality, templateName: quality}}]
---
apiVersion: v1
kind: Service
metadata: {{name: cart, namespace: shop}}
spec: {{selector: {{app: cart}}}}
---
"""


def test_pods_of_an_experiment_answer_behind_the_service_that_selects_them(odds):
    """Four pods of the Rollout, one of each version of the experiment: a sixth of the requests."""
    metric = template(ERRORS, PASSES, f"{FINITE}\n      initialDelay: 3m")
    (release,) = odds(EXPERIMENT.format(labels="") + metric).releases
    assert [stage.weight for stage in release.release.stages] == [pytest.approx(1 / 6)]
    assert release.metrics[0].false_stop.high < 0.01
    (release,) = odds(EXPERIMENT.format(labels=", metadata: {labels: {app: trial}}") + metric).releases
    assert [stage.weight for stage in release.release.stages] == [0.0]
    assert traps(release.metrics[0]) == ["sees no traffic"]
    assert release.metrics[0].false_stop is None


def test_users_do_not_call_the_preview_before_the_switch(odds):
    text = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: cart, namespace: shop}
spec:
  strategy:
    blueGreen:
      activeService: cart
      previewService: cart-canary
      prePromotionAnalysis: {templates: [{templateName: quality}]}
      postPromotionAnalysis: {templates: [{templateName: quality}]}
---
"""
    (release,) = odds(text + template(ERRORS, PASSES, FINITE)).releases
    before, after = release.metrics
    assert (traps(before), before.false_stop) == (["sees no traffic"], None)
    assert after.metric.moment == "post"
    assert headline(release).endswith("; 1 of its 2 metrics has no odds")


def test_a_duration_that_the_controller_refuses_is_said(odds):
    found = odds(stepped(STEP, before="{setWeight: 20}, {pause: {duration: 1d}}, {pause: {duration: 1h30m}}"))
    assert found.releases[0].release.notes == (
        "step 2: the controller refuses the duration `1d`, which is read as 0 here",
    )
    assert sum(stage.seconds for stage in found.releases[0].release.stages) == 5400 + 240


def test_the_guard_for_a_share_of_a_bucket_has_the_bound_of_the_bucket(odds):
    query = 'sum(rate(s_seconds_bucket{service="cart-canary",le="0.3"}[2m])) / sum(rate(s_seconds_bucket{service="cart-canary",le="+Inf"}[2m]))'
    found = with_better(
        odds(stepped(STEP, template(query, 'successCondition: "result[0] > 0.98"', FINITE))), KNOWN
    )
    assert "slowerThan: 300ms" in guard(only(found))


def test_no_proposal_for_what_would_catch_nothing_either(odds):
    """Until the approval nothing is known, and behind it half a minute is left."""
    steps = "[{setWeight: 20}, {pause: {}}, {setWeight: 60}, {pause: {duration: 20s}}]"
    found = with_better(odds(canary(ERRORS, PASSES, "{interval: 1m, failureLimit: 3}", steps)), KNOWN)
    assert only(found).better is None


def test_several_series_are_said_and_get_no_limit_on_the_first(odds):
    query = ERRORS.replace("sum(", "sum by (pod) (")
    found = with_better(
        odds(stepped(STEP, template(query, "successCondition: 'all(result, # < 0.05)'", FINITE))), KNOWN
    )
    assert "one series in the result: of several, any may fail" in only(found).assumed
    assert only(found).better.metric is None


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        (f"({ERRORS}) > 0.02", "len(result) == 0"),
        (f"({ERRORS}) > 0.02 or vector(0)", "result[0] == 0"),
        (f"({ERRORS}) <= 0.02", "len(result) == 1"),
        (f"({ERRORS}) > bool 0.02", "result[0] == 0"),
        (f"100 * ({ERRORS}) >= bool 2", "len(result) == 1 && result[0] < 1"),
    ],
)
def test_a_comparison_in_the_query_is_the_limit(odds, query, condition):
    plain = only(
        odds(canary(ERRORS, 'successCondition: "result[0] <= 0.02"'), Known(100.0, {"error": 0.015}))
    )
    found = only(odds(canary(query, f'successCondition: "{condition}"'), Known(100.0, {"error": 0.015})))
    assert found.limit == pytest.approx(0.02)
    assert found.false_stop.high == pytest.approx(plain.false_stop.high, abs=0.03)
    assert found.harms[2].power.low == pytest.approx(plain.harms[2].power.low, abs=0.03)
    assert "always fails" not in traps(found)


@pytest.mark.parametrize(
    ("query", "condition", "trap"),
    [
        (ERRORS, "result[0] < 5", "never fails"),
        (ERRORS, "result[0] <= 1", "never fails"),
        (f"100 * {ERRORS}", "result[0] < 200", "never fails"),
        (f"1 - {ERRORS}", "result[0] >= 95", "always fails"),
        (ERRORS, "result[0] < 0", "always fails"),
    ],
)
def test_a_limit_beyond_all_shares_decides_nothing(odds, query, condition, trap):
    assert trap in traps(only(odds(canary(query, f'successCondition: "{condition}"'))))
    near = condition.replace("5", "0.5") if "95" not in condition else "result[0] >= 0.95"
    near = {
        "result[0] <= 1": "result[0] < 1",
        "result[0] < 0": "result[0] <= 0",
        "result[0] < 200": "result[0] < 2",
    }.get(condition, near)
    assert trap not in traps(only(odds(canary(query, f'successCondition: "{near}"'))))


def test_a_run_that_ends_with_an_error_at_once_has_no_odds(odds):
    found = only(odds(stepped(STEP, template(ERRORS, PASSES, "count: 5"))))
    assert found.why == "5 measurements need an interval: its run ends with an Error at once"
    assert only(odds(stepped(STEP, template(ERRORS, PASSES, "count: 1")))).false_stop is not None


def test_a_range_query_is_not_read(odds):
    metric = template(ERRORS, PASSES, FINITE).replace(
        "prometheus:\n", "prometheus:\n          rangeQuery: {step: 1m}\n"
    )
    assert only(odds(stepped(STEP, metric))).why == "a range query gives values over time, which are not read"


@pytest.mark.parametrize(("first", "late"), [(3, False), (4, True)])
def test_the_background_starts_with_a_step(odds, first, late):
    text = canary(ERRORS, PASSES).replace("analysis: {", f"analysis: {{startingStep: {first}, ")
    said = [text for name, text in only(odds(text)).traps if name == "decides too late"]
    assert (said == ["its run starts after the last step"]) is late


def test_what_else_splits_requests_is_named(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {name: iris, namespace: ml}\n"
        "spec: {predictors: [{name: old, traffic: 90}, {name: new, traffic: 10}]}\n---\n"
        "apiVersion: argoproj.io/v1alpha1\nkind: Experiment\nmetadata: {name: trial, namespace: ml}\nspec: {}\n"
    )
    (text,) = read_releases(tmp_path).unread
    assert text.startswith("SeldonDeployment ml/iris in a.yaml, which splits requests")


@pytest.mark.parametrize(("strategy", "said"), [("null", True), ("{}", True), ("{canary: {}}", False)])
def test_a_rollout_without_a_strategy_is_named(tmp_path, strategy, said):
    text = f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: cart}}\nspec: {{strategy: {strategy}}}\n"
    (tmp_path / "a.yaml").write_text(text)
    found = read_releases(tmp_path)
    assert (len(found.releases), len(found.unread)) == ((0, 1) if said else (1, 0))


@pytest.mark.parametrize(("factor", "bound"), [("", "500s"), ("1000 * ", "500ms")])
def test_the_unit_of_a_latency_is_that_of_its_series(odds, factor, bound):
    query = (
        f'{factor}histogram_quantile(0.99, sum by (le) (rate(r_seconds_bucket{{service="cart-canary"}}[2m])))'
    )
    found = with_better(
        odds(stepped(STEP, template(query, 'successCondition: "result[0] < 500"', FINITE))), KNOWN
    )
    assert f"slowerThan: {bound}" in guard(only(found))


FLAGGER = """
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: cart, namespace: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: cart}
  analysis:
    interval: 1m
    threshold: 3
    iterations: 10
    metrics:
      - {name: request-success-rate, thresholdRange: {min: 98}, interval: 1m}
"""


def test_flagger_skips_the_analysis(odds):
    (release,) = odds(FLAGGER.replace("  targetRef", "  skipAnalysis: true\n  targetRef")).releases
    assert (release.metrics, release.release.stages) == ((), ())
    assert headline(release).startswith("nothing decides")


def test_copies_of_requests_are_measured(odds):
    (release,) = odds(FLAGGER.replace("iterations: 10", "iterations: 10\n    mirror: true")).releases
    (metric,) = release.metrics
    assert traps(metric) == []
    assert metric.harms[2].power.high > 0.9
    assert [stage.label for stage in release.release.stages] == ["mirror 100%"] * 10


def test_requests_with_a_header_are_an_unknown_part(odds):
    (release,) = odds(
        FLAGGER.replace("iterations: 10", "iterations: 10\n    match: [{headers: {x: {exact: y}}}]")
    ).releases
    (metric,) = release.metrics
    assert (traps(metric), metric.false_stop) == ([], None)
    assert metric.why.startswith("only requests that match a header or a path")
