"""Burn rates of an error budget: multiwindow, multi-burn-rate alerts.

After Google's Site Reliability Workbook, chapter 5, "Alerting on SLOs". An alert fires when the share of bad events is
above a multiple of the budget both in a long window (it matters) and in a short one (it is still happening). With these
multiples a page comes after 2% or 5% of the budget of thirty days, a ticket after 10%.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.promql.text import number

PERIOD_S: Final = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Row:
    """A pair of windows (seconds), and the multiple of the budget that both must exceed."""

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
    """Return the windows of all rows, in seconds, sorted."""
    return tuple(sorted({window for row in ROWS for window in (row.long_s, row.short_s)}))


def burn(share: Callable[[float], str], budget: float, severity: str) -> str:
    """Write the condition of one severity; empty when no share of events can meet it.

    Args:
        share: writes the share of bad events over a window.
        budget: tolerated share of bad events, above 0.
        severity: `page` or `ticket`.

    Raises:
        ValueError: the budget is not above 0.
    """
    if not budget > 0:
        raise ValueError(f"a budget must be above 0, not {budget}")
    rows = [row for row in ROWS if row.severity == severity and row.factor * budget < 1]
    return "\nor ".join(_row(share, row, row.factor * budget) for row in rows)


def _row(share: Callable[[float], str], row: Row, bound: float) -> str:
    return f"({share(row.long_s)} > {number(bound)}\n  and {share(row.short_s)} > {number(bound)})"
