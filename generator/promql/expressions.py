"""PromQL as a tree of expressions: enough of the grammar to recognize what a query measures and to evaluate it.

Precedence and modifiers after Prometheus 3, promql/parser/generated_parser.y. Types are not checked, and
subqueries keep only their range.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

from generator.dataclass import dataclass
from generator.promql.selectors import GROUPINGS, INSTANT_RATES, RATES, Selector, matchers_of
from generator.promql.tokens import QuerySyntaxError, Tokens, seconds, tokenize, unquote

AGGREGATIONS: Final = frozenset(
    {
        "avg",
        "bottomk",
        "count",
        "count_values",
        "group",
        "limitk",
        "max",
        "min",
        "quantile",
        "stddev",
        "stdvar",
        "sum",
        "topk",
    }
)
_STRENGTH: Final = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(("==", "!=", "<", ">", "<=", ">="), 3),
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
    "atan2": 5,
    "^": 6,
}
_MATCHING: Final = frozenset({"on", "ignoring", "group_left", "group_right"})
_DEEPEST: Final = 100
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string, or an argument that is not filled in."""

    value: str


@dataclass(frozen=True, slots=True)
class Series:
    """A selector; `window_s` is 0 without a range, and `moved` is its `offset` or `@` as it is written."""

    selector: Selector
    window_s: float = 0.0
    moved: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an aggregation with its arguments; `by` are the labels that an aggregation keeps."""

    name: str
    arguments: tuple[Expression, ...]
    by: tuple[str, ...] = ()
    without: bool = False


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions; `truth` is the `bool` of a comparison."""

    sign: str
    left: Expression
    right: Expression
    truth: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """A comparison with a number: it keeps the values for which it holds, or gives 1 and 0 with `bool`."""

    sign: str
    limit: float
    truth: bool

    def keeps(self, value: float) -> bool:
        """Return whether the comparison holds; never for NaN, but for `!=`."""
        return _COMPARISONS[self.sign](value, self.limit)


Expression: TypeAlias = Number | Text | Series | Call | Binary


@lru_cache(maxsize=4096)
def parse(query: str) -> Expression:
    """Return the expression of a query.

    Raises:
        QuerySyntaxError: it is not PromQL, or uses a part of the grammar that is not read here.
    """
    reader = _Reader(tokenize(query))
    found = reader.expression(0)
    if reader.at < len(reader.tokens.items):
        raise QuerySyntaxError(f"unexpected {reader.text!r}")
    return found


