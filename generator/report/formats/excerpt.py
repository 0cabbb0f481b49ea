"""A source line, with the place of a problem marked below it."""

from __future__ import annotations

from generator.report.characters import width
from generator.source.finding import Place
from generator.source.line import shown

SHOWN = 100  # cells of a line that are shown; a longer line is cut around the mark
_BEFORE = 0.6  # share of them that may come before the mark
_NEAR = 1000  # characters on each side of the mark that are looked at: a line may have a million
_TAB = 4


def marked(line: str, place: Place, limit: int = SHOWN) -> tuple[str, int, int]:
    """Return a source line as a terminal shows it, and where the carets below it go.

    Args:
        line: the line without its end.
        place: its columns count code points of `line`; they may point after its end, if something is missing
            there.
        limit: cells of a longer line that are shown.

    Returns:
        The line, cut to about `limit` cells; how many cells come before the carets; how many carets there are: at
        least one, but none if the whole line is meant.
    """
    line = line.rstrip("\r\n")
    skipped = max(0, place.column - 1 - _NEAR) if len(line) > 2 * _NEAR else 0
    cells = _cells(line[skipped : skipped + 2 * _NEAR])
    first = min(max(place.column - 1 - skipped, 0), len(cells))
    start, end = _window(cells, first, limit)
    left = "…" if start or skipped else ""
    right = "…" if end < len(cells) or skipped + len(cells) < len(line) else ""
    text = f"{left}{''.join(cells[start:end])}{right}".rstrip()
    if not place.column:
        return text, 0, 0
    stop = min(max(place.end_column - 1 - skipped, first + 1), end)
    return text, width(left + "".join(cells[start:first])), max(width("".join(cells[first:stop])), 1)


def _cells(line: str) -> list[str]:
    """Each character as it is shown; a tab becomes the spaces up to the next tab stop."""
    cells, at = [], 0
    for character in line:
        cell = " " * (_TAB - at % _TAB) if character == "\t" else shown(character)
        at += width(cell)
        cells.append(cell)
    return cells


def _window(cells: list[str], first: int, limit: int) -> tuple[int, int]:
    """The part of a line to show: all of it, or the surroundings of its cell `first`."""
    widths = list(map(width, cells))
    if sum(widths) <= limit:
        return 0, len(cells)
    start = first
    room = round(_BEFORE * limit)
    while start and widths[start - 1] <= room:
        start -= 1
        room -= widths[start]
    end = start
    room = limit
    while end < len(cells) and widths[end] <= room:
        room -= widths[end]
        end += 1
    return start, end
