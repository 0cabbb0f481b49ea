"""Text that fits a width: paragraphs that wrap, and tables whose columns wrap or are left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO

from generator.dataclass import dataclass
from generator.pipeline.terminal import has_color, line_width, terminal_width
from generator.report.characters import width
from generator.source.line import visible

NARROW = 24  # cells: no text is broken into lines shorter than this, whatever the terminal's width
_GAP = 2  # blanks between two columns
_LEAST = 6  # cells that a column keeps where even its longest word is broken
_NUMBER = re.compile(r"[+-]?[0-9][0-9,.]*%?")  # never broken: half a number is another number
_WORD = 20  # cells: longer words are broken before a column is left out
_BREAKS = re.compile(r"(?<=[/:@,_=.-])")  # places where a word that is too long is broken first
JOINED = "\u00a0"
"""A blank at which no line is broken; printed as a blank."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as aligned columns.

    A table that is too wide first wraps the text of its widest columns at blanks, then leaves out the columns of
    `drop`, one by one, and in the end breaks words, the longest first, but never a number.

    Args:
        rows: cells of equal number; those of a heading come first.
        drop: positions of columns that may be left out, in this order.
    """

    rows: tuple[tuple[str, ...], ...]
    drop: tuple[int, ...] = ()

    @staticmethod
    def of(rows: Iterable[Sequence[object]], drop: tuple[int, ...] = ()) -> Table:
        """Return a table of values; those that could control a terminal are spelled out."""
        return Table(tuple(tuple(visible(str(cell)) for cell in row) for row in rows), drop)

    def lines(self, limit: int | None = None) -> list[str]:
        """Return the lines, none longer than `limit` cells, and which columns were left out; None for no limit."""
        if not self.rows:
            return []
        columns = list(zip(*self.rows, strict=True))
        kept, sizes = _fitted(columns, self.drop, limit)
        lines = [line for row in self.rows for line in _row([row[index] for index in kept], sizes)]
        dropped = [name for index, name in enumerate(self.rows[0]) if index not in kept and name.strip()]
        if dropped and limit is not None:
            lines += paragraph(f"(left out for want of width: {', '.join(dropped)})", limit)
        return lines


Block = str | Table
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Screen:
    """Where text is shown.

    Args:
        limit: cells in a line; None for no limit.
        color: whether it shows colors.
    """

    limit: int | None = None
    color: bool = False

    @staticmethod
    def of(stream: TextIO) -> Screen:
        """Return what a stream shows: 80 cells in a line where it is not a terminal."""
        return Screen(line_width(stream), has_color(stream))

    @staticmethod
    def of_messages(stream: TextIO) -> Screen:
        """Return what a stream shows of messages, which wrap only on a terminal: programs read one message a line."""
        return Screen(terminal_width(stream), has_color(stream))

    def title(self, text: str) -> Iterator[str]:
        """Yield a heading."""
        for line in fit([visible(text)], self.limit):
            yield f"\x1b[1m{line}\x1b[0m" if self.color else line

    def body(self, blocks: Iterable[Block], indent: str = INDENT, sgr: str = "") -> Iterator[str]:
        """Yield what comes below a heading; `sgr` are parameters of a control sequence (ECMA-48, 8.3.117)."""
        for line in fit(blocks, self.limit, indent):
            yield f"\x1b[{sgr}m{line}\x1b[0m" if self.color and sgr and line else line


PLAIN: Final = Screen()
"""Where nothing is known of the reader's screen: no colors, and no line wraps."""


def fit(blocks: Iterable[Block], limit: int | None, indent: str = "") -> Iterator[str]:
    """Yield paragraphs and tables as lines of at most `limit` cells, the indentation included."""
    room = None if limit is None else max(NARROW, limit - len(indent))
    for block in blocks:
        lines = paragraph(block, room) if isinstance(block, str) else block.lines(room)
        yield from (f"{indent}{line}".rstrip() for line in lines)


