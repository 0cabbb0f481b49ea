"""Numbers against bounds: nothing is rounded to pass."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.gates.errors import NoVerdictError
from generator.gates.measures import measure, verdict_of, worst
from generator.stats.binomial import Interval

numbers = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("value", "interval", "verdict"),
    [
        (0.95, (0.93, 0.97), "pass"), (0.93, (0.91, 0.95), "inconclusive"), (0.90, (0.88, 0.91), "fail"),
        (0.92, None, "pass"), (0.9199999, None, "fail"), (None, None, "inconclusive"), (math.nan, None, "inconclusive"),
        (math.inf, None, "inconclusive"), (0.92, (0.92, 0.92), "pass"),
    ],
)  # fmt: skip
def test_at_least(value, interval, verdict) -> None:
    found = measure("accuracy", value, "atLeast", 0.92, interval=Interval(*interval) if interval else None)
    assert found.verdict == verdict


@given(numbers, numbers, st.none() | st.tuples(numbers, numbers), st.sampled_from(["atLeast", "atMost"]))
def test_a_verdict_follows_from_its_numbers_and_mirrors(value, threshold, ends, bound) -> None:
    interval = Interval(min(ends), max(ends)) if ends else None
    found = measure("m", value, bound, threshold, interval=interval)
    assert found.verdict == verdict_of(found)
    mirrored = measure(
        "m",
        -value,
        "atMost" if bound == "atLeast" else "atLeast",
        -threshold,
        interval=Interval(-interval.high, -interval.low) if interval else None,
    )
    assert mirrored.verdict == found.verdict


def test_a_doubt_never_passes_and_never_fails() -> None:
    assert {measure("m", value, "atMost", 1, doubt="so few").verdict for value in (0, 2)} == {"inconclusive"}


def test_worst() -> None:
    assert worst([]) == "inconclusive"
    assert worst(["pass", "pass"]) == "pass"
    assert worst(["pass", "inconclusive"]) == "inconclusive"
    assert worst(["inconclusive", "fail", "pass"]) == "fail"


@pytest.mark.parametrize(
    "written",
    [
        {"name": "a\nb"},
        {"samples": {"rows": -5}},
        {"samples": {"a\nb": 5}},
        {"parts": {"\x1b[31m": {"rows": 1}}},
        {"details": {"explainer": "a\nb"}},
        {"samples": {"rows": 10**13}},
    ],
)
def test_what_can_not_be_written_to_evidence_is_no_verdict(written) -> None:
    with pytest.raises(NoVerdictError):
        measure(**{"name": "m", "value": 0.5, "bound": "atMost", "threshold": 1.0, **written})
