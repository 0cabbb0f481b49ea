"""The tree of a condition: what an expression is made of, and what the compiler knows of it before it runs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

_FOLDED: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


class Rejected(Exception):  # noqa: N818 - what the controller does with it
    """The controller cannot compile or run the condition: the measurement is an Error."""


class Unsupported(Exception):  # noqa: N818 - ours, not the controller's
    """The condition is outside the part of the language that this module judges."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a string, true, false or nil."""

    value: float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """`#`: the element that a predicate looks at."""


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x`, `-x`, `+x`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Member:
    """`base[index]`, `base.name`, and with `?.` nothing where the base is nil."""

    base: Node
    index: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """A run of members that ends as nil at the first optional member whose base is nil."""

    body: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; a predicate is one of them."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """`test ? yes : no`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Items:
    """`[a, b]`."""

    values: tuple[Node, ...]


Node: TypeAlias = Literal | Name | Pointer | Unary | Binary | Member | Chain | Call | Conditional | Items


def constant(node: Node) -> bool | None:
    """What a logical expression is whatever x does: the compiler folds `x || true` before it runs x."""
    if isinstance(node, Literal) and isinstance(node.value, bool):
        return node.value
    if isinstance(node, Unary) and node.operator == "!":
        inner = constant(node.operand)
        return None if inner is None else not inner
    if isinstance(node, Binary) and node.operator == "==":
        left, right = constant_int(node.left), constant_int(node.right)
        return None if left is None or right is None else left == right
    if not isinstance(node, Binary) or node.operator not in {"&&", "||"}:
        return None
    strong, sides = node.operator == "||", (constant(node.left), constant(node.right))
    if strong in sides:
        return strong
    return None if None in sides else not strong


def constant_int(node: Node) -> int | None:
    """The number that the compiler folds an expression into, None where it is not one of integers."""
    if isinstance(node, Literal) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, Unary) and node.operator in {"-", "+"}:
        inner = constant_int(node.operand)
        return inner if inner is None or node.operator == "+" else -inner
    if isinstance(node, Binary) and node.operator in _FOLDED:
        left, right = constant_int(node.left), constant_int(node.right)
        return None if left is None or right is None else _FOLDED[node.operator](left, right)
    return None