def paragraph(text: str, limit: int | None) -> list[str]:
    """Return one paragraph as lines; those after the first begin below its text, behind a bullet or number."""
    if limit is None or width(text) <= limit:
        return [text.replace(JOINED, " ")]
    lead = re.match(r"\s*(?:- )?", text)
    first = lead[0] if lead else ""
    rest = " " * len(first) if first else "  "
    found = wrap(text[len(first) :], max(_LEAST, limit - len(rest)))
    return [f"{first if index == 0 else rest}{line}" for index, line in enumerate(found)]


def wrap(text: str, limit: int) -> list[str]:
    """Return a text in lines of at most `limit` cells, broken at blanks; a word that is longer is broken too."""
    if width(text) <= limit:
        return [text.replace(JOINED, " ")]
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer) <= limit:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _broken(word, limit)
        lines += full
    return [found.replace(JOINED, " ").rstrip() for found in [*lines, line]]


def shell_lines(command: str, limit: int, indent: str = "") -> Iterator[str]:
    """Yield a shell command in lines that can be copied: each but the last ends with a backslash."""
    line = indent
    for word in command.split(" "):
        longer = f"{line}{word}" if line.isspace() or not line else f"{line} {word}"
        if width(longer) + 2 > limit and not line.isspace():
            yield f"{line} \\"
            longer = f"{indent}  {word}"
        line = longer
    yield line


def _broken(word: str, limit: int) -> list[str]:
    """Return a word in pieces that fit, broken behind a separator where there is one."""
    out = [""]
    for part in _BREAKS.split(word) if width(word) > limit else [word]:
        if width(out[-1] + part) <= limit:
            out[-1] += part
            continue
        if out[-1]:
            out.append("")
        for character in part:
            if width(out[-1] + character) > limit:
                out.append("")
            out[-1] += character
    return out


def _fitted(
    columns: Sequence[Sequence[str]], drop: Sequence[int], limit: int | None
) -> tuple[list[int], list[int]]:
    """Return the positions of the columns that are shown, and their widths."""
    kept = list(range(len(columns)))
    natural = [max(map(width, column)) for column in columns]
    least = [max(_longest_word(cell) for cell in column) for column in columns]
    if limit is None:
        return kept, natural
    for position in (*drop, None):
        room = limit - _GAP * (len(kept) - 1)
        if sum(least[index] for index in kept) <= room or position is None:
            break
        kept.remove(position)
    floors = [least[index] for index in kept]
    if sum(floors) > room:
        floors = _shrunk(floors, [max(map(_narrowest, columns[index])) for index in kept], room)
    return kept, _shrunk([natural[index] for index in kept], floors, room)


def _shrunk(sizes: list[int], floors: Sequence[int], room: int) -> list[int]:
    """Return widths that fit: the widest column that is above its floor gives way first."""
    while sum(sizes) > room:
        widest = max(range(len(sizes)), key=lambda index: (sizes[index] > floors[index], sizes[index]))
        if sizes[widest] <= floors[widest]:
            break
        sizes[widest] -= 1
    return sizes


def _longest_word(cell: str) -> int:
    return min(_WORD, max(map(width, cell.split(" "))))


def _narrowest(cell: str) -> int:
    """Return the width that a cell needs where its words are broken."""
    return max(
        width(word) if _NUMBER.fullmatch(word) else min(width(word), _LEAST) for word in cell.split(" ")
    )


def _row(cells: Sequence[str], sizes: Sequence[int]) -> Iterator[str]:
    """Yield the lines of one row, each cell wrapped to its column."""
    wrapped = [wrap(cell, size) for cell, size in zip(cells, sizes, strict=True)]
    for number in range(max(map(len, wrapped))):
        parts = [lines[number] if number < len(lines) else "" for lines in wrapped]
        padded = (part + " " * (size - width(part)) for part, size in zip(parts, sizes, strict=True))
        yield (" " * _GAP).join(padded).rstrip()
