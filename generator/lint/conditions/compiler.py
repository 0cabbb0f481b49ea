"""Compile and evaluate the conditions of a metric as the controller's expression library does.

A condition is compiled against the type of the result at hand, so a condition that works on a number is an Error on a
list. Types have Go's names: `int`, `float`, `bool`, `string`, `nil`, `any`, `map` and `list of …`. Sources:
`utils/evaluate/evaluate.go` of Argo Rollouts 1.9 and 1.10; `checker`, `optimizer` and `vm` of expr 1.15 and 1.17.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from generator.dataclass import dataclass
from generator.lint.conditions import functions, operators, syntax
from generator.lint.conditions.operators import Compiled, Scope
from generator.lint.conditions.syntax import Rejected, Unsupported
from generator.lint.controller import NEWEST, OLD_CONDITIONS, ControllerVersion

MeasurementPhase: TypeAlias = Literal["Successful", "Failed", "Inconclusive", "Error"]
ResultKind: TypeAlias = Literal["vector", "scalar", "nil", "json"]


@dataclass(frozen=True, slots=True)
class Result:
    """A measured result, with the Go type in which its provider returns it.

    Args:
        kind: `vector` is a list of floats (Prometheus), `scalar` a float, `nil` a missing value (Datadog), `json`
            anything that a web response can hold.
        value: the value; numbers are floats.
    """

    kind: ResultKind
    value: Any

    @property
    def type(self) -> str:
        """The type that a condition is compiled against."""
        return _RESULT_TYPES.get(self.kind) or operators.type_of(self.value)


_RESULT_TYPES: Final = {"vector": "list of float", "scalar": "float", "nil": "nil"}


def measure_vector(success: str | None, failure: str | None, values: Sequence[float]) -> MeasurementPhase:
    """Return the phase of a Prometheus measurement under the newest controller.

    Args:
        success: the success condition; None or empty when there is none.
        failure: the failure condition; None or empty when there is none.
        values: the values of the series in the result.

    Raises:
        Unsupported: a condition uses a part of the language that is not evaluated here.
    """
    return _phase(success or "", failure or "", (_RESULT_TYPES["vector"], values), NEWEST)


def measure_result(
    success: str, failure: str, values: Sequence[float], *, scalar: bool = False
) -> MeasurementPhase | None:
    """Return the phase of a measurement under the newest controller, None for conditions that are not evaluated here.

    Args:
        success: the success condition, empty when there is none.
        failure: the failure condition, empty when there is none.
        values: the values of the series in the result.
        scalar: the provider gives one number, or nil for none, instead of a list.
    """
    result = Result("vector", list(values))
    if scalar:
        result = Result("scalar", values[0]) if values else Result("nil", None)
    try:
        return measure(success, failure, result, NEWEST)
    except Unsupported:
        return None


def measure(success: str, failure: str, result: Result, version: ControllerVersion) -> MeasurementPhase:
    """Return the phase of one measurement (`EvaluateResult` in `utils/evaluate/evaluate.go`).

    Args:
        success: the success condition, empty when there is none.
        failure: the failure condition, empty when there is none.
        result: what was measured.
        version: of the controller.

    Raises:
        Unsupported: a condition uses a part of the language that is not evaluated here.
    """
    return _phase(success, failure, (result.type, result.value), version)


def _phase(
    success: str, failure: str, result: tuple[str, Any], version: ControllerVersion
) -> MeasurementPhase:
    try:
        good = _evaluate(success, result, version) if success else None
        bad = _evaluate(failure, result, version) if failure else None
    except Rejected:
        return "Error"
    if bad is None:
        bad = False if good is None else not good
    elif good is None:
        good = not bad
    if bad:
        return "Failed"
    return "Inconclusive" if good is False else "Successful"


def evaluate(condition: str, result: Result, version: ControllerVersion) -> bool:
    """Return whether a condition holds for a result.

    Raises:
        Rejected: the controller cannot compile or run it, or its value is not a boolean.
        Unsupported: it uses a part of the language that is not evaluated here.
    """
    return _evaluate(condition, (result.type, result.value), version)


def _evaluate(condition: str, result: tuple[str, Any], version: ControllerVersion) -> bool:
    kind, measured = result
    try:
        value = _compiled(condition, kind, version).run((measured, None))
    except (ArithmeticError, IndexError, KeyError, TypeError, ValueError) as error:
        raise Rejected(str(error)) from error
    if not isinstance(value, bool):
        raise Rejected(f"expected bool, but got {operators.type_of(value)}")
    return value


@lru_cache(maxsize=4096)
def _compiled(condition: str, result: str, version: ControllerVersion) -> Compiled:
    """Compile a condition for results of a type."""
    return _Compiler(result, version).compile(
        syntax.parse(condition, chained=version not in OLD_CONDITIONS), None
    )


class _NilBase(Exception):  # noqa: N818 - a jump, not an error
    """The base of an optional member is nil, so the whole chain is nil."""


class _Compiler:
    """Checks types, and turns a tree into functions of the result and the current element (`#`)."""

    def __init__(self, result: str, version: ControllerVersion) -> None:
        self.result, self.version = result, version

    def compile(self, node: syntax.Node, element: str | None) -> Compiled:
        """Compile a node; `element` is the type of the elements inside a predicate, None outside of one."""
        method: Callable[[Any, str | None], Compiled] = getattr(self, f"_{type(node).__name__.lower()}")
        return method(node, element)

    def _literal(self, node: syntax.Literal, _: str | None) -> Compiled:
        return Compiled(operators.type_of(node.value), lambda _scope: node.value)

    def _pointer(self, _: syntax.Pointer, element: str | None) -> Compiled:
        if element is None:
            raise Rejected("# outside of a predicate")
        return Compiled(element, lambda scope: scope[1])

    def _name(self, node: syntax.Name, _: str | None) -> Compiled:
        if node.name == "result":
            return Compiled(self.result, lambda scope: scope[0])
        if node.name in functions.KNOWN:
            raise Unsupported(f"{node.name} as a value")
        raise Rejected(f"unknown name {node.name}")

    def _items(self, node: syntax.Items, element: str | None) -> Compiled:
        items = [self.compile(value, element) for value in node.values]
        types = {item.type for item in items}
        inner = types.pop() if len(types) == 1 else "any"
        return Compiled(f"list of {inner}", lambda scope: [item.run(scope) for item in items])

    def _conditional(self, node: syntax.Conditional, element: str | None) -> Compiled:
        test, yes, no = (self.compile(part, element) for part in (node.test, node.yes, node.no))
        operators.demand(test.type, {"bool"}, "a condition")
        if yes.type != no.type:
            raise Unsupported("a choice between two types")  # the checker's answer depends on their order
        return Compiled(
            yes.type, lambda scope: (yes if operators.boolean(test.run(scope)) else no).run(scope)
        )

    def _unary(self, node: syntax.Unary, element: str | None) -> Compiled:
        operand = self.compile(node.operand, element)
        if node.operator == "!":
            operators.demand(operand.type, {"bool"}, "!")
            return Compiled("bool", lambda scope: not operators.boolean(operand.run(scope)))
        operators.demand(operand.type, operators.NUMBERS, node.operator)
        sign = -1 if node.operator == "-" else 1
        return Compiled(operand.type, lambda scope: sign * operators.number(operand.run(scope)))

    def _binary(self, node: syntax.Binary, element: str | None) -> Compiled:
        left, right = self.compile(node.left, element), self.compile(node.right, element)
        name = node.operator
        if name in {"&&", "||"}:
            both = operators.logic(name, left, right)
            known = _constant(node)
            return both if known is None else Compiled("bool", lambda _scope: known)
        if name == "%" and _constant_int(node.right) == 0 and _constant_int(node.left) is not None:
            raise Rejected("integer divide by zero")
        if name in {"==", "!="}:
            return operators.equality(name, left, right)
        if name in operators.ORDER:
            return operators.order(name, left, right)
        if name == "??":
            return Compiled(
                "any", lambda scope: right.run(scope) if (v := _or_nil(left, scope)) is None else v
            )
        if name in operators.TEXT:
            return operators.text(name, left, right, self.version)
        if name == "in":
            raise Unsupported("the operator 'in'")
        return operators.arithmetic(name, left, right)

    def _chain(self, node: syntax.Chain, element: str | None) -> Compiled:
        body = self.compile(node.body, element)
        return Compiled("any", lambda scope: _or_nil(body, scope))

    def _member(self, node: syntax.Member, element: str | None) -> Compiled:
        base, index = self.compile(node.base, element), self.compile(node.index, element)

        def run(scope: Scope) -> Any:
            value = base.run(scope)
            if value is None and node.optional:
                raise _NilBase
            return operators.fetch(value, index.run(scope))

        return Compiled(operators.member_type(base.type, index.type), run)

    def _call(self, node: syntax.Call, element: str | None) -> Compiled:
        if node.name in functions.PREDICATES and len(node.arguments) == 2:
            collection = self.compile(node.arguments[0], element)
            inner = operators.element_type(collection.type, node.name)
            return functions.predicate(
                node.name, collection, self.compile(node.arguments[1], inner), self.version
            )
        arguments = [self.compile(argument, element) for argument in node.arguments]
        if node.name in functions.ARGO:
            return functions.argo(node.name, arguments)
        if node.name in functions.BUILTINS:
            return functions.builtin(node.name, arguments, self.version)
        if node.name in functions.KNOWN:
            raise Unsupported(f"the function {node.name}")
        raise Rejected(f"unknown name {node.name}")


def _or_nil(operand: Compiled, scope: Scope) -> Any:
    try:
        return operand.run(scope)
    except _NilBase:
        return None


def _constant(node: syntax.Node) -> bool | None:
    """Return the constant value of a logical expression: the library folds `x || true` before it runs x."""
    if isinstance(node, syntax.Literal) and isinstance(node.value, bool):
        return node.value
    if isinstance(node, syntax.Unary) and node.operator == "!":
        inner = _constant(node.operand)
        return None if inner is None else not inner
    if isinstance(node, syntax.Binary) and node.operator == "==":
        left, right = _constant_int(node.left), _constant_int(node.right)
        return None if left is None or right is None else left == right
    if not isinstance(node, syntax.Binary) or node.operator not in {"&&", "||"}:
        return None
    absorbing = node.operator == "||"
    sides = (_constant(node.left), _constant(node.right))
    if absorbing in sides:
        return absorbing
    return None if None in sides else not absorbing


def _constant_int(node: syntax.Node) -> int | None:
    """Return the integer that the library folds an expression into, None when it is not one."""
    if isinstance(node, syntax.Literal) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, syntax.Unary) and node.operator in {"-", "+"}:
        inner = _constant_int(node.operand)
        return inner if inner is None or node.operator == "+" else -inner
    if isinstance(node, syntax.Binary) and node.operator in _FOLDED:
        left, right = _constant_int(node.left), _constant_int(node.right)
        return None if left is None or right is None else _FOLDED[node.operator](left, right)
    return None


_FOLDED: Mapping[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}
