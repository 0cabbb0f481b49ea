"""Find counters of events whose absence empties a whole query: a counter has no series until its first event.

While nothing has failed, `sum(rate(errors)) / sum(rate(requests))` is empty, not 0, and so is every formula with such a
sum as an operand. Divisors count requests, and without requests an empty result is correct. This module therefore
checks
the sums in formulas that divide by other series than their own, as far as brackets and operators show.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from generator.dataclass import dataclass
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
class AbsentEvents:
    """A counter of events without a default.

    Args:
        metric: the counter.
        zero: result of the query without any event; None when its text does not show it.
    """

    metric: str
    zero: float | None


class _Level(NamedTuple):
    """An operand and the formula around it, up to a bracket, a comma, a comparison or a set operator."""

    inner: range
    outer: range
    left: str
    right: str


def absent_events(tokens: Tokens, selectors: list[Selector]) -> list[AbsentEvents]:
    """Return the counters of events without a default in a query, each once."""
    found: dict[str, AbsentEvents] = {}
    for total in _totals(tokens):
        levels = list(_levels(tokens, total))
        if not any({level.left, level.right} & _DEFAULTS for level in levels):
            for metric in _absent(tokens, selectors, total, levels):
                found.setdefault(metric, AbsentEvents(metric, _zero(tokens, levels)))
    return [found[metric] for metric in sorted(found)]


def _totals(tokens: Tokens) -> Iterator[range]:
    """Yield the sums of rates without labels, which are empty when no series matches."""
    for index in range(len(tokens.items)):
        if tokens.word(index) != "sum" or tokens.word(index + 1) != "(":
            continue
        total = range(index, tokens.partner[index + 1] + 1)
        words = {tokens.word(i) for i in total}
        rates = bool(words & (RATES | INSTANT_RATES))
        if rates and not words & {"by", "without", "or"} and tokens.word(total.stop) not in GROUPINGS:
            yield total


def _levels(tokens: Tokens, operand: range) -> Iterator[_Level]:
    """Yield the formulas around an operand, from the inside out."""
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
    """Return the index of the first token that ends the formula; the brackets of operands are skipped."""
    enters, leaves = (_OPENING, _CLOSING) if step > 0 else (_CLOSING, _OPENING)
    while 0 <= index < len(tokens.items):
        word = tokens.word(index)
        if word in leaves or word in SET_OPERATORS or word in _COMPARISONS or word == ",":
            return index
        index = (tokens.partner[index] if word in enters else index) + step
    return index


def _absent(tokens: Tokens, selectors: list[Selector], total: range, levels: list[_Level]) -> Iterator[str]:
    """Yield the metrics of a sum that its formula divides by other metrics."""
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
    """Return whether an empty result is intended: the formula is compared, or it filters another one."""
    return level.left in SET_OPERATORS or bool({level.left, level.right} & _COMPARISONS)


def _zero(tokens: Tokens, levels: list[_Level]) -> float | None:
    """Return the result of the query when the sum is 0: products of it, or a number minus them; None if not known."""
    value = 0.0
    for level in levels:
        before = list(_top(tokens, range(level.outer.start, level.inner.start)))
        after = list(_top(tokens, range(level.inner.stop, level.outer.stop)))
        signs = [word for word in before if word in _SUMS]
        called = before[-1:] if before and before[-1].isidentifier() else []
        if _filters(level) or _SUMS & set(after) or not _KEEPS_ZERO.issuperset(called):
            return None
        if value and (called or _PRODUCTS & {*before, *after}):
            factor = _factor(before, after)
            if factor is None:
                return None
            value *= factor
            continue
        if signs == ["-"] and before[1:2] == ["-"] and before[0].isdecimal():
            value = int(before[0]) - value
        elif signs:
            return None
    return value


def _factor(before: list[str], after: list[str]) -> float | None:
    """Return the number that an operand is multiplied with: `100 *` in front of it, or `* 100` behind it."""
    match before, after:
        case ([number, "*"], []) | ([], ["*", number]) if number.isdecimal():
            return int(number)
    return None


def _top(tokens: Tokens, span: range) -> Iterator[str]:
    """Yield the words of a span outside its brackets."""
    index = span.start
    while index < span.stop:
        if tokens.word(index) in _OPENING:
            index = tokens.partner[index]
        else:
            yield tokens.word(index)
        index += 1


def _operand_after(tokens: Tokens, index: int) -> range:
    """Return the operand that begins after `index`, with the lists of vector matching in front of it."""
    end = index + 1
    while end < len(tokens.items) and tokens.word(end) not in SET_OPERATORS:
        if tokens.items[end].kind != "name" and tokens.word(end) not in _OPENING:
            break
        end = tokens.partner.get(end, end) + 1
    return range(index + 1, end)
