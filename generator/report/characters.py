"""The cells that text fills on a terminal."""

from __future__ import annotations


def width(text: str) -> int:
    """Return the number of cells that visible text fills on a terminal.

    Two for a wide character (Unicode Standard Annex 11, classes W and F), none for a mark that combines with
    the character before it (general categories Mn and Me), one for any other.
    """
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    from unicodedata import category, east_asian_width

    if category(character) in {"Mn", "Me"}:
        return 0
    return 2 if east_asian_width(character) in {"W", "F"} else 1
