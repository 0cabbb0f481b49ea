"""Distances of two samples that are known by counts of cells only, with the error that this leaves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

Cell = tuple[int, int, int]
"""Rows of the one sample, rows of the other, and 1 if all have the same value; cells are in the order of values."""
_FLOOR: Final = 1e-4
"""Share put into an empty bin of a stability index, which would otherwise be infinite."""


def rows_of(cells: Sequence[Cell]) -> tuple[int, int]:
    """Return the rows of both samples."""
    return sum(cell[0] for cell in cells), sum(cell[1] for cell in cells)


def ks_between(cells: Sequence[Cell]) -> tuple[float, float]:
    """Return bounds of the Kolmogorov-Smirnov distance.

    At the ends of cells both distribution functions F and G are known, so the largest difference there is the lower
    bound. Inside a cell from a to b they only grow: F - G is at most F(b) - G(a), and G - F at most G(b) - F(a). So the
    bounds differ by no more than the largest share that both samples have in one cell, and not at all for cells with
    a single value.

    Raises:
        ValueError: a sample has no rows.
    """
    rows, others = rows_of(cells)
    if not rows or not others:
        raise ValueError("both samples need rows")
    low = high = f = g = 0.0
    one_total = other_total = 0
    for one, other, single in cells:
        one_total, other_total = one_total + one, other_total + other
        f_end, g_end = one_total / rows, other_total / others
        low = max(low, abs(f_end - g_end))
        if not single:
            high = max(high, f_end - g, g_end - f)
        f, g = f_end, g_end
    return low, max(low, high)


def stability_index(cells: Sequence[Cell], bins: int = 10) -> tuple[float, int]:
    """Return the population stability index and its number of bins, over quantiles of the first sample.

    The bins end at the cells where the first sample reaches its quantiles; values that repeat share a bin.

    Raises:
        ValueError: a sample has no rows.
    """
    rows, others = rows_of(cells)
    if not rows or not others:
        raise ValueError("both samples need rows")
    ends, total = set(), 0
    for position, (one, _, _) in enumerate(cells):
        reached, total = total, total + one
        if any(reached < rows * k / bins <= total for k in range(1, bins)):
            ends.add(position)
    if sum(1 for one, _, _ in cells if one) == 1:  # smaller values would share its bin, and look equal
        ends.add(next(position for position, (one, _, _) in enumerate(cells) if one) - 1)
    edges = [-1, *sorted(end for end in ends if end >= 0), len(cells) - 1]
    index = 0.0
    for start, end in pairwise(edges):
        part = cells[start + 1 : end + 1]
        first = max(sum(cell[0] for cell in part) / rows, _FLOOR)
        second = max(sum(cell[1] for cell in part) / others, _FLOOR)
        index += (second - first) * math.log(second / first)
    return index, len(edges) - 1


def association(categories: Mapping[str, Sequence[int]]) -> tuple[float, float]:
    """Return Cramer's V of two samples, as samples of one size would show it, and the smallest expected count.

    sqrt(chi2 (n+m) / (4 n m)), with Pearson's chi2 of the table of categories.

    Raises:
        ValueError: a sample has no rows.
    """
    n, m = (sum(counts[window] for counts in categories.values()) for window in (0, 1))
    if not n or not m:
        raise ValueError("both samples need rows")
    total, smallest, chi2 = n + m, math.inf, 0.0
    for counts in categories.values():
        both = counts[0] + counts[1]
        for seen, rows in zip(counts, (n, m), strict=True):
            expected = both * rows / total
            smallest = min(smallest, expected)
            chi2 += (seen - expected) ** 2 / expected
    return math.sqrt(chi2 * total / (4 * n * m)), smallest
