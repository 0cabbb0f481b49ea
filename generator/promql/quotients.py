"""The divisions of a query, and whether one can divide by zero.

Read from tokens, brackets and the precedence of operators. A quotient of counters is x / 0 = +Inf only if something can
be counted above the line and nothing below; where each series above is also counted below, it is 0 / 0 = NaN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from generator.dataclass import dataclass
from generator.promql.selectors import SET_OPERATORS, Selector
from generator.promql.tokens import Tokens, seconds

_WEAKER: Final = SET_OPERATORS | {"+", "-", "==", "!=", ">", "<", ">=", "<=", ",", "(", "[", "{"}
_STRONG: Final = frozenset({"*", "/", "%", "atan2"})
_EVERYTHING: Final = frozenset({("=~", ".*"), ("!=", ""), ("=~", ".+")})


@dataclass(frozen=True, slots=True)
class Quotient:
    """One division: the tokens above the line and below it."""

    above: range
    below: range


def quotients(tokens: Tokens) -> Iterator[Quotient]:
    """Yield every division of a query."""
    for index in range(len(tokens.items)):
        if tokens.word(index) == "/":
            yield Quotient(range(_before(tokens, index), index), range(index + 1, _behind(tokens, index + 1)))


def floor_of(tokens: Tokens, span: range) -> float | None:
    """Return the least value that `clamp_min` lets through in a span, None where there is none."""
    for index in span:
        if tokens.word(index) == "clamp_min" and tokens.word(index + 1) == "(":
            last = tokens.partner[index + 1] - 1
            if tokens.items[last].kind == "number" and tokens.word(last - 1) == ",":
                return float(tokens.items[last].text)
    return None


def may_be_infinite(tokens: Tokens, selectors: Sequence[Selector]) -> bool:
    """Return whether some division of a query may have something above the line and zero below it."""
    return any(_may_be_infinite(tokens, selectors, quotient) for quotient in quotients(tokens))


def _may_be_infinite(tokens: Tokens, selectors: Sequence[Selector], quotient: Quotient) -> bool:
    below = [one for one in selectors if one.index in quotient.below]
    if not below or (floor_of(tokens, quotient.below) or 0) > 0 or _drops_zero(tokens, quotient.below):
        return False
    above = [one for one in selectors if one.index in quotient.above]
    return not all(any(_is_part(tokens, one, whole) for whole in below) for one in above)


def _drops_zero(tokens: Tokens, span: range) -> bool:
    """Return whether a comparison with a number of at least 0, such as `> 0`, removes an empty denominator."""
    return any(
        tokens.word(i) in (">", "!=") and tokens.items[i + 1].kind == "number"
        for i in span
        if i + 1 < len(tokens.items)
    )


def _is_part(tokens: Tokens, part: Selector, whole: Selector) -> bool:
    """Return whether every series of one selector is among those of another, over no longer a time."""
    (name, own), (family, common) = part.source, whole.source
    loose = {matcher for matcher in common if matcher[1:] in _EVERYTHING}
    if name != family or not (set(common) - loose) <= set(own):
        return False
    window, other = _window(tokens, part), _window(tokens, whole)
    return window is None or other is None or window <= other


def _window(tokens: Tokens, selector: Selector) -> float | None:
    index = selector.index
    index += tokens.word(index) != "{" and tokens.word(index + 1) == "{"
    index = tokens.partner.get(index, index) + 1
    if tokens.word(index) == "[" and tokens.items[index + 1].kind == "duration":
        return seconds(tokens.items[index + 1].text)
    return None


def _before(tokens: Tokens, index: int) -> int:
    """Return where the operand before a division begins: products of the same strength belong to it."""
    while index > 0 and tokens.word(index - 1) not in _WEAKER:
        index -= 1
        if tokens.word(index) in (")", "]", "}"):
            index = tokens.partner[index]
    return index


def _behind(tokens: Tokens, index: int) -> int:
    """Return where the operand behind a division ends."""
    end = index
    while end < len(tokens.items) and tokens.word(end) not in (_WEAKER | _STRONG) - {"(", "[", "{"}:
        if tokens.word(end) in (")", "]", "}"):
            break
        end = tokens.partner.get(end, end) + 1
    return end
