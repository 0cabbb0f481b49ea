"""Red is looser and green is stricter, whatever is older."""

from __future__ import annotations

import pytest

from generator.plan.changes import Change
from generator.report.diffs.direction import amount, of_change, of_values

ONE = "len(result) == 1 && !isNaN(result[0]) && !isInf(result[0])"
LOOSER = [
    Change("guard", "ctr", "", "threshold drop of 10%", None),
    Change("guard", "ctr", "threshold", "drop of 10%", "drop of 20%"),
    Change("guard", "ctr", "threshold", "at least 4%", "at least 3.6%"),
    Change("guard", "slow-rate", "threshold", "at most 250ms", "at most 1s"),
    Change("guard", "ctr", "no data", "fail", "pause"),
    Change("guard", "ctr", "no data", "pause", "pass"),
    Change("gate", "accuracy", "", "tool metric", None),
    Change("gate", "accuracy", "at least", "0.92", "0.9"),
    Change("gate", "accuracy", "no worse by", "1%", "2%"),
    Change("gate", "accuracy", "at least", "0.92", None),
    Change("gate", "parity", "waiver", None, "until 2027-01-31"),
    Change("step", "1", "hold", "1h30m", "45m"),
    Change("step", "1", "requests", "100", "1"),
    Change("step", "1", "weight", "5%", "25%"),
    Change("step", "2", "", "weight 10%", None),
    Change("step", "2", "approval", "model-risk", None),
    Change("release", "", "approve", "manual", None),
    Change("release", "", "power", "80%", "50%"),
    Change("release", "", "max exposed", "1000", "5000"),
    Change("release", "", "max exposed", "1000", None),
    Change("release", "", "strategy", "canary", "blue-green"),
    Change("release", "", "no data", "pause", "pass"),
    Change("release", "", "watch", "10m", "2m"),
    Change("shadow", "", "percent", "20%", "5%"),
    Change("shadow", "", "hold", "1d", None),
    Change("guard", "slow-rate", "bound", "250ms", "2s"),
    Change("guard", "parity", "attributes", "age_band, 18-29, 30-49, gender, female", "gender, female"),
    Change("gate", "parity", "waiver", "until 2026-12-31 by a: b", "until 2027-06-30 by a: b"),
    Change("gate", "parity", "sensitive", "age_band, gender", "gender"),
    Change("gate", "parity", "min group", "200", "5000"),
    Change("gate", "drift", "alpha", "0.05", "0.001"),
    Change("gate", "drift", "drift", "features amount, hour", "features amount"),
    Change("gate", "quality", "against", "champion", None),
    Change("gate", "", "evidence asked in", "git and cluster", "cluster"),
    Change("delivery", "", "requires", "staging", None),
    Change("delivery", "gates", "watch", "29 5 * * *", None),
    Change("route", "feedback", "callers", "internal", "public"),
    Change("tier", "", "ceilings.firstWeight", "5%", "25%"),
    Change("tier", "", "ceilings.guards.error-rate.detect", "10%", None),
    Change("tier", "", "ceilings.power", "80%", "50%"),
    Change("tier", "", "requires.gates", "fairness, drift", "drift"),
    Change("tier", "", "requires.imageDigest", "yes", "no"),
    Change("tier", "", "requires.signed", "yes", None),
    Change("tier", "", "requires.noData", "fail", "fail, pause"),
    Change("live", "Rollout ranker", "hold at steps[0]", "1h0m0s", "60s"),
    Change("live", "Rollout ranker", "weight at steps[0]", "5", "25"),
    Change("live", "Rollout ranker", "steps[2] (live)", '{"pause": {}}', None),
    Change("live", "AnalysisTemplate ranker-guards", "guard ctr", '{"name": "ctr"}', None),
    Change("live", "AnalysisTemplate ranker-guards", "guard ctr.failureLimit", "0", "3"),
    Change("live", "AnalysisTemplate ranker-guards", "guard ctr.interval", "1m0s", "10m0s"),
    Change("live", "AnalysisTemplate ranker-watch", "guard ctr.count", "5", "3"),
    Change(
        "live",
        "A",
        "threshold of ctr (failure)",
        "len(result) == 1 && result[0] >= 3.9",
        "len(result) == 1 && result[0] >= 9",
    ),
    Change(
        "live", "A", "threshold of ctr (failure)", f"{ONE} && result[0] > 0.01", f"{ONE} && result[0] > 0.5"
    ),
    Change(
        "live", "A", "threshold of ctr (success)", f"{ONE} && result[0] >= 3000", f"{ONE} && result[0] >= 1"
    ),
    Change(
        "live",
        "A",
        "threshold of ctr (success)",
        f"{ONE} && result[0] < 1",
        f"len(result) == 0 || {ONE} && result[0] < 1",
    ),
    Change("live", "A", "threshold of ctr (failure)", f"{ONE} && result[0] > 0.01", None),
]


@pytest.mark.parametrize("change", LOOSER, ids=lambda change: change.text)
def test_what_is_looser_and_the_reverse_is_stricter(change):
    reverse = Change(change.topic, change.item, change.field, change.new, change.old)
    assert (of_change(change), of_change(reverse)) == ("looser", "stricter")


@pytest.mark.parametrize(
    "change",
    [
        Change("model", "", "version", "11", "12"),
        Change("model", "", "", None, "version 12"),
        Change("guard", "ctr", "threshold", "drop of 10%", "at most 5%"),
        Change("guard", "ctr", "baseline", "4%", "5%"),
        Change("step", "2", "approval", "model-risk", "lead"),
        Change("capacity", "", "cpu", "1", "2"),
        Change("release", "", "false rollback", "5%", "1%"),
        Change("gate", "parity", "sensitive", "age_band", "gender"),
        Change("live", "Rollout ranker", "image", "a:1", "a:2"),
        Change("live", "Rollout ranker", "replicas", "3", "1"),
        Change("live", "A", "query of ctr", "text of 900 characters (1)", "text of 900 characters (2)"),
        Change(
            "live", "A", "threshold of ctr (success)", f"{ONE} && result[0] < 1", f"{ONE} && result[0] > 1"
        ),
        Change("tier", "", "requires.gates", "fairness", "drift"),
    ],
    ids=lambda change: change.text,
)
def test_what_is_neither_safer_nor_less_safe_has_no_color(change):
    assert of_change(change) == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10%", 0.1), ("1pp", 0.01), ("1h30m", 5400), ("1h 30m", 5400), ("250ms", 0.25), ("512Mi", 2**29),
        ("5,000", 5000), ("-0.5", -0.5), ("manual", None), ("", None), ("v2", None), ("1.2.3", None),
    ],
)  # fmt: skip
def test_amounts_have_basic_units(text, number):
    assert amount(text) == (None if number is None else pytest.approx(number))


def test_a_number_that_is_not_known_has_no_direction():
    assert of_values(None, 1.0, 1) == of_values(1.0, None, 1) == of_values(1.0, 1.0, 1) == ""
    assert (of_values(1.0, 2.0, 1), of_values(1.0, 2.0, -1)) == ("worse", "better")
