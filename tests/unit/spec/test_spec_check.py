"""Structural mistakes: each is reported once, in its place, with what to write instead."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.source.reader import parse
from generator.spec.check import check
from generator.spec.model import ModelFile
from generator.spec.parsing import seconds
from generator.spec.platform import PlatformFile
from generator.spec.units import duration, percent
from tests.system.mutations import copy, walk
from tests.system.repositories import EXAMPLES, MODEL, PLATFORM
from tests.unit.cli.rich_spec import RICH

RECORDS = {"model": (ModelFile, MODEL), "platform": (PlatformFile, PLATFORM)}


def told(old: str, new: str, record: str = "model") -> list[tuple[str, str, str, str]]:
    kind, text = RECORDS[record]
    assert old in text
    document = parse(text.replace(old, new, 1).encode(), "s.yaml")
    assert document.findings == []
    _, findings = check(kind, document)
    return [
        (f.code, document.excerpt(f.place.line)[f.place.column - 1 :], f.message, f.hint) for f in findings
    ]


@pytest.mark.parametrize("record", RECORDS)
def test_what_is_right(record):
    kind, text = RECORDS[record]
    file, findings = check(kind, parse(text.encode(), "s.yaml"))
    assert file is not None
    assert findings == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/[a-z-]*[a-z].yaml")), ids=lambda path: path.name)
def test_the_examples_are_right_once_their_tier_has_spoken(path):
    if path.name.endswith(".lock.yaml"):
        return
    _, findings = check(ModelFile, parse(path.read_bytes(), "s.yaml"))
    assert findings == []


# What is replaced, by what; the code, where the finding points, and a word that message or hint must hold.
MISTAKES = [
    ("tier: basic", "teir: basic", "SPEC102", "teir", "`tier`"),
    ("rollout:", "roll_out:", "SPEC102", "roll_out", "`rollout`"),
    ("    steps:", "    no_data: pause\n    steps:", "SPEC102", "no_data", "`noData`"),
    ("    steps:", "    no-data: pause\n    steps:", "SPEC102", "no-data", "`noData`"),
    ("    steps:", "    NoData: pause\n    steps:", "SPEC102", "NoData", "`noData`"),
    ("hold: 10m", "held: 10m", "SPEC102", "held", "`hold`"),
    ("hold: 10m", "zzz: 10m, hold: 10m", "SPEC102", "zzz", "all keys that fit here are already set"),
    ("{weight: 5%, hold: 10m}", "{weight: 5%, hold: 10m}, {approve: lead, zzz: 1}", "SPEC102", "zzz", "all keys that fit here are already set"),
    ("    steps:", "    zzz: 1\n    steps:", "SPEC102", "zzz", "`shadow` (copied traffic before the first step)"),
    (", hold: 10m", "", "SPEC103", "{weight", "`hold`"),
    ("  tier: basic\n", "", "SPEC103", "spec", "`tier`"),
    ("weight: 5%", "weight: 5", "SPEC105", "5", "5%"),
    ("weight: 5%", "weight: 0%", "SPEC105", "0%", "1% to 100%"),
    ("weight: 5%", "weight: 5.5%", "SPEC105", "5.5%", "whole"),
    ("hold: 10m", "hold: 10", "SPEC105", "10", "write `10m`, or `10s` (in seconds)"),
    ("hold: 10m", "hold: 10 m", "SPEC105", "10 m", "write `10m`"),
    ("hold: 10m", "hold: null", "SPEC105", "null", "`hold: 60m`"),
    ("name: ranker", "name: Ranker", "SPEC105", "Ranker", "write `ranker`"),
    ("framework: sklearn", "framework: sklern", "SPEC106", "sklern", "`sklearn`"),
    ("strategy: canary", "strategy: canry", "SPEC106", "canry", "did you mean `canary`"),
    ("strategy: canary", "strategy: rolling", "SPEC106", "rolling", "`canary` or `blue-green`"),
    ("strategy: canary", "strategy: 1", "SPEC106", "1", "`canary` or `blue-green`"),
    ("strategy: canary", "strat_egy: canary", "SPEC102", "strat_egy", "`strategy`"),
    ("strategy: canary", "Strategy: canary", "SPEC102", "Strategy", "`strategy`"),
    ("{weight: 5%, ", "{wieght: 5%, ", "SPEC102", "wieght", "`weight`"),
    ("    steps:", "    guards: [{metrc: error-rate, limit: 1%}]\n    steps:", "SPEC102", "metrc", "`metric`"),
    ("    steps:", "    guards: [{metric: error_rate, limit: 1%}]\n    steps:", "SPEC106", "error_rate", "`error-rate`"),
    ("    steps:", "    guards: [{outcom: ctr, limit: 1%}]\n    steps:", "SPEC102", "outcom", "`outcome`"),
    ("  rollout:", "  gates: [{name: a, metrics: accuracy, atLeast: 0.9}]\n  rollout:", "SPEC102", "metrics", "`metric`"),
    ("  rollout:", "  gates: [{name: a, fair_ness: demographic-parity-difference, sensitive: [a], atMost: 0.1}]\n  rollout:", "SPEC102", "fair_ness", "`fairness`"),
    ("  rollout:", "  autoscaling: {kind: kedda, min: 1, max: 2, rpsPerPod: 5}\n  rollout:", "SPEC106", "kedda", "`keda`"),
    ("{weight: 5%, hold: 10m}", "{hold: 10m}", "SPEC106", "{hold", "a weight, a cohort or an approval"),
    ("[{weight: 5%, hold: 10m}]", "[]", "SPEC108", "[]", "`steps: [{weight: 5%, hold: 60m}]`"),
    ("[{weight: 5%, hold: 10m}]", "{weight: 5%}", "SPEC104", "{weight", "a list"),
    ("    steps:", "    risk: 5%\n    steps:", "SPEC104", "5%", "a mapping"),
    ("  rollout:", "  replicas: two\n  rollout:", "SPEC104", "two", "a whole number"),
    ("  rollout:", "  replicas: 2.0\n  rollout:", "SPEC104", "2.0", "a whole number"),
    ("  rollout:", "  replicas: true\n  rollout:", "SPEC104", "true", "a whole number"),
    ("  rollout:", "  replicas: 0\n  rollout:", "SPEC108", "0", "write `1`"),
    ("    steps:", "    guards: [{metric: error-rate}]\n    steps:", "SPEC107", "{metric", "`detect` or `limit`"),
    ("    steps:", "    guards: [{metric: error-rate, limit: 1%, detect: {rise: 1%}}]\n    steps:", "SPEC107", "{metric", "`detect: {rise: 1%}` or `limit: 1%`"),
    ("    steps:", "    guards: [{metric: latency, limit: 1%}]\n    steps:", "SPEC106", "latency", "error-rate"),
    ('"mlflow:ranker/3"', '"ranker"', "SPEC105", '"ranker"', "ref"),
    ("kind: Model", "kind: Modell", "SPEC106", "Modell", "`Model`"),
    ("v1alpha1", "v1alpha2", "SPEC106", "sluice.dev/v1alpha2", "sluice.dev/v1alpha1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code", "points", "word"), MISTAKES, ids=[new.strip()[:40] for _, new, *_ in MISTAKES]
)
def test_one_mistake_one_finding(old, new, code, points, word):
    ((found, shown, message, hint),) = told(old, new)
    assert found == code
    assert shown.startswith(points)
    assert word in message + hint


PLATFORM_MISTAKES = [
    ("  environments:", "  enviroments:", {"SPEC102"}),
    ("router: {kind: gateway-api", "router: {kind: kong", {"SPEC106"}),
    ("https://kubernetes", "kubernetes", {"SPEC105"}),
    ("    live:", "    Live:", {"SPEC105"}),
    ("tiers: [basic]", "tiers: []", {"SPEC108"}),
    ("tiers: [basic]", "tiers: basic", {"SPEC104"}),
    ("{evidence: [cluster]}", "{ceilings: {firstWeight: 5}}", {"SPEC105"}),
    ("{evidence: [cluster]}", "{requires: {gates: [fairnes]}}", {"SPEC106"}),
]


@pytest.mark.parametrize(("old", "new", "expected"), PLATFORM_MISTAKES)
def test_mistakes_in_a_platform(old, new, expected):
    assert {code for code, *_ in told(old, new, "platform")} == expected


ODD_NUMBERS = [
    "²",
    "5 to ²",
    "1/²",
    "²:30",
    "accuracy >= ²",
    "1e999999999",
    "1e999999999Gi",
    "9" * 40 + "/1",
    "1e99 of 2",
]


@pytest.mark.parametrize("odd", ODD_NUMBERS, ids=range(len(ODD_NUMBERS)))
def test_odd_numbers_anywhere_are_findings(odd):
    """Digits that `int` does not read, and numbers that `Decimal` can't compute with, in the place of every node."""
    for path, value in walk(RICH):
        keys = [f"{key}:{odd}" for key in value if ":" not in odd][:1] if isinstance(value, dict) else []
        for text in (odd, *keys) if path else ():
            file = copy(RICH)
            parent = file
            for part in path[:-1]:
                parent = parent[part]
            parent[path[-1]] = text
            document = parse(json.dumps(file, ensure_ascii=False).encode(), "s.yaml")
            _, findings = check(ModelFile, document)
            assert all(finding.message and finding.hint for finding in findings)


