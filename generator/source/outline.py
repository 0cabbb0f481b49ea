"""The outline of a YAML text, valid or not: its lines with quoted text and comments blanked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field

from generator.dataclass import dataclass

_CLOSES = {"[": "]", "{": "}"}
_BLOCK_TEXT = re.compile(r"(?:^|[:\-?]\s+)[|>][+\-0-9]{0,2}\s*$")
_DASH = re.compile(r"-(?: +|$)")
BLANK = "\x00"
"""Replaces a character inside quotes or a comment, so that columns stay."""


@dataclass(slots=True)
class Quote:
    """A quote that is not closed on its line, or that is followed by text.

    Args:
        line: 0-based line.
        column: 0-based column where it opens.
        mark: the quote character.
        rest: column of the text after the closing one; -1 if it is not closed.
    """

    line: int
    column: int
    mark: str
    rest: int = -1


@dataclass(slots=True)
class Bracket:
    """A bracket without a partner.

    Args:
        line: 0-based line.
        column: 0-based column.
        mark: the bracket.
    """

    line: int
    column: int
    mark: str


@dataclass
class Outline:
    """The outline of a text.

    Args:
        lines: its lines, blanked.
        inside: per line, whether it begins inside brackets or a block of text.
        quotes: invalid quotes.
        unclosed: opening brackets without a closing one of their kind.
        stray: closing brackets without an opening one.
    """

    lines: list[str] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    unclosed: list[Bracket] = field(default_factory=list)
    stray: list[Bracket] = field(default_factory=list)

    def code(self, line: int) -> str:
        """Return a line without its comment and trailing blanks, quoted text blanked."""
        return self.lines[line].replace(BLANK, " ").rstrip() if 0 <= line < len(self.lines) else ""

    def before(self, line: int) -> int:
        """Return the nearest line above that is not empty; -1 for none."""
        return next((number for number in range(line - 1, -1, -1) if self.code(number)), -1)

    def indented(self) -> Iterator[tuple[int, int, bool]]:
        """Yield each line that starts a key or a list item: its number, its indentation, and whether it is an item."""
        for number, inside in enumerate(self.inside):
            text = self.code(number)
            if text and not inside:
                stripped = text.lstrip(" ")
                yield number, len(text) - len(stripped), bool(_DASH.match(stripped))


def outline(text: str) -> Outline:
    """Return the outline of a text, even an invalid one."""
    out = Outline()
    stack: list[Bracket] = []
    block = -1
    for number, line in enumerate(text.splitlines()):
        indent = len(line) - len(line.lstrip(" "))
        if block >= 0 and (not line.strip() or indent > block):
            out.lines.append(BLANK * len(line))
            out.inside.append(True)
            continue
        block = -1
        out.inside.append(bool(stack))
        masked = _line(line, number, stack, out)
        out.lines.append(masked)
        if not stack and _BLOCK_TEXT.search(masked.replace(BLANK, " ").rstrip()):
            block = indent
    out.unclosed += stack
    return out


def _line(line: str, number: int, stack: list[Bracket], out: Outline) -> str:
    """Blank quoted text and comments in one line, and track its brackets."""
    masked, at, begins, closed = list(line), 0, True, False
    while at < len(line):
        character = line[at]
        if character == "#" and (at == 0 or line[at - 1] in " \t"):
            masked[at:] = BLANK * (len(line) - at)
            break
        if begins and character in "\"'":
            end = _end(line, at)
            out.quotes += _quote_problems(line, number, at, end, flow=bool(stack))
            stop = len(line) if end < 0 else end
            masked[at + 1 : stop] = BLANK * max(stop - at - 1, 0)
            at, begins = stop + 1, False
            continue
        if character in "[{" and (begins or stack):
            stack.append(Bracket(number, at, character))
            begins = True
        elif character in "]}" and (begins or stack or closed):
            _close(Bracket(number, at, character), stack, out)
            begins, closed = False, not stack
        else:
            closed = closed and character in " \t"
            begins = _begins(line, at, begins=begins, flow=bool(stack))
        at += 1
    return "".join(masked)


def _begins(line: str, at: int, *, begins: bool, flow: bool) -> bool:
    """Return whether a value may begin after this character."""
    character, blank = line[at], at + 1 >= len(line) or line[at + 1] in " \t"
    if character in " \t":
        return begins
    if character == ",":
        return flow
    return blank and (character in ":?" or (character == "-" and begins))


def _end(line: str, start: int) -> int:
    """Return the column of the closing quote; -1 if there is none on the line."""
    mark, at = line[start], start + 1
    while at < len(line):
        if mark == '"' and line[at] == "\\":
            at += 2
        elif line[at] != mark:
            at += 1
        elif mark == "'" and line[at + 1 : at + 2] == "'":
            at += 2
        else:
            return at
    return -1


def _quote_problems(line: str, number: int, start: int, end: int, *, flow: bool) -> Iterator[Quote]:
    if end < 0:
        yield Quote(number, start, line[start])
        return
    rest = line[end + 1 :].lstrip(" \t")
    ends = (",", "]", "}", ":") if flow else (":",)
    if rest and not rest.startswith(ends) and not (rest.startswith("#") and rest != line[end + 1 :]):
        yield Quote(number, start, line[start], len(line) - len(rest))


def _close(closing: Bracket, stack: list[Bracket], out: Outline) -> None:
    """Close the nearest bracket of the same kind; brackets opened since then stay unclosed."""
    kinds = [_CLOSES[opened.mark] for opened in stack]
    if closing.mark not in kinds:
        out.stray.append(closing)
        return
    while stack:
        opened = stack.pop()
        if _CLOSES[opened.mark] == closing.mark:
            return
        out.unclosed.append(opened)
