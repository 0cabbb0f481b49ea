"""What a condition of a metric decides about a result, as the controller's expression library decides it.

A condition is compiled against the type of the very result at hand, so a condition that is fine for a
number is an Error for a list. Types are written as Go sees them: `int`, `float`, `bool`, `string`, `nil`,
`any`, `map` and `list of …`. Source: fact sheet 1.9; utils/evaluate/evaluate.go; checker and virtual
machine of the expr library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from generator.lint.conditions import operators, syntax, tree
from generator.lint.conditions.functions import (
    BUILTINS,
    KNOWN_BUILTINS,
    PREDICATES,
    Scope,
    Typed,
    builtin,
    predicate,
)
from generator.lint.conditions.tree import Rejected, Unsupported
from generator.lint.rollouts.view import Version

Phase: TypeAlias = Literal["Successful", "Failed", "Inconclusive", "Error"]
Kind: TypeAlias = Literal["vector", "scalar", "nil", "json"]


@dataclass(frozen=True, slots=True)
class Result:
    """A measured result, with the Go type that its provider hands over.

    Args:
        kind: `vector` is a list of floats (Prometheus), `scalar` a float, `nil` a missing value (Datadog),
            `json` anything that a web answer may hold.
        value: the value; numbers as floats.
    """

    kind: Kind
    value: Any

    @property
    def type(self) -> str:
        """The type that the condition is compiled against."""
        return {"vector": "list of float", "scalar": "float", "nil": "nil"}.get(
            self.kind
        ) or operators.type_of(self.value)


def verdict(success: str, failure: str, result: Result, version: Version) -> Phase:
    """The phase of one measurement (fact sheet 1.9; EvaluateResult).

    Args:
        success: the success condition, empty where there is none.
        failure: the failure condition, empty where there is none.
        result: what was measured.
        version: of the controller.

    Raises:
        Unsupported: a condition is outside the part of the language that is judged here.
    """
    try:
        good = evaluate(success, result, version) if success else None
        bad = evaluate(failure, result, version) if failure else None
    except Rejected:
        return "Error"
    if bad is None:
        bad = False if good is None else not good
    elif good is None:
        good = not bad
    if bad:
        return "Failed"
    return "Inconclusive" if good is False else "Successful"


def evaluate(condition: str, result: Result, version: Version) -> bool:
    """Whether a condition holds for a result.

    Raises:
        Rejected: the controller cannot compile or run it, or it is no boolean.
        Unsupported: it is outside the part of the language that is judged here.
    """
    try:
        value = _compiled(condition, result.type, version).run((result.value, None))
    except (ArithmeticError, IndexError, KeyError, TypeError, ValueError) as error:
        raise Rejected(str(error)) from error
    if not isinstance(value, bool):
        raise Rejected(f"expected bool, but got {operators.type_of(value)}")
    return value


@lru_cache(maxsize=4096)
def _compiled(condition: str, result: str, version: Version) -> Typed:
    """A condition ready to run on results of a type."""
    return _Compiler(result, version).compile(syntax.parse(condition, chained=version != "1.9"), None)


class _NothingThere(Exception):  # noqa: N818 - a jump, not an error
    """An optional member of nil: the whole chain is nil."""


class _Compiler:
    """Checks types and turns a tree into functions of the current element (`#`)."""

    def __init__(self, result: str, version: Version) -> None:
        self.result, self.version = result, version

    def compile(self, node: tree.Node, element: str | None) -> Typed:
        """Compile a node inside a predicate over elements of a type, or outside of any (None)."""
        method: Callable[[Any, str | None], Typed] = getattr(self, f"_{type(node).__name__.lower()}")
        return method(node, element)

    def _literal(self, node: tree.Literal, _: str | None) -> Typed:
        return Typed(operators.type_of(node.value), lambda _scope: node.value)

    def _pointer(self, _: tree.Pointer, element: str | None) -> Typed:
        if element is None:
            raise Rejected("# outside of a predicate")
        return Typed(element, lambda scope: scope[1])

    def _name(self, node: tree.Name, _: str | None) -> Typed:
        if node.name == "result":
            return Typed(self.result, lambda scope: scope[0])
        if node.name in KNOWN_BUILTINS:
            raise Unsupported(f"{node.name} as a value")
        raise Rejected(f"unknown name {node.name}")

    def _items(self, node: tree.Items, element: str | None) -> Typed:
        items = [self.compile(value, element) for value in node.values]
        kinds = {item.type for item in items}
        inner = kinds.pop() if len(kinds) == 1 else "any"
        return Typed(f"list of {inner}", lambda scope: [item.run(scope) for item in items])

    def _conditional(self, node: tree.Conditional, element: str | None) -> Typed:
        test, yes, no = (self.compile(part, element) for part in (node.test, node.yes, node.no))
        operators.demand(test.type, {"bool"}, "a condition")
        if yes.type != no.type:
            raise Unsupported("a choice between two types")  # the checker's answer depends on their order
        return Typed(yes.type, lambda scope: (yes if operators.truth(test.run(scope)) else no).run(scope))

    def _unary(self, node: tree.Unary, element: str | None) -> Typed:
        operand = self.compile(node.operand, element)
        if node.operator == "!":
            operators.demand(operand.type, {"bool"}, "!")
            return Typed("bool", lambda scope: not operators.truth(operand.run(scope)))
        operators.demand(operand.type, operators.NUMBERS, node.operator)
        sign = -1 if node.operator == "-" else 1
        return Typed(operand.type, lambda scope: sign * operators.number(operand.run(scope)))

    def _binary(self, node: tree.Binary, element: str | None) -> Typed:
        left, right = self.compile(node.left, element), self.compile(node.right, element)
        if node.operator in {"&&", "||"}:
            both = operators.logic(node.operator, left, right)
            known = tree.constant(node)
            return both if known is None else Typed("bool", lambda _scope: known)
        if (
            node.operator == "%"
            and tree.constant_int(node.right) == 0
            and tree.constant_int(node.left) is not None
        ):
            raise Rejected("integer divide by zero")
        if node.operator in {"==", "!="}:
            return operators.equality(node.operator, left, right)
        if node.operator in operators.ORDER:
            return operators.order(node.operator, left, right)
        if node.operator == "??":
            return Typed("any", lambda scope: right.run(scope) if (v := _maybe(left, scope)) is None else v)
        if node.operator in operators.TEXT:
            return operators.text(node.operator, left, right, self.version)
        if node.operator == "in":
            raise Unsupported("the operator 'in'")
        return operators.arithmetic(node.operator, left, right)

    def _chain(self, node: tree.Chain, element: str | None) -> Typed:
        body = self.compile(node.body, element)

        def run(scope: Scope) -> Any:
            try:
                return body.run(scope)
            except _NothingThere:
                return None

        return Typed("any", run)

    def _member(self, node: tree.Member, element: str | None) -> Typed:
        base, index = self.compile(node.base, element), self.compile(node.index, element)
        kind = operators.member_type(base.type, index.type)

        def run(scope: Scope) -> Any:
            value = base.run(scope)
            if value is None and node.optional:
                raise _NothingThere
            return operators.fetch(value, index.run(scope))

        return Typed(kind, run)

    def _call(self, node: tree.Call, element: str | None) -> Typed:
        if node.name in PREDICATES and len(node.arguments) == 2:
            collection = self.compile(node.arguments[0], element)
            inner = operators.element_type(collection.type, node.name)
            return predicate(node.name, collection, self.compile(node.arguments[1], inner), self.version)
        arguments = [self.compile(argument, element) for argument in node.arguments]
        if node.name in _FUNCTIONS:
            return self._function(node.name, arguments)
        if node.name in BUILTINS:
            return builtin(node.name, arguments, self.version)
        if node.name in KNOWN_BUILTINS:
            raise Unsupported(f"the function {node.name}")
        raise Rejected(f"unknown name {node.name}")

    def _function(self, name: str, arguments: list[Typed]) -> Typed:
        count, kind = _FUNCTIONS[name]
        if len(arguments) != count:
            raise Rejected(f"wrong number of arguments to call {name}")
        first = arguments[0]
        if name in {"isNil", "default"}:  # both look at the result, whatever they are given
            if name == "isNil":
                return Typed(kind, lambda scope: (first.run(scope), scope[0] is None)[1])
            return Typed(kind, lambda scope: arguments[1].run(scope) if scope[0] is None else scope[0])
        if name in {"isNaN", "isInf"}:
            return Typed(kind, operators.nan_or_inf(name, first))
        convert = operators.as_float if name == "asFloat" else operators.as_int
        return Typed(kind, lambda scope: convert(first.run(scope)))


_FUNCTIONS: Mapping[str, tuple[int, str]] = {
    "isNil": (1, "bool"),
    "default": (2, "any"),
    "isNaN": (1, "bool"),
    "isInf": (1, "bool"),
    "asFloat": (1, "float"),
    "asInt": (1, "int"),
}


def _maybe(operand: Typed, scope: Scope) -> Any:
    try:
        return operand.run(scope)
    except _NothingThere:
        return None
