"""Turns external text into one line: for a file in git, or for a terminal and a log."""

from __future__ import annotations

import re
import shlex

# Characters that are invisible, break a line or change the writing direction: controls, surrogates, separators,
# format characters, private use. They are listed here because `str.isprintable` differs between Python versions.
_UNSEEN = (
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\uf8ff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)


def one_line(text: str) -> str:
    """Return the text with each run of white space and invisible characters replaced by one space."""
    return " ".join(re.sub(_UNSEEN, " ", text).split())


def visible(text: str) -> str:
    r"""Return text on one line that can't control a terminal, and hides nothing.

    Control characters (an escape sequence starts with one), line and paragraph separators, and format
    characters such as those that reverse the direction of writing are spelled out: `\x1b`, `\n`, `\u202e`.
    """
    return text if text.isprintable() else "".join(map(shown, text))


def argument(text: str) -> str:
    """Return text as one argument of a command that people copy into a shell; plain names stay as they are."""
    return shlex.quote(text)


def shown(character: str) -> str:
    """Return one character as `visible` writes it."""
    if character.isprintable() or _is_space(character):
        return character
    return character.encode("unicode_escape").decode("ascii")


def _is_space(character: str) -> bool:
    from unicodedata import category

    return category(character) == "Zs"
