"""Characters that look like ASCII or are invisible; word processors, chats and web pages insert them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_QUOTES: Final = dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"') | dict.fromkeys(
    "\u2018\u2019\u201a\u201b\u2032\u00b4", "'"
)
_DASHES: Final = dict.fromkeys(
    "\u2022\u2023\u25e6\u00b7\u25aa\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63", "-"
)
_SPACES: Final = dict.fromkeys(
    "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " "
)
_NOTHING: Final = dict.fromkeys(
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u2066\u2069\u202a\u202c\ufeff", ""
)
# Full-width forms of the printable ASCII characters are in the same order.
_WIDE: Final = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
_PUNCTUATION: Final = {
    "\u066a": "%", "\ufe6a": "%", "\u2026": "...", "\u3001": ",", "\ufe55": ":", "\ua789": ":", "\u2236": ":",
}  # fmt: skip
_LETTERS: Final = dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u0391\u0392\u0395\u039f\u03bf\u0410\u0415\u041e\u0421",
        "aeopcyxijsdABEOoAEOC",
        strict=True,
    )
)
LOOKALIKES: Final[dict[str, str]] = {
    **_WIDE, **_QUOTES, **_DASHES, **_SPACES, **_NOTHING, **_PUNCTUATION, **_LETTERS,
}  # fmt: skip
"""The ASCII form of each; empty for invisible ones."""
_SPACED: Final = {"\uff1a": ": ", "\uff0c": ", ", "\u3001": ", "}


def straighten(text: str) -> str:
    """Return the text with look-alikes replaced by ASCII."""
    return "".join(LOOKALIKES.get(character, character) for character in text)


def straighten_line(line: str) -> str:
    """Return a line of YAML with look-alikes replaced, and with the spaces that YAML needs after `:` and `,`."""
    spaced = "".join(_SPACED.get(character, character) for character in line)
    return re.sub(r"([:,])  +", r"\1 ", straighten(spaced)).rstrip()


def oddities(text: str) -> str:
    """Return the names of the look-alikes in a text, each once; empty if there are none."""
    found = dict.fromkeys(character for character in text if character in LOOKALIKES)
    return " and ".join(describe(character) for character in found)


def describe(character: str) -> str:
    """Return the name of a character: `a no-break space (U+00A0)`."""
    name = unicodedata.name(character, "control character").lower()
    shown = (
        ""
        if character in _NOTHING or character in _SPACES or not character.isprintable()
        else f"`{character}` "
    )
    invisible = "an invisible " if character in _NOTHING else "an " if name[:1] in "aeiou" else "a "
    return (
        f"{shown}({name}, U+{ord(character):04X})" if shown else f"{invisible}{name} (U+{ord(character):04X})"
    )
