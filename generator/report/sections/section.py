"""A section of a plan, and the table that most of them are in text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from generator.report.formats.characters import visible, width


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a plan.

    Args:
        key: its key in JSON.
        title: its heading in text.
        data: JSON values: shares are fractions, times seconds.
        lines: text, one line each.
    """

    key: str
    title: str
    data: Any
    lines: tuple[str, ...]


def table(rows: Iterable[Sequence[object]]) -> tuple[str, ...]:
    """Rows as aligned columns, two blanks between them; the last column is as long as it likes."""
    cells = [[visible(str(cell)) for cell in row] for row in rows]
    if not cells:
        return ()
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return tuple(
        "  ".join(_padded(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _padded(cell: str, size: int) -> str:
    return cell + " " * (size - width(cell))
