"""Suggestions are for slips of the finger and for parts of names; a far word is worse than none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.source.suggest import did_you_mean, distance, misspelt, nearest

SPEC = [
    "tier",
    "model",
    "service",
    "traffic",
    "outcomes",
    "gates",
    "rollout",
    "replicas",
    "autoscaling",
    "resources",
    "accept",
    "environments",
]
SERVICE = [
    "inputs",
    "positive",
    "attributes",
    "maxRows",
    "timeout",
    "startup",
    "workers",
    "threads",
    "requirements",
    "python",
    "env",
]
ROLLOUT = ["strategy", "steps", "shadow", "guards", "risk", "noData", "approve", "preview", "watch"]

SLIPS = [
    ("teir", SPEC, "tier"), ("tir", SPEC, "tier"), ("Tier", SPEC, "tier"), ("tiers", SPEC, "tier"),
    ("gaets", SPEC, "gates"), ("gate", SPEC, "gates"), ("roll_out", SPEC, "rollout"), ("rolout", SPEC, "rollout"),
    ("RollOut", SPEC, "rollout"), ("replcias", SPEC, "replicas"), ("auto-scaling", SPEC, "autoscaling"),
    ("resorces", SPEC, "resources"), ("enviroments", SPEC, "environments"), ("outcome", SPEC, "outcomes"),
    ("max_rows", SERVICE, "maxRows"), ("maxrow", SERVICE, "maxRows"), ("timout", SERVICE, "timeout"),
    ("gaurds", ROLLOUT, "guards"), ("gaurd", ROLLOUT, "guards"), ("strtegy", ROLLOUT, "strategy"),
    ("no-data", ROLLOUT, "noData"), ("setps", ROLLOUT, "steps"), ("ikun", ["kind"], ""), ("iknd", ["kind"], "kind"),
    ("skleanr", ["sklearn", "onnx"], "sklearn"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "known", "meant"), SLIPS)
def test_slips_of_the_finger(word, known, meant):
    assert misspelt(word, known) == meant


FAR = [
    *((word, SPEC) for word in ("volumes", "routes", "route", "router", "steps", "tests", "features", "teams")),
    *((word, SPEC) for word in ("retries", "batching", "rate", "image", "labels", "x", "")),
    *((word, SERVICE) for word in ("readiness", "headers", "thresholds", "teams", "path", "environment", "routes")),
    *((word, ROLLOUT) for word in ("hosts", "tests", "args", "data", "pause", "analysis")),
    ("cat", ["dog", "bat", "act"]),
]  # fmt: skip


@pytest.mark.parametrize(("word", "known"), FAR)
def test_far_words_are_not_suggested(word, known):
    assert misspelt(word, known) in {"", "act"}


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("prod", ["production", "staging"], ["production"]),
        ("churn", ["shop/churn", "shop/ranker", "risk/churn-eu"], ["shop/churn", "risk/churn-eu"]),
        ("shop/chrun", ["shop/churn", "shop/ranker"], ["shop/churn"]),
        ("ch", ["shop/churn-eu"], []),
        ("classifier", ["support/ticket-classifier"], ["support/ticket-classifier"]),
        ("valdate", ["validate", "verify"], ["validate"]),
        ("CAN21", ["CAN210", "CAN102", "REF202"], ["CAN210"]),
    ],
)
def test_parts_of_names(word, known, expected):
    assert nearest(word, known, 3) == expected


def test_hints():
    assert did_you_mean("prod", ["staging", "production"]) == "did you mean `production`?"
    assert did_you_mean("gold", ["standard", "basic"]) == "known: basic, standard"
    assert did_you_mean("gold", []) == "known: none"
    assert did_you_mean("gold", list("abcdefghij"), "tiers") == "tiers: a, b, c, d, e, f, g, h and 2 more"


WORDS = st.text("abc", max_size=6)


@given(WORDS, WORDS)
def test_a_distance_is_symmetric_and_bounded(one, other):
    errors = distance(one, other)
    assert errors == distance(other, one)
    assert (errors == 0) == (one == other)
    assert abs(len(one) - len(other)) <= errors <= max(len(one), len(other))


@given(WORDS, st.integers(0, 5), st.sampled_from("abcz"))
def test_one_edit_is_one_error(word, at, letter):
    at = min(at, len(word))
    assert distance(word, word[:at] + letter + word[at:]) == 1
    assert distance(word, word[:at] + word[at + 1 :]) == (at < len(word))
    swapped = word[:at] + word[at : at + 2][::-1] + word[at + 2 :]
    assert distance(word, swapped) == (swapped != word)
