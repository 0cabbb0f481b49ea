"""Events that vanish: a counter has no series until its first event, and then a whole query has no result.

`sum(rate(errors)) / sum(rate(requests))` is empty, not 0, while nothing has failed, and so is every formula that such
a sum is an operand of. What a query divides by counts requests, and a query without requests has nothing to say; so
judged are the sums in formulas that divide by other series than theirs, as far as brackets and operators show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from generator.promql.selectors import GROUPINGS, INSTANT_RATES, RATES, SET_OPERATORS, Selector
from generator.promql.tokens import Tokens

_COMPARISONS: Final = frozenset({"==", "!=", ">", "<", ">=", "<="})
_SUMS: Final = frozenset({"+", "-"})
_PRODUCTS: Final = frozenset({"*", "/", "%", "^"})
_OPENING: Final = frozenset({"(", "[", "{"})
_CLOSING: Final = frozenset({")", "]", "}"})
_NEVER_EMPTY: Final = frozenset({"absent", "absent_over_time", "scalar", "vector"})
_DEFAULTS: Final = _NEVER_EMPTY | {"or"}
_KEEPS_ZERO: Final = frozenset(
    {"abs", "avg", "avg_over_time", "clamp_max", "clamp_min", "max", "max_over_time", "min", "min_over_time"}
    | {"round", "sum", "sum_over_time"}
)


@dataclass(frozen=True, slots=True)
class Vanishing:
    """Events without a default.

    Args:
        metric: the counter.
        zero: what the query would give for no event at all; None where its text does not show it.
    """

    metric: str
    zero: float | None


class _Level(NamedTuple):
    """An operand and the formula around it, up to a bracket, a comma, a comparison or a set operator."""

    inner: range
    outer: range
    left: str
    right: str


def vanishing(tokens: Tokens, selectors: list[Selector]) -> list[Vanishing]:
    """Find the events of a query that vanish, each metric once."""
    found: dict[str, Vanishing] = {}
    for total in _totals(tokens):
        levels = list(_levels(tokens, total))
        if not any({level.left, level.right} & _DEFAULTS for level in levels):
            for metric in _absent(tokens, selectors, total, levels):
                found.setdefault(metric, Vanishing(metric, _zero(tokens, levels)))
    return [found[metric] for metric in sorted(found)]


def _totals(tokens: Tokens) -> Iterator[range]:
    """Sums of rates without labels, of which nothing is left when no series matches."""
    for index in range(len(tokens.items)):
        if tokens.word(index) != "sum" or tokens.word(index + 1) != "(":
            continue
        total = range(index, tokens.partner[index + 1] + 1)
        words = {tokens.word(i) for i in total}
        rates = bool(words & (RATES | INSTANT_RATES))
        if rates and not words & {"by", "without", "or"} and tokens.word(total.stop) not in GROUPINGS:
            yield total


def _levels(tokens: Tokens, operand: range) -> Iterator[_Level]:
    """The formulas around an operand, from the inside out."""
    while True:
        left, right = _edge(tokens, operand.start - 1, -1), _edge(tokens, operand.stop, 1)
        yield _Level(operand, range(left + 1, right), tokens.word(left), tokens.word(right))
        around = [o for o in tokens.partner if o < operand.start and tokens.partner[o] >= operand.stop]
        if not around:
            return
        opening = max(around)
        operand = range(opening, tokens.partner[opening] + 1)
        if tokens.word(opening - 1) in _NEVER_EMPTY:
            yield _Level(operand, operand, tokens.word(opening - 1), "")
            return


def _edge(tokens: Tokens, index: int, step: int) -> int:
    """The first token from here that ends the formula; brackets of its operands are jumped over."""
    enters, leaves = (_OPENING, _CLOSING) if step > 0 else (_CLOSING, _OPENING)
    while 0 <= index < len(tokens.items):
        word = tokens.word(index)
        if word in leaves or word in SET_OPERATORS or word in _COMPARISONS or word == ",":
            return index
        index = (tokens.partner[index] if word in enters else index) + step
    return index


def _absent(tokens: Tokens, selectors: list[Selector], total: range, levels: list[_Level]) -> Iterator[str]:
    """Metrics of a total that its formula divides, and does not divide by."""
    for level in levels:
        if _filters(level):
            return
        divisors = [_operand_after(tokens, i) for i in level.outer if tokens.word(i) == "/"]
        if any(total.start in divisor for divisor in divisors):
            return
        requests = {s.source for s in selectors if any(s.index in divisor for divisor in divisors)}
        if requests:
            yield from (s.metric for s in selectors if s.index in total and s.source not in requests)
            return


def _filters(level: _Level) -> bool:
    """Whether an empty result is meant: the formula is compared, or what another one is filtered by."""
    return level.left in SET_OPERATORS or bool({level.left, level.right} & _COMPARISONS)


def _zero(tokens: Tokens, levels: list[_Level]) -> float | None:
    """What the whole query gives when the total is 0: products of it, and a number minus them."""
    value = 0.0
    for level in levels:
        before = list(_top(tokens, range(level.outer.start, level.inner.start)))
        after = list(_top(tokens, range(level.inner.stop, level.outer.stop)))
        signs = [word for word in before if word in _SUMS]
        called = before[-1:] if before and before[-1].isidentifier() else []
        if _filters(level) or _SUMS & set(after) or not _KEEPS_ZERO.issuperset(called):
            return None
        if value and (called or _PRODUCTS & {*before, *after}):
            return None
        if signs == ["-"] and before[1:2] == ["-"] and before[0].isdecimal():
            value = int(before[0]) - value
        elif signs:
            return None
    return value


def _top(tokens: Tokens, span: range) -> Iterator[str]:
    """The words of a span that stand in no bracket of it."""
    index = span.start
    while index < span.stop:
        if tokens.word(index) in _OPENING:
            index = tokens.partner[index]
        else:
            yield tokens.word(index)
        index += 1


def _operand_after(tokens: Tokens, index: int) -> range:
    """Return the operand that begins after `index`, with what the vector matching in front of it lists."""
    end = index + 1
    while end < len(tokens.items) and tokens.word(end) not in SET_OPERATORS:
        if tokens.items[end].kind != "name" and tokens.word(end) not in _OPENING:
            break
        end = tokens.partner.get(end, end) + 1
    return range(index + 1, end)
