"""Filters, methods and operators that can multiply a value: each checks the size of its result first."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.tests import TESTS as JINJA_TESTS
from jinja2.utils import _PassArg

from generator.render.budget import Budget, LimitError, check_digits, check_text

_Function = Callable[..., Any]
_MARGIN: Final = 200  # the largest indentation
_NUMBER: Final = 10_000  # the largest other number that a filter takes

# Not here: those that are random, that search with slow patterns, or that need no file of ours.
_FILTERS: Final = (
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first",
    "float", "forceescape", "format", "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower",
    "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "slice",
    "sort", "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
)  # fmt: skip
_TESTS: Final = tuple(sorted(JINJA_TESTS.keys() - {"filter", "test", "callable"}))
# These read one value of a list, however long it is.
_CONSTANT: Final = frozenset({"count", "d", "default", "first", "last", "length"})
_SPECIFIER: Final = re.compile(r"%[-+ #0]*[0-9]{0,3}(?:\.[0-9]{1,3})?[sdfgxeu%]")

STRING_METHODS: Final = frozenset({
    "capitalize", "center", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii", "isdecimal",
    "isdigit", "islower", "isnumeric", "isspace", "isupper", "join", "ljust", "lower", "lstrip", "partition",
    "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split",
    "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
})  # fmt: skip
"""The methods of text that a template may call."""


def filters(own: Mapping[str, _Function], budget: Budget) -> dict[str, _Function]:
    """Return the filters of a sandbox by name: some of Jinja's, and our own."""
    chosen: dict[str, _Function] = {name: JINJA_FILTERS[name] for name in _FILTERS}
    chosen.update(own)
    return {name: _bounded(name, function, budget) for name, function in chosen.items()}


def tests(budget: Budget) -> dict[str, _Function]:
    """Return the tests of a sandbox by name."""
    known: Mapping[str, Any] = JINJA_TESTS
    return {name: _bounded(name, known[name], budget) for name in _TESTS}


def _bounded(name: str, function: _Function, budget: Budget) -> _Function:
    first = 1 if _PassArg.from_obj(function) is not None else 0
    check = _GROWTH.get(name)

    @wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        budget.charge(1)
        for value in (*args[first + (name in _CONSTANT) :], *named.values()):
            budget.weigh(value)
        if check is not None:
            check(*args[first:], **named)
        return budget.settle(function(*args, **named)) if name not in _CONSTANT else function(*args, **named)

    return run


def check_method(name: str, text: str, args: tuple[Any, ...]) -> None:
    """Check the size of the result of a method of text.

    Raises:
        LimitError: it is too large.
    """
    check = _GROWTH.get(name) if name in {"join", "replace"} else _padded if name in _PADDING else None
    if check is not None:
        check(*((args[0], text) if name == "join" and args else (text, *args)))


def operate(sign: str, left: Any, right: Any) -> Any:
    """Return the result of an operator.

    Raises:
        LimitError: it is too large.
        SecurityError: it formats text.
    """
    if sign == "*":
        _check_product(left, right)
    elif sign == "**" and isinstance(left, int) and isinstance(right, int):
        check_digits(left.bit_length() * abs(right))
    elif sign == "%" and isinstance(left, str):
        _formatted(left)
    return _OPERATORS[sign](left, right)


def _check_product(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int):
        check_digits(left.bit_length() + right.bit_length())
        return
    for many, count in ((left, right), (right, left)):
        if isinstance(many, (str, list, tuple)) and isinstance(count, int):
            check_text(len(many) * count)


def _formatted(text: str, *_args: Any, **_named: Any) -> None:
    """Check that a text for `%` has no wide fields."""
    if "%" in _SPECIFIER.sub("", str(text)):
        raise SecurityError("a format has fields such as %s and %d, at most 999 wide")


def _joined(values: Any, separator: Any = "", attribute: Any = None) -> None:
    del attribute
    check_text(len(str(separator)) * len(values) if hasattr(values, "__len__") else 0)


def _replaced(text: Any, old: str, new: str, count: int | None = None) -> None:
    del count
    times = len(text) + 1 if not old else str(text).count(old)
    check_text(len(text) + times * len(new))


def _padded(text: Any, width: Any = 80, *_more: Any) -> None:
    del text
    _number(width, _NUMBER)


def _indented(text: Any, width: Any = 4, *_more: Any, **_named: Any) -> None:
    margin = len(width) if isinstance(width, str) else width
    _number(margin, _MARGIN)
    check_text(len(text) + str(text).count("\n") * margin)


def _inset(value: Any, indent: int) -> None:
    del value
    _number(indent, _MARGIN)


def _grouped(value: Any, number: Any, *_more: Any, **_named: Any) -> None:
    del value
    _number(number, _NUMBER)


def _rounded(value: Any, precision: int = 0, *_more: Any, **_named: Any) -> None:
    del value
    _number(precision, 20)


def _summed(values: Any, attribute: Any = None, start: Any = 0) -> None:
    del values, attribute
    if not isinstance(start, (int, float)):
        raise LimitError("`sum` adds numbers; `join` joins texts")


def _dumped(value: Any, indent: int | None = None) -> None:
    del value
    _number(indent or 0, 8)


def _whole(value: Any, default: Any = 0, base: int = 10) -> None:
    del default, base
    check_text(len(value) * 1000 if isinstance(value, str) else 0)


def _number(value: Any, most: int) -> None:
    if isinstance(value, (int, float)) and not -most <= value <= most:
        raise LimitError(f"the number {value} is too large here: at most {most:,}")


_PADDING: Final = frozenset({"center", "ljust", "rjust", "zfill"})
_GROWTH: Final[Mapping[str, Callable[..., None]]] = {
    "batch": _grouped,
    "block": _inset,
    "center": _padded,
    "format": _formatted,
    "indent": _indented,
    "int": _whole,
    "items": lambda value, indent=0: _inset(value, indent),
    "join": _joined,
    "lines": _inset,
    "replace": _replaced,
    "round": _rounded,
    "slice": _grouped,
    "sum": _summed,
    "text": _inset,
    "tojson": _dumped,
}
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "**": operator.pow,
    "%": operator.mod,
}
