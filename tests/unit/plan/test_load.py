"""The load of a canary pod, against a count of requests for each pod."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.plan.load import (
    COMPARABLE,
    StepLoad,
    canary_pods,
    comparable_weights,
    relative_load,
    step_load,
)


@pytest.mark.parametrize(
    ("stable", "weight", "expected"),
    [
        (4, 5, 0.21),
        (4, 20, 1.0),
        (4, 25, 1.33),
        (4, 50, 2.0),
        (4, 75, 4.0),
        (10, 10, 1.11),
        (20, 5, 1.05),
        (20, 33, 1.41),
    ],
)
def test_the_controllers_rounding_up(stable: int, weight: int, expected: float):
    assert relative_load(weight, weight, stable) == pytest.approx(expected, abs=0.005)


@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 200))
def test_requests_of_each_pod(weight: int, scale: int, stable: int):
    requests = 10_000
    own = requests * weight / 100 / math.ceil(round(stable * scale / 100, 9))
    others = requests * (100 - weight) / 100 / stable
    assert canary_pods(stable, scale) == math.ceil(round(stable * scale / 100, 9))
    assert relative_load(weight, scale, stable) == pytest.approx(own / others)


def test_all_requests_compare_with_nothing():
    assert step_load(100, 4, 4, scaled=True) == StepLoad(100, 100, math.inf, math.inf)


@given(st.integers(1, 99), st.integers(1, 60), st.integers(0, 40))
def test_a_scale_is_set_only_where_it_makes_every_number_of_pods_comparable(
    weight: int, fewest: int, more: int
):
    plain = step_load(weight, fewest, fewest + more, scaled=False)
    found = step_load(weight, fewest, fewest + more, scaled=True)
    assert plain.scale == weight
    loads = [relative_load(weight, found.scale, stable) for stable in range(fewest, fewest + more + 1)]
    assert (found.least, found.most) == pytest.approx((min(loads), max(loads)))
    assert found.comparable == all(1 / COMPARABLE - 1e-9 <= load <= COMPARABLE + 1e-9 for load in loads)
    if found.scale != weight:
        assert found.comparable
        assert not plain.comparable


@given(st.integers(1, 60), st.integers(0, 200))
def test_half_of_the_traffic_is_always_comparable(fewest: int, more: int):
    assert 50 in comparable_weights(fewest, fewest + more)
    assert step_load(50, fewest, fewest + more, scaled=True).text == "1.00"


def test_what_whole_pods_can_make():
    assert comparable_weights(4, 4)[:7] == (17, 18, 19, 20, 21, 22, 23)
    assert 5 not in comparable_weights(15, 15)
    assert 5 in comparable_weights(16, 16)


def test_the_text_of_a_range():
    assert step_load(5, 4, 12, scaled=True).text == "0.21 to 0.63"
