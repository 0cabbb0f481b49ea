"""What Argo Rollouts makes of a condition: an evaluator of the expressions that `conditions` writes.

It covers that subset only: `len`, `isNaN`, `isInf`, comparisons of numbers, `&&`, `||`, `!`, `result[i]`,
parentheses, numbers, `true` and `false`. Anything else is an Error, which is also what the controller
answers to an expression it cannot evaluate, but it is no claim about expressions outside the subset;
`supports` tells them apart. Every form of `conditions` was compared with expr-lang 1.17.8, the
controller's library, on eight kinds of result: all equal.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from generator.promql.conditions import Condition

Verdict = Literal["Successful", "Failed", "Inconclusive", "Error"]
_Value = bool | float | list[float]
_Node = Callable[[list[float]], _Value]

_TOKEN: Final = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z]\w*)|(&&|\|\||[<>=!]=|[<>!()\[\]-]))")
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class EvaluationError(Exception):
    """The expression is outside the subset, or failed on this result."""


def verdict(condition: Condition, result: Sequence[float]) -> Verdict:
    """Judge one measurement as the controller does (argo-rollouts, utils/evaluate, `EvaluateResult`)."""
    try:
        success = evaluate(condition.success, result) if condition.success else None
        failure = evaluate(condition.failure, result) if condition.failure else None
    except EvaluationError:
        return "Error"
    if failure:
        return "Failed"
    if success or (success is None and not failure):
        return "Successful"
    return "Failed" if failure is None else "Inconclusive"


def evaluate(expression: str, result: Sequence[float]) -> bool:
    """Evaluate an expression over `result`.

    Raises:
        EvaluationError: for an index out of range, values of the wrong type, or an expression outside the
            subset.
    """
    return _boolean(_compiled(expression)(list(result)))


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> _Node:
    """A replay evaluates a handful of conditions thousands of times."""
    return _Parser(_tokens(expression)).whole()


def supports(expression: str) -> bool:
    """Whether the expression lies in the subset, so that a verdict on it tells what the controller says."""
    try:
        _Parser(_tokens(expression)).whole()
    except EvaluationError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["number", "name", "sign", "end"]
    text: str


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, text = 0, expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise EvaluationError(f"unexpected {text[position:].strip()[:1]!r}")
        kind: Literal["number", "name", "sign"] = "number" if match[1] else "name" if match[2] else "sign"
        tokens.append(_Token(kind, match[match.lastindex or 0]))
        position = match.end()
    return [*tokens, _Token("end", "")]


class _Parser:
    """Recursive descent into functions of the result, so that the whole is parsed before it runs."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def whole(self) -> _Node:
        node = self._either()
        self._expect("")
        return node

    def _either(self) -> _Node:
        left = self._both()
        while self._accept("||"):
            left = _either(left, self._both())
        return left

    def _both(self) -> _Node:
        left = self._comparison()
        while self._accept("&&"):
            left = _both(left, self._comparison())
        return left

    def _comparison(self) -> _Node:
        left = self._unary()
        for sign, compare in _COMPARE.items():
            if self._accept(sign):
                return _comparison(compare, left, self._unary())
        return left

    def _unary(self) -> _Node:
        if self._accept("!"):
            operand = self._unary()
            return lambda result: not _boolean(operand(result))
        if self._accept("-"):
            operand = self._unary()
            return lambda result: -_number(operand(result))
        return self._indexed()

    def _indexed(self) -> _Node:
        node = self._primary()
        while self._accept("["):
            node = _item(node, self._either())
            self._expect("]")
        return node

    def _primary(self) -> _Node:
        token = self._take()
        if token.text == "(":
            node = self._either()
            self._expect(")")
            return node
        if token.kind == "number":
            value = float(token.text)
            return lambda _: value
        if token.text in {"true", "false"}:
            return lambda _: token.text == "true"
        if token.text == "result":
            return lambda result: result
        if token.text in _CALLS and self._accept("("):
            argument = self._either()
            self._expect(")")
            return lambda result: _CALLS[token.text](argument(result))
        raise EvaluationError(f"unexpected {token.text!r}")

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _accept(self, text: str) -> bool:
        found = self._tokens[self._next].text == text
        self._next += found
        return found

    def _expect(self, text: str) -> None:
        if self._take().text != text:
            raise EvaluationError(f"expected {text or 'the end'!r}")


def _either(left: _Node, right: _Node) -> _Node:
    return lambda result: _boolean(left(result)) or _boolean(right(result))


def _both(left: _Node, right: _Node) -> _Node:
    return lambda result: _boolean(left(result)) and _boolean(right(result))


def _comparison(compare: Callable[[float, float], bool], left: _Node, right: _Node) -> _Node:
    return lambda result: compare(_number(left(result)), _number(right(result)))


def _item(sequence: _Node, index: _Node) -> _Node:
    def item(result: list[float]) -> _Value:
        values, position = _list(sequence(result)), _number(index(result))
        if position not in range(len(values)):
            raise EvaluationError(f"index {position:g} is out of range")
        return values[int(position)]

    return item


def _boolean(value: _Value) -> bool:
    if not isinstance(value, bool):
        raise EvaluationError("not a boolean")
    return value


def _number(value: _Value) -> float:
    if isinstance(value, bool | list):
        raise EvaluationError("not a number")
    return value


def _list(value: _Value) -> list[float]:
    if not isinstance(value, list):
        raise EvaluationError("not a list")
    return value


_CALLS: Final[dict[str, Callable[[_Value], _Value]]] = {
    "len": lambda value: float(len(_list(value))),
    "isNaN": lambda value: math.isnan(_number(value)),
    "isInf": lambda value: math.isinf(_number(value)),
}
