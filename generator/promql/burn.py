"""Burn rates of an error budget: multiwindow, multi-burn-rate alerts.

The source is Google's Site Reliability Workbook, chapter 5, "Alerting on SLOs". An alert fires when the share of bad
events is above a multiple of the budget in a long window, so that it matters, and in a short one, so that it still
goes on. The multiples let a page come after 2 % or 5 % of thirty days' budget, a ticket after 10 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from generator.promql.text import number

PERIOD_S: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Row:
    """One pair of windows (seconds), and how many times the budget is burnt in both."""

    severity: Literal["page", "ticket"]
    long_s: float
    short_s: float
    factor: float


ROWS: Final = (
    Row("page", 3600, 300, 14.4),
    Row("page", 21_600, 1800, 6),
    Row("ticket", 259_200, 21_600, 1),
)


def windows() -> tuple[float, ...]:
    """Every window that a row looks at, in seconds."""
    return tuple(sorted({window for row in ROWS for window in (row.long_s, row.short_s)}))


def burn(share: Callable[[float], str], budget: float, severity: str) -> str:
    """Write the condition of one severity; empty when no share of events could ever meet it.

    Args:
        share: the expression of the share of bad events over a window.
        budget: share of bad events that is tolerated, above 0.
        severity: whose rows.

    Raises:
        ValueError: there is no budget to burn.
    """
    if not budget > 0:
        raise ValueError("a budget of nothing can't be burnt at a rate")
    rows = [row for row in ROWS if row.severity == severity and row.factor * budget < 1]
    return "\nor ".join(_row(share, row, row.factor * budget) for row in rows)


def _row(share: Callable[[float], str], row: Row, bound: float) -> str:
    return f"({share(row.long_s)} > {number(bound)}\n  and {share(row.short_s)} > {number(bound)})"
