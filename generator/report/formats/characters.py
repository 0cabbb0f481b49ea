"""Characters on a terminal: how they are shown, and how many cells they fill."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""Return text on one line that can't control a terminal, and hides nothing.

    Control characters (an escape sequence starts with one), line and paragraph separators, and format
    characters such as those that reverse the direction of writing are spelled out: `\x1b`, `\n`, `\u202e`.
    """
    return text if text.isprintable() else "".join(map(shown, text))


def shown(character: str) -> str:
    """Return one character as `visible` writes it."""
    if character.isprintable() or _is_space(character):
        return character
    return character.encode("unicode_escape").decode("ascii")


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


def _is_space(character: str) -> bool:
    from unicodedata import category

    return category(character) == "Zs"