class _Reader:
    """Reads tokens from left to right (precedence climbing)."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens, self.at, self._depth = tokens, 0, 0

    @property
    def word(self) -> str:
        return self.tokens.word(self.at)

    @property
    def text(self) -> str:
        return self.tokens.items[self.at].text if self.at < len(self.tokens.items) else "the end"

    def expression(self, least: int) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise QuerySyntaxError("the query is nested too deeply")
        left = self._operand()
        while (strength := _STRENGTH.get(self.word, 0)) > least:
            sign = self.word
            self.at += 1
            truth = self.word == "bool"
            self._matching()
            right = self.expression(strength - (sign == "^"))
            left = Binary(sign, left, right, truth)
        self._depth -= 1
        return left

    def _matching(self) -> None:
        """Skip `bool`, `on (…)` and `group_left (…)`."""
        while self.word == "bool" or self.word in _MATCHING:
            self.at += 1
            if self.word == "(":
                self.at = self.tokens.partner[self.at] + 1

    def _operand(self) -> Expression:
        if self.word in ("+", "-"):
            negative = self.word == "-"
            self.at += 1
            inner = self.expression(_STRENGTH["*"])
            return Binary("*", Number(-1.0), inner) if negative else inner
        return self._modified(self._primary())

    def _primary(self) -> Expression:
        if self.at >= len(self.tokens.items):
            raise QuerySyntaxError("the query ends too early")
        token = self.tokens.items[self.at]
        word, following = self.word, self.tokens.word(self.at + 1)
        if word == "(":
            return self._parenthesis()
        if token.kind == "number":
            self.at += 1
            return Number(float(int(token.text, 16)) if word.startswith("0x") else float(token.text))
        if token.kind == "string":
            self.at += 1
            return Text(unquote(token.text))
        if token.kind == "argument":
            self.at += 1
            return Text(token.text)
        if word in ("inf", "nan") and following != "{":
            self.at += 1
            return Number(float(word))
        if word == "{" or (token.kind == "name" and following == "{"):
            return self._selector(token.text if word != "{" else "")
        if token.kind == "name" and (following == "(" or (word in AGGREGATIONS and following in GROUPINGS)):
            return self._call(token.text, word)
        if token.kind == "name":
            self.at += 1
            return Series(Selector(token.text, (), self.at - 1))
        raise QuerySyntaxError(f"unexpected {token.text!r}")

    def _parenthesis(self) -> Expression:
        end = self.tokens.partner[self.at]
        self.at += 1
        inner = self.expression(0)
        if self.at != end:
            raise QuerySyntaxError(f"unexpected {self.text!r}")
        self.at += 1
        return inner

    def _selector(self, name: str) -> Series:
        start = self.at
        self.at += bool(name)
        found = Selector(name, matchers_of(self.tokens, self.at), start)
        self.at = self.tokens.partner[self.at] + 1
        return Series(found)

    def _call(self, name: str, word: str) -> Call:
        self.at += 1
        by, without = self._grouping()
        if self.word != "(":
            raise QuerySyntaxError(f"unexpected {self.text!r} after {name}")
        end = self.tokens.partner[self.at]
        self.at += 1
        arguments = []
        while self.at < end:
            arguments.append(self.expression(0))
            if self.at < end and self.word != ",":
                raise QuerySyntaxError(f"unexpected {self.text!r} in {name}()")
            self.at += self.at < end
        self.at = end + 1
        if not by and not without and word in AGGREGATIONS:
            by, without = self._grouping()
        return Call(word if word in AGGREGATIONS else name, tuple(arguments), by, without)

    def _grouping(self) -> tuple[tuple[str, ...], bool]:
        if self.word not in GROUPINGS:
            return (), False
        without = self.word == "without"
        self.at += 1
        if self.word != "(":
            raise QuerySyntaxError(f"unexpected {self.text!r}")
        end = self.tokens.partner[self.at]
        labels = tuple(token.text for token in self.tokens.items[self.at + 1 : end] if token.kind == "name")
        self.at = end + 1
        return labels, without

    def _modified(self, inner: Expression) -> Expression:
        """Read the range, `offset` and `@` behind an expression."""
        while self.word in ("[", "offset", "@"):
            if self.word == "[":
                window = self.tokens.items[self.at + 1]
                length = seconds(window.text) if window.kind == "duration" else 0.0
                self.at = self.tokens.partner[self.at] + 1
                if isinstance(inner, Series):
                    inner = Series(inner.selector, length, inner.moved)
                else:
                    inner = Call("subquery", (inner, Number(length)))
            else:
                start = self.at
                self.at += 2 + (self.tokens.word(self.at + 1) == "-")
                if self.word == "(":
                    self.at = self.tokens.partner[self.at] + 1
                if isinstance(inner, Series):
                    words = (self.tokens.word(index) for index in range(start, self.at))
                    inner = Series(inner.selector, inner.window_s, " ".join(words))
        return inner


def is_scalar(found: Expression) -> bool:
    """Return whether the result is one number instead of a list of series; a scalar of no series is NaN."""
    match found:
        case Number() | Call("scalar" | "time" | "pi"):
            return True
        case Binary(_, left, right):
            return is_scalar(left) and is_scalar(right)
    return False


def filter_of(found: Expression) -> Filter | None:
    """Return the comparison with a number that decides which values a query shows; None without one."""
    match found:
        case Binary("or", left, right) if constant(right) is not None:
            return filter_of(left)
        case Binary(sign, _, right, truth) if sign in _COMPARISONS:
            limit = constant(right)
            return None if limit is None else Filter(sign, limit, truth)
    return None


def times_of(found: Expression) -> set[str]:
    """Return the `offset` and `@` of all series in an expression; empty text for a series without one."""
    match found:
        case Series():
            return {found.moved}
        case Call(_, arguments):
            return {time for argument in arguments for time in times_of(argument)}
        case Binary(_, left, right):
            return times_of(left) | times_of(right)
    return set()


def gives_several(found: Expression) -> bool:
    """Return whether counters are summed for each value of a label, or not at all."""
    match found:
        case Call(name, _, by, without) if name in AGGREGATIONS:
            return splits(by, without=without)
        case Call(name, arguments):
            return name in RATES | INSTANT_RATES or any(map(gives_several, arguments))
        case Binary(_, left, right):
            return gives_several(left) or gives_several(right)
    return False


def splits(by: tuple[str, ...], *, without: bool) -> bool:
    """Return whether an aggregation keeps a label by which series differ: `le` only splits a histogram."""
    return without or any(label != "le" for label in by)


def constant(found: Expression) -> float | None:
    """Return the value of an expression of numbers only, None for another one."""
    match found:
        case Number(value):
            return value
        case Call("vector" | "scalar", (inner,)):
            return constant(inner)
        case Binary(sign, left, right) if sign in _ARITHMETIC:
            one, two = constant(left), constant(right)
            if one is None or two is None or (sign == "/" and two == 0):
                return None
            return _ARITHMETIC[sign](one, two)
    return None
