"""Distances from counts of cells: their bounds hold whatever the cells are, and single values leave no error."""

from __future__ import annotations

import math
import random
from bisect import bisect_right

import pytest

from generator.stats.binned import association, ks_between, rows_of, stability_index


def exact(one: list[float], other: list[float]) -> float:
    one, other = sorted(one), sorted(other)
    points = {*one, *other}
    return max(abs(bisect_right(one, x) / len(one) - bisect_right(other, x) / len(other)) for x in points)


def cells(one: list[float], other: list[float], edges: list[float]) -> list[tuple[int, int, int]]:
    found: dict[int, list[list[float]]] = {}
    for sample, values in enumerate((one, other)):
        for value in values:
            found.setdefault(bisect_right(edges, value), [[], []])[sample].append(value)
    return [(len(a), len(b), int(len({*a, *b}) == 1)) for _, (a, b) in sorted(found.items())]


@pytest.mark.parametrize("seed", range(40))
def test_the_distance_is_between_the_bounds(seed: int) -> None:
    rng = random.Random(seed)
    digits = rng.choice([0, 1, 6])
    one = [round(rng.gauss(0, 1), digits) for _ in range(rng.randrange(1, 300))]
    other = [round(rng.gauss(rng.choice([0, 0.5, 30]), rng.choice([0.1, 1])), digits) for _ in range(200)]
    edges = sorted(rng.gauss(0, 2) for _ in range(rng.randrange(0, 60)))
    counted = cells(one, other, edges)
    low, high = ks_between(counted)
    assert low - 1e-12 <= exact(one, other) <= high + 1e-12
    shared = max((min(a / len(one), b / len(other)) for a, b, single in counted if not single), default=0.0)
    assert high - low <= shared + 1e-12


def test_cells_of_single_values_are_exact() -> None:
    one, other = [0.0] * 30 + [1.0] * 70, [0.0] * 60 + [1.0] * 40
    assert ks_between(cells(one, other, [0.5])) == pytest.approx((0.3, 0.3))


def test_one_cell_for_all_shows_nothing() -> None:
    assert ks_between([(100, 100, 0)]) == (0.0, 1.0)


def test_a_stability_index_of_equal_samples_is_0_and_a_moved_constant_is_not() -> None:
    counted = [(10, 10, 0)] * 100
    assert stability_index(counted) == (pytest.approx(0.0), 10)
    moved = stability_index([(0, 50, 1), (100, 50, 1)])[0]
    # half of the sample moved from one bin to an empty one, which counts as 1e-4
    assert moved == pytest.approx((0.5 - 1e-4) * math.log(0.5 / 1e-4) - 0.5 * math.log(0.5))


def test_association_of_a_table_by_hand() -> None:
    distance, smallest = association({"a": [30, 10], "b": [70, 90]})
    chi2 = 2 * (10**2 / 20 + 10**2 / 80)
    assert (distance, smallest) == (pytest.approx(math.sqrt(chi2 * 200 / (4 * 100 * 100))), 20)


@pytest.mark.parametrize("function", [ks_between, stability_index])
def test_without_rows_there_is_no_distance(function) -> None:
    assert rows_of([(0, 3, 1)]) == (0, 3)
    with pytest.raises(ValueError, match="need rows"):
        function([(0, 3, 1)])
    with pytest.raises(ValueError, match="need rows"):
        association({"a": [0, 3]})
