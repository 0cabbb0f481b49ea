"""A section of a plan."""

from __future__ import annotations

from typing import Any

from generator.dataclass import dataclass
from generator.report.tables import Block, fit


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a plan.

    Args:
        key: its key in JSON.
        title: its heading in text.
        data: JSON values: shares are fractions, times seconds.
        body: paragraphs and tables.
    """

    key: str
    title: str
    data: Any
    body: tuple[Block, ...]

    def lines(self, limit: int | None = None, indent: str = "") -> list[str]:
        """Return its text in lines of at most so many cells; None for no limit."""
        return list(fit(self.body, limit, indent))
