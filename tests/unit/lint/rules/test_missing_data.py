"""The hint for a result without data: conditions that, as they are written there, fail without data and pass with it."""

from __future__ import annotations

import re

import pytest

from generator.lint import measure_result
from generator.lint.verification import verify

ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: quality, namespace: store}}
spec:
  metrics:
    - name: quality
      interval: 1m
      count: 3
      {conditions}
      provider: {provider}
"""
PROMETHEUS = '{prometheus: {address: "http://prometheus:9090", query: "sum(rate(errors[5m]))"}}'
BY_POD = PROMETHEUS.replace("sum(", "sum by (pod) (")
DATADOG = '{datadog: {apiVersion: v2, query: "sum:errors{*}"}}'


def hints(tmp_path, conditions, provider):
    lines = "\n      ".join(f"{key}: {value!r}" for key, value in conditions.items())
    (tmp_path / "a.yaml").write_text(ROLLOUT.format(conditions=lines, provider=provider))
    return {finding.code: finding.hint for finding in verify(tmp_path).findings}


@pytest.mark.parametrize("provider", [PROMETHEUS, DATADOG])
@pytest.mark.parametrize(
    "conditions",
    [
        {"successCondition": "VALUE < 0.05"},
        {"successCondition": "VALUE < 0.05 || VALUE > 9"},
        {"successCondition": "VALUE > 9 ? true : VALUE < 0.05"},
        {"failureCondition": "VALUE >= 0.05"},
        {"failureCondition": "VALUE > 9 ? true : VALUE >= 0.05"},
        {"successCondition": "VALUE < 0.05", "failureCondition": "VALUE >= 0.05"},
    ],
)
def test_the_conditions_of_the_hint_fail_without_data(tmp_path, conditions, provider):
    scalar = provider == DATADOG
    written = {
        key: text.replace("VALUE", "result" if scalar else "result[0]") for key, text in conditions.items()
    }
    before = [measure_result(*_both(written), values, scalar=scalar) for values in ([], [0.01], [0.5])]
    assert before == ["Error", "Successful", "Failed"]
    hint, _, _ = hints(tmp_path, written, provider)["ANA408"].partition(";")
    better = re.findall("`([^`]+)`", hint)
    assert len(better) == len(written)
    repaired = dict(zip(written, better, strict=True))
    after = [measure_result(*_both(repaired), values, scalar=scalar) for values in ([], [0.01], [0.5])]
    assert after == ["Failed", "Successful", "Failed"]


def test_nil_is_an_error_even_behind_a_check():
    """Why the hint for Datadog is not `result != nil && …`: the controller compares the types first."""
    assert measure_result("result != nil && result < 0.05", "", [], scalar=True) == "Error"


def _both(conditions):
    return conditions.get("successCondition", ""), conditions.get("failureCondition", "")


def test_an_empty_result_that_passes_has_the_words_of_the_provider(tmp_path):
    found = hints(tmp_path, {"successCondition": "default(result, 0) < 0.01"}, DATADOG)
    assert found["ANA406"].startswith("Begin with `!isNil(result) &&`")
    found = hints(tmp_path, {"successCondition": "all(result, # < 0.01)"}, BY_POD)
    assert found["ANA406"] == "Require `len(result) > 0`."
    found = hints(tmp_path, {"successCondition": "all(result, # < 0.01)"}, PROMETHEUS)
    assert found["ANA406"] == "Require `len(result) == 1`."


def test_values_over_time_need_one_at_least(tmp_path):
    ranged = PROMETHEUS.replace("query:", "rangeQuery: {start: now(), end: now(), step: 1m}, query:")
    found = hints(tmp_path, {"successCondition": "all(result, # < 0.01)"}, ranged)
    assert found["ANA406"] == "Require `len(result) > 0`."


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("", "the fifth Error in a row aborts"),
        ("0", "the first Error aborts"),
        ("20", "21 Errors in a row abort"),
    ],
)
def test_the_errors_that_abort_are_counted(tmp_path, limit, words):
    conditions = {"successCondition": "result[0] < 0.05"} | (
        {"consecutiveErrorLimit": int(limit)} if limit else {}
    )
    hints(tmp_path, conditions, PROMETHEUS)
    (message,) = [finding.message for finding in verify(tmp_path).findings if finding.code == "ANA408"]
    assert message == f"a result without data is an Error, and {words} the release"


def test_a_condition_that_no_version_reads_is_one_finding(tmp_path):
    (tmp_path / "a.yaml").write_text(
        ROLLOUT.format(conditions="successCondition: all(result, # < 0.05)", provider=PROMETHEUS)
    )
    (finding,) = [finding for finding in verify(tmp_path).findings if finding.code == "ANA308"]
    assert finding.message == "the condition cannot be read: unexpected end"
    assert finding.hint == "Put the condition in quotes: in YAML ` #` begins a comment."
