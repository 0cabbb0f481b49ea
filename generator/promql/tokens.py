"""A tokenizer for PromQL that also pairs brackets; it is enough to lint queries, but not a parser."""

from __future__ import annotations

import re
import sys
from typing import Final, Literal, NamedTuple, cast

from generator.dataclass import dataclass

Kind = Literal["name", "string", "duration", "number", "argument", "sign"]

_TOKEN: Final = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<argument>\{\{(?:(?!\{\{|\}\}).)*\}\})
    |(?P<duration>(?:\d{1,19}(?:ms|[smhdwy]))+(?!\w))
    |(?P<number>(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(?!\w))
    |(?P<name>(?:(?<!:):+)?[a-zA-Z_][\w:]*)
    |(?P<sign>[=!]~|[=!<>]=|[-+*/%^<>=(){}\[\],@:])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_MOST_TOKENS: Final = 4000
_PARTNER: Final = {")": "(", "]": "[", "}": "{"}
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_ESCAPE: Final = re.compile(
    r"\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_ESCAPED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class QuerySyntaxError(Exception):
    """The tokens or brackets of the text are not valid PromQL."""


class Token(NamedTuple):
    """One token.

    Args:
        kind: an `argument` is a placeholder of Argo Rollouts outside a string.
        text: as written.
        start: offset in the query.
    """

    kind: Kind
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a query.

    Args:
        items: the tokens in order.
        words: their texts in lower case, since keywords are not case-sensitive.
        partner: index of the partner of each bracket.
    """

    items: tuple[Token, ...]
    words: tuple[str, ...]
    partner: dict[int, int]

    def word(self, index: int) -> str:
        """Return the text of a token in lower case; empty outside the query."""
        return self.words[index] if 0 <= index < len(self.words) else ""


def tokenize(query: str) -> Tokens:
    """Split a query into tokens, without spaces and comments.

    Raises:
        QuerySyntaxError: a character that PromQL does not use, an unfinished string, brackets without a partner, or
            more tokens than are checked in reasonable time.
    """
    items: list[Token] = []
    position = 0
    for match in _TOKEN.finditer(query):
        if match.start() != position:
            break
        position = match.end()
        if match.lastgroup != "skip":
            items.append(Token(cast("Kind", match.lastgroup), match[0], match.start()))
        if len(items) > _MOST_TOKENS:
            raise QuerySyntaxError(f"the query has more than {_MOST_TOKENS:,} tokens")
    if position != len(query):
        raise QuerySyntaxError(f"unexpected {query[position]!r} at offset {position}")
    return Tokens(tuple(items), tuple(token.text.lower() for token in items), _pair(items))


def _pair(items: list[Token]) -> dict[int, int]:
    partner: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(items):
        if token.kind != "sign":
            continue
        if token.text in _PARTNER.values():
            opened.append(index)
        elif token.text in _PARTNER:
            if not opened or items[opened[-1]].text != _PARTNER[token.text]:
                raise QuerySyntaxError(f"{token.text!r} at offset {token.start} has no opening bracket")
            partner[index] = opened.pop()
            partner[partner[index]] = index
    if opened:
        token = items[opened[-1]]
        raise QuerySyntaxError(f"{token.text!r} at offset {token.start} is never closed")
    return partner


def seconds(duration: str) -> float:
    """Return the length of a duration token in seconds."""
    return sum(
        int(count) * _SECONDS[unit] for count, unit in re.findall(r"(?<!\d)(\d+)(ms|[smhdwy])", duration)
    )


def unquote(literal: str) -> str:
    """Return the value of a string token."""
    body = literal[1:-1]
    return body if literal[0] == "`" else _ESCAPE.sub(_unescape, body)


def _unescape(match: re.Match[str]) -> str:
    octal, byte, short, long, single = match.groups()
    if single is not None:
        return _ESCAPED.get(single, single)
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    return chr(code) if code <= sys.maxunicode else "\ufffd"  # Prometheus refuses the text
