"""Operators of the condition language: the types that they accept, and their values at run time.

Type checks follow `checker/checker.go` of the expr library, values its virtual machine (`vm/runtime`). Both raise
where the controller reports an Error.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from generator.dataclass import dataclass
from generator.lint.conditions.syntax import Rejected, Unsupported
from generator.lint.controller import OLD_CONDITIONS, ControllerVersion

Scope: TypeAlias = tuple[Any, Any]
"""The result, and the current element inside a predicate."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled node: its type by the checker, and a function that computes its value."""

    type: str
    run: Callable[[Scope], Any]


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


def type_of(value: object) -> str:
    """Return the type that Go's JSON decoder gives a value."""
    if isinstance(value, Mapping):
        return "map"
    if isinstance(value, list | tuple):
        return "list of any"
    names = {bool: "bool", int: "int", float: "float", str: "string", type(None): "nil"}
    return names.get(type(value), "any")


def demand(kind: str, wanted: set[str] | frozenset[str], what: str) -> None:
    """Reject a type that is not among the accepted ones; `any` is checked at run time."""
    if kind != "any" and kind not in wanted:
        raise Rejected(f"{what} does not accept {kind}")


def boolean(value: object) -> bool:
    """Return a boolean, or raise TypeError for anything else."""
    if not isinstance(value, bool):
        raise TypeError("expected bool")
    return value


def number(value: Any) -> float | int:
    """Return a number, or raise TypeError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("expected a number")
    return value


def logic(name: str, left: Compiled, right: Compiled) -> Compiled:
    """Compile `&&` or `||`, which evaluate the right side only when needed."""
    demand(left.type, {"bool"}, name)
    demand(right.type, {"bool"}, name)
    if left.type == right.type == "bool":  # known when compiled, so no check at run time
        if name == "&&":
            return Compiled("bool", lambda scope: left.run(scope) and right.run(scope))
        return Compiled("bool", lambda scope: left.run(scope) or right.run(scope))
    if name == "&&":
        return Compiled("bool", lambda scope: boolean(left.run(scope)) and boolean(right.run(scope)))
    return Compiled("bool", lambda scope: boolean(left.run(scope)) or boolean(right.run(scope)))


def equality(name: str, left: Compiled, right: Compiled) -> Compiled:
    """Compile `==` or `!=`; types that can never be equal are rejected."""
    kinds = {left.type, right.type}
    alike = len(kinds) == 1 or kinds == NUMBERS or kinds & {"any", "nil"}
    if any(kind.startswith("list of ") for kind in kinds) and "nil" not in kinds:
        raise Unsupported("comparing lists")
    if not alike:
        raise Rejected(f"{name} between {left.type} and {right.type}")

    def equal(scope: Scope) -> bool:
        a, b = _alike(left.run(scope), right.run(scope))
        return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)

    return Compiled("bool", equal if name == "==" else lambda scope: not equal(scope))


def order(name: str, left: Compiled, right: Compiled) -> Compiled:
    """Compile `<`, `>`, `<=` or `>=`, between numbers or between strings."""
    kinds = {left.type, right.type} - {"any"}
    if not kinds <= NUMBERS and kinds != {"string"}:
        raise Rejected(f"{name} between {left.type} and {right.type}")

    compare = ORDER[name]
    if kinds == NUMBERS and "any" not in (left.type, right.type):
        return Compiled("bool", lambda scope: compare(float(left.run(scope)), float(right.run(scope))))

    def run(scope: Scope) -> bool:
        a, b = left.run(scope), right.run(scope)
        if isinstance(a, str) and isinstance(b, str):
            return compare(a, b)
        return compare(*_alike(number(a), number(b)))

    return Compiled("bool", run)


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Convert an integer that is compared with a float to a float, as Go does; Python compares exactly."""
    if isinstance(a, float) and type(b) is int:
        return a, float(b)
    if isinstance(b, float) and type(a) is int:
        return float(a), b
    return a, b


def text(name: str, left: Compiled, right: Compiled, version: ControllerVersion) -> Compiled:
    """Compile `contains`, `startsWith` or `endsWith`: on nil false from 1.10 on, an Error before."""
    for side in (left, right):
        demand(side.type, {"string"}, name)
    nil_is_false = version not in OLD_CONDITIONS

    def run(scope: Scope) -> bool:
        a, b = left.run(scope), right.run(scope)
        if nil_is_false and (a is None or b is None):
            return False
        if not isinstance(a, str) or not isinstance(b, str):
            raise TypeError("expected strings")
        return TEXT[name](a, b)

    return Compiled("bool", run)


def arithmetic(name: str, left: Compiled, right: Compiled) -> Compiled:
    """Compile `+`, `-`, `*`, `/`, `%` or `^` between numbers."""
    kinds = {left.type, right.type}
    if name == "+" and kinds <= {"string", "any"} and "string" in kinds:
        raise Unsupported("joined strings")
    for kind in kinds:
        demand(kind, {"int"} if name == "%" else NUMBERS, name)
    whole = kinds == {"int"} and name in {"+", "-", "*", "%"}
    kind = "int" if whole else "any" if "any" in kinds and name in {"+", "-", "*"} else "float"
    compute = _ARITHMETIC[name]
    return Compiled(kind, lambda scope: compute(number(left.run(scope)), number(right.run(scope))))


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
        raise TypeError("% accepts integers only")
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
    """Return the type of the elements of a list."""
    if kind == "any":
        return "any"
    if not kind.startswith("list of "):
        raise Rejected(f"{name} accepts a list, not {kind}")
    return kind.removeprefix("list of ")


def member_type(base: str, index: str) -> str:
    """Return the type of `base[index]`."""
    if base in {"any", "map"}:
        if base == "map" and index not in {"string", "any"}:
            raise Rejected(f"a map has no key of type {index}")
        return "any"
    if base.startswith("list of "):
        demand(index, {"int"}, "an index")
        return base.removeprefix("list of ")
    if base == "string":
        raise Unsupported("a character of a string")
    raise Rejected(f"{base} has no members")


def fetch(value: Any, index: Any) -> Any:
    """Return `value[index]`: a negative index counts from the end, a missing key of a map is nil."""
    if isinstance(value, Mapping):
        return value.get(index)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if isinstance(index, float) and abs(index) < 2**63:
            index = int(index)
        if isinstance(index, bool) or not isinstance(index, int):
            raise TypeError("an index must be an integer")
        if not -len(value) <= index < len(value):
            raise IndexError("index out of range")
        return value[index]
    if isinstance(value, str):
        raise Unsupported("a character of a string")
    raise TypeError(f"{type_of(value)} has no members")
