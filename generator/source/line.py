"""Foreign text as one line of a file in git."""

from __future__ import annotations

import re

# What shows nothing, breaks a line or turns the direction of writing: controls, surrogates, separators, format
# characters, private use. Fixed here: `str.isprintable` asks the tables of each Python, and two would write two files.
_UNSEEN = (
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\uf8ff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)


def one_line(text: str) -> str:
    """Return the text with one space for each run of white space and of what can't be seen."""
    return " ".join(re.sub(_UNSEEN, " ", text).split())
