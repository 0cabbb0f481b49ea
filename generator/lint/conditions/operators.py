"""Operators of the expression language: which types they take, and what they give at run time.

Type checks follow the library's checker, values its virtual machine; both raise where the controller
reports an Error.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generator.lint.conditions.functions import Scope, Typed
from generator.lint.conditions.tree import Rejected, Unsupported
from generator.lint.rollouts.view import Version

NUMBERS = frozenset({"int", "float"})
ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda a, b: b in a,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
}
_FLOAT = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)


def type_of(value: object) -> str:
    """The type of a value as Go's JSON decoder makes it."""
    if isinstance(value, Mapping):
        return "map"
    if isinstance(value, list | tuple):
        return "list of any"
    names = {bool: "bool", int: "int", float: "float", str: "string", type(None): "nil"}
    return names.get(type(value), "any")


def nan_or_inf(name: str, argument: Typed) -> Callable[[Scope], bool]:
    """`isNaN` and `isInf`: functions of a float, and of nothing else."""
    demand(argument.type, {"float", "int"}, name)
    if argument.type == "int":
        raise Unsupported(f"{name} of an integer")

    def run(scope: Scope) -> bool:
        value = argument.run(scope)
        if not isinstance(value, float):
            raise TypeError(f"{name} takes a float")
        return math.isnan(value) if name == "isNaN" else math.isinf(value)

    return run


def demand(kind: str, wanted: set[str] | frozenset[str], what: str) -> None:
    """Refuse a type that is not among the wanted ones; `any` is checked when it runs."""
    if kind != "any" and kind not in wanted:
        raise Rejected(f"{what} does not take {kind}")


def truth(value: object) -> bool:
    """The value where it is true or false."""
    if not isinstance(value, bool):
        raise TypeError("expected bool")
    return value


def number(value: Any) -> float | int:
    """The value where it is a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("expected a number")
    return value


def logic(name: str, left: Typed, right: Typed) -> Typed:
    """`&&` and `||`, which look at the right side only when they need it."""
    demand(left.type, {"bool"}, name)
    demand(right.type, {"bool"}, name)
    if name == "&&":
        return Typed("bool", lambda scope: truth(left.run(scope)) and truth(right.run(scope)))
    return Typed("bool", lambda scope: truth(left.run(scope)) or truth(right.run(scope)))


def equality(name: str, left: Typed, right: Typed) -> Typed:
    """`==` and `!=` between types that may be equal."""
    kinds = {left.type, right.type}
    alike = len(kinds) == 1 or kinds == NUMBERS or kinds & {"any", "nil"}
    if any(kind.startswith("list of ") for kind in kinds) and "nil" not in kinds:
        raise Unsupported("comparing lists")
    if not alike:
        raise Rejected(f"{name} between {left.type} and {right.type}")

    def equal(scope: Scope) -> bool:
        a, b = left.run(scope), right.run(scope)
        return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)

    return Typed("bool", equal if name == "==" else lambda scope: not equal(scope))


def order(name: str, left: Typed, right: Typed) -> Typed:
    """`<`, `>`, `<=`, `>=` between numbers or between strings."""
    kinds = {left.type, right.type} - {"any"}
    if not kinds <= NUMBERS and kinds != {"string"}:
        raise Rejected(f"{name} between {left.type} and {right.type}")

    def run(scope: Scope) -> bool:
        a, b = left.run(scope), right.run(scope)
        if isinstance(a, str) and isinstance(b, str):
            return ORDER[name](a, b)
        return ORDER[name](number(a), number(b))

    return Typed("bool", run)


def text(name: str, left: Typed, right: Typed, version: Version) -> Typed:
    """`contains`, `startsWith`, `endsWith`; of nil they are false from 1.10 on and an Error before."""
    for side in (left, right):
        demand(side.type, {"string"}, name)
    nil_is_false = version != "1.9"

    def run(scope: Scope) -> bool:
        a, b = left.run(scope), right.run(scope)
        if nil_is_false and (a is None or b is None):
            return False
        if not isinstance(a, str) or not isinstance(b, str):
            raise TypeError("expected strings")
        return TEXT[name](a, b)

    return Typed("bool", run)


def arithmetic(name: str, left: Typed, right: Typed) -> Typed:
    """`+`, `-`, `*`, `/`, `%`, `^` between numbers."""
    kinds = {left.type, right.type}
    if name == "+" and kinds <= {"string", "any"} and "string" in kinds:
        raise Unsupported("joined strings")
    for kind in kinds:
        demand(kind, {"int"} if name == "%" else NUMBERS, name)
    whole = kinds == {"int"} and name in {"+", "-", "*", "%"}
    kind = "int" if whole else "any" if "any" in kinds and name in {"+", "-", "*"} else "float"
    compute = _ARITHMETIC[name]
    return Typed(kind, lambda scope: compute(number(left.run(scope)), number(right.run(scope))))


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, math.copysign(1, a) * math.copysign(1, b))


def _power(a: float, b: float) -> float:
    try:
        value: float | complex = float(a) ** float(b)
    except (OverflowError, ZeroDivisionError):
        raise Unsupported("a power without a finite value") from None
    if isinstance(value, complex):
        return math.nan
    return value


def _remainder(a: float, b: float) -> int:
    if not isinstance(a, int) or not isinstance(b, int):
        raise TypeError("% takes integers")
    return abs(a) % abs(b) * (-1 if a < 0 else 1)


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
    "^": _power,
}


def element_type(kind: str, name: str) -> str:
    """The type of the elements of a list."""
    if kind == "any":
        return "any"
    if not kind.startswith("list of "):
        raise Rejected(f"{name} takes a list, not {kind}")
    return kind.removeprefix("list of ")


def member_type(base: str, index: str) -> str:
    """The type of `base[index]`."""
    if base in {"any", "map"}:
        if base == "map" and index not in {"string", "any"}:
            raise Rejected(f"a map has no member of type {index}")
        return "any"
    if base.startswith("list of "):
        demand(index, {"int"}, "an index")
        return base.removeprefix("list of ")
    if base == "string":
        raise Unsupported("a character of a string")
    raise Rejected(f"{base} has no members")


def fetch(value: Any, index: Any) -> Any:
    """`value[index]`: lists count from either end, a missing key of a map is nil."""
    if isinstance(value, Mapping):
        return value.get(index)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if isinstance(index, float):
            index = int(index)
        if isinstance(index, bool) or not isinstance(index, int):
            raise TypeError("an index is a whole number")
        if not -len(value) <= index < len(value):
            raise IndexError("index out of range")
        return value[index]
    if isinstance(value, str):
        raise Unsupported("a character of a string")
    raise TypeError(f"{type_of(value)} has no members")


def as_float(value: Any) -> float:
    """`asFloat`."""
    if isinstance(value, str):
        if not _FLOAT.fullmatch(value):
            raise ValueError(f"{value!r} is no number")
        return float(value)
    return float(number(value))


def as_int(value: Any) -> int:
    """`asInt`."""
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?\d+", value):
            raise ValueError(f"{value!r} is no integer")
        return int(value)
    amount = number(value)
    if isinstance(amount, float) and not abs(amount) < 2**63:
        raise Unsupported("an integer of what is none")
    return int(amount)