def test_all_mistakes_at_once_in_order():
    text = MODEL.replace("kind: Model", "kind: Modl").replace("tier: basic", "teir: basic").replace("5%", "5")
    _, findings = check(ModelFile, parse(text.encode(), "s.yaml"))
    places = [(f.place.line, f.place.column) for f in findings]
    assert len(findings) == 3
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("strategy: canary", "strat_egy: canary"),
        ("strategy: canary", "strategy: canri"),
        ("strategy: canary", "x: 1"),
    ],
)
def test_a_mapping_of_unclear_kind_hides_nothing_below_it(old, new):
    text = MODEL.replace(old, new).replace("{weight: 5%, hold: 10m}", "{wieght: 5, hold: 10, zzz: 1}")
    _, findings = check(ModelFile, parse(text.encode(), "s.yaml"))
    told = {finding.path.removeprefix("spec.rollout").lstrip("."): finding.code for finding in findings}
    below = {path: code for path, code in told.items() if path.startswith("steps")}
    assert below == {
        "steps[0].wieght": "SPEC105",
        "steps[0].hold": "SPEC105",
        "steps[0].zzz": "SPEC102",
    }
    assert len(told) >= 4


def test_keys_of_another_kind_are_not_called_unknown_where_the_kind_is_a_guess():
    text = MODEL.replace(
        "strategy: canary\n", "preview: {replicas: 2}\n    watch: 5m\n    shadow: {hold: 10m}\n"
    )
    _, findings = check(ModelFile, parse(text.encode(), "s.yaml"))
    assert [finding.code for finding in findings] == ["SPEC106"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]\n", "text\n", "7\n", "~\n"])
def test_what_is_no_mapping(text):
    file, findings = check(ModelFile, parse(text.encode(), "s.yaml"))
    assert file is None
    assert [finding.code for finding in findings] == ["SPEC101"]


UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
PARTS = st.lists(st.tuples(st.integers(0, 999_999), st.sampled_from(sorted(UNITS))), min_size=1, max_size=4)


@given(PARTS)
def test_durations(parts):
    text = "".join(f"{count}{unit}" for count, unit in parts)
    assert round(seconds(text) * 1000) == sum(count * UNITS[unit] for count, unit in parts)


@given(st.integers(0, 10**12))
def test_a_duration_is_written_as_it_is_read(milliseconds):
    written = duration(milliseconds / 1000)
    assert re.fullmatch(r"([0-9]+(ms|s|m|h|d))+", written)
    assert round(seconds(written) * 1000) == milliseconds


@given(st.integers(0, 10**8))
def test_a_share_is_written_as_it_is_read(millionths):
    written = percent(millionths / 10**8)
    assert re.fullmatch(r"[0-9]+(\.[0-9]{1,6})?%", written)
    assert round(float(written[:-1]) * 10**6) == millionths
