"""Functions that conditions can call: those of the expr library, and those that Argo Rollouts adds.

Each function returns its type and its value, with the library's behavior on empty lists and on NaN. Argo Rollouts 1.9
uses release 1.15 of the library, 1.10 uses 1.17; where they differ a function takes the controller's version. Sources:
`builtin/builtin.go` and `builtin/lib.go` of expr; `utils/evaluate/evaluate.go` of Argo Rollouts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from generator.lint.conditions.operators import Compiled, Scope, boolean, demand, number
from generator.lint.conditions.syntax import Rejected, Unsupported
from generator.lint.controller import OLD_CONDITIONS, ControllerVersion

Check: TypeAlias = Callable[[Any], bool]

PREDICATES: Final = frozenset({"all", "any", "none", "one", "filter", "map", "count", "find", "sum"})
BUILTINS: Final = frozenset(
    {"len", "sum", "mean", "median", "max", "min", "abs", "ceil", "floor", "round", "int", "float"}
    | {"first", "last", "count"}
)
ARGO: Final[Mapping[str, tuple[int, str]]] = {
    "isNil": (1, "bool"),
    "default": (2, "any"),
    "isNaN": (1, "bool"),
    "isInf": (1, "bool"),
    "asFloat": (1, "float"),
    "asInt": (1, "int"),
}
"""The functions that Argo Rollouts adds: number of arguments, and type."""
KNOWN: Final = frozenset(
    PREDICATES
    | BUILTINS
    | ARGO.keys()
    | {"findIndex", "findLast", "findLastIndex", "groupBy", "sortBy", "reduce", "type", "string", "trim"}
    | {"trimPrefix", "trimSuffix", "upper", "lower", "split", "splitAfter", "replace", "repeat", "join"}
    | {"indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "toJSON", "fromJSON", "toBase64", "fromBase64"}
    | {"now", "duration", "date", "timezone", "get", "take", "keys", "values", "toPairs", "fromPairs"}
    | {"reverse", "uniq", "concat", "flatten", "sort", "bitand", "bitor", "bitxor", "bitnand", "bitshl"}
    | {"bitshr", "bitushr", "bitnot"}
)
"""Every function of the language, also those that are not evaluated here."""
_FLOAT: Final = re.compile(r"[+-]?((\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)


def predicate(name: str, collection: Compiled, test: Compiled, version: ControllerVersion) -> Compiled:
    """Compile a function of a list and a predicate over its elements."""
    if name == "sum":
        if version in OLD_CONDITIONS:
            raise Rejected("sum accepts one argument")
        return Compiled(test.type, lambda scope: _total(_each(test, collection, scope)))
    if name == "map":
        inner = test.type if version not in OLD_CONDITIONS else "any"
        return Compiled(f"list of {inner}", lambda scope: _each(test, collection, scope))
    if test.type not in {"bool", "any"}:
        raise Rejected("a predicate must be boolean")
    kind = {"filter": collection.type, "count": "int", "find": _inner(collection.type)}.get(name, "bool")
    if version in OLD_CONDITIONS and name == "filter":
        kind = "list of any"
    return Compiled(kind, lambda scope: _PREDICATES[name](_items(collection.run(scope)), _check(test, scope)))


def _each(function: Compiled, collection: Compiled, scope: Scope) -> list[Any]:
    return [function.run((scope[0], item)) for item in _items(collection.run(scope))]


def _check(test: Compiled, scope: Scope) -> Check:
    return lambda item: boolean(test.run((scope[0], item)))


_PREDICATES: Mapping[str, Callable[[list[Any], Check], Any]] = {
    "all": lambda items, test: all(test(item) for item in items),
    "any": lambda items, test: any(test(item) for item in items),
    "none": lambda items, test: not any(test(item) for item in items),
    "one": lambda items, test: sum(test(item) for item in items) == 1,
    "filter": lambda items, test: [item for item in items if test(item)],
    "count": lambda items, test: sum(test(item) for item in items),
    "find": lambda items, test: next((item for item in items if test(item)), None),
}


def builtin(name: str, arguments: list[Compiled], version: ControllerVersion) -> Compiled:
    """Compile a function of the library without a predicate."""
    if name in _AGGREGATES:
        return _aggregate(name, arguments, version)
    argument = _only(name, arguments)
    if name in {"sum", "count"}:
        return _sum_or_count(name, argument, version)
    if name == "len":
        if argument.type not in {"any", "string", "map"} and not _is_list(argument.type):
            raise Rejected(f"len does not accept {argument.type}")
        return Compiled("int", lambda scope: _length(argument.run(scope)))
    if name in {"first", "last"}:
        _demand_list(name, argument.type)
        at = 0 if name == "first" else -1
        return Compiled("any", lambda scope: items[at] if (items := _items(argument.run(scope))) else None)
    texts = {"string"} if name in {"int", "float"} else set()
    demand(argument.type, {"int", "float"} | texts, name)
    kind = {"int": "int", "abs": argument.type}.get(name, "float")
    return Compiled(kind, lambda scope: _NUMERIC[name](_real(argument.run(scope))))


def argo(name: str, arguments: list[Compiled]) -> Compiled:
    """Compile a function that Argo Rollouts adds to the language."""
    count, kind = ARGO[name]
    if len(arguments) != count:
        raise Rejected(f"wrong number of arguments to call {name}")
    first = arguments[0]
    if name == "isNil":  # tests the result itself, whatever its argument is
        return Compiled(kind, lambda scope: (first.run(scope), scope[0] is None)[1])
    if name == "default":  # likewise
        return Compiled(kind, lambda scope: arguments[1].run(scope) if scope[0] is None else scope[0])
    if name in {"isNaN", "isInf"}:
        return Compiled(kind, _nan_or_inf(name, first))
    convert = _as_float if name == "asFloat" else _as_int
    return Compiled(kind, lambda scope: convert(first.run(scope)))


def _nan_or_inf(name: str, argument: Compiled) -> Callable[[Scope], bool]:
    demand(argument.type, {"float", "int"}, name)
    if argument.type == "int":
        raise Unsupported(f"{name} of an integer")
    test = math.isnan if name == "isNaN" else math.isinf

    def run(scope: Scope) -> bool:
        value = argument.run(scope)
        if not isinstance(value, float):
            raise TypeError(f"{name} accepts a float only")
        return test(value)

    return run


def _as_float(value: Any) -> float:
    if isinstance(value, str):
        if not _FLOAT.fullmatch(value):
            raise ValueError(f"{value!r} is not a number")
        return float(value)
    return float(number(value))


def _as_int(value: Any) -> int:
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?[0-9]{1,19}", value):
            raise ValueError(f"{value!r} is not an integer")
        return int(value)
    amount = number(value)
    if isinstance(amount, float) and not abs(amount) < 2**63:
        raise Unsupported("an integer from a number that is not finite")
    return int(amount)


def _aggregate(name: str, arguments: list[Compiled], version: ControllerVersion) -> Compiled:
    if not arguments:
        raise Rejected(f"{name} needs arguments")
    types = [argument.type for argument in arguments]
    if version in OLD_CONDITIONS:
        _demand_aggregate_of_1_9(name, types)
    if refused := [kind for kind in types if kind not in {"int", "float", "any"} and not _is_list(kind)]:
        raise Rejected(f"{name} does not accept {', '.join(refused)}")
    if name in {"max", "min"} and {"int", "float"} <= {kind.removeprefix("list of ") for kind in types}:
        raise Unsupported(f"{name} of integers and floats")  # its declared type depends on their order
    kind = "any" if "any" in types or any(map(_is_list, types)) else types[0]
    if version in OLD_CONDITIONS and name in {"mean", "median"}:
        kind = "float"
    return Compiled(kind, lambda scope: _AGGREGATES[name](_flat([arg.run(scope) for arg in arguments])))


def _demand_aggregate_of_1_9(name: str, types: list[str]) -> None:
    lists = [kind for kind in types if _is_list(kind)]
    if name in {"max", "min"} and lists:
        raise Rejected(f"{name} does not accept a list")
    if name in {"mean", "median"} and types != lists[:1]:
        raise Rejected(f"{name} accepts one list")


def _sum_or_count(name: str, argument: Compiled, version: ControllerVersion) -> Compiled:
    _demand_list(name, argument.type)
    if name == "count":
        if version in OLD_CONDITIONS:
            raise Rejected("count needs a predicate")
        return Compiled("int", lambda scope: sum(boolean(item) for item in _items(argument.run(scope))))
    kind = _inner(argument.type) if version not in OLD_CONDITIONS else "any"
    return Compiled(kind, lambda scope: _total(_items(argument.run(scope))))


def _only(name: str, arguments: list[Compiled]) -> Compiled:
    if len(arguments) != 1:
        raise Rejected(f"wrong number of arguments to call {name}")
    return arguments[0]


def _is_list(kind: str) -> bool:
    return kind.startswith("list of ")


def _demand_list(name: str, kind: str) -> None:
    if kind != "any" and not _is_list(kind):
        raise Rejected(f"{name} accepts a list, not {kind}")


def _inner(kind: str) -> str:
    return kind.removeprefix("list of ") if _is_list(kind) else "any"


def _items(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError("expected a list")
    return list(value)


def _length(value: object) -> int:
    if not isinstance(value, str | Mapping | list | tuple):
        raise TypeError("no length")
    return len(value)


def _real(value: Any) -> float | int:
    if isinstance(value, str):
        raise Unsupported("a number in a string")
    return number(value)


def _total(items: list[Any]) -> float | int:
    return sum(_real(item) for item in items)


def _flat(values: list[Any]) -> list[float | int]:
    flat: list[float | int] = []
    for value in values:
        if value is None:
            raise Unsupported("an aggregate of nil")
        flat += _flat(list(value)) if isinstance(value, list | tuple) else [_real(value)]
    return flat


def _extreme(values: list[float | int], is_better: Callable[[Any, Any], bool]) -> float | int | None:
    best: float | int | None = None
    for value in values:  # a NaN that comes first stays, one that comes later is skipped
        if best is None or is_better(value, best):
            best = value
    return best


def _round(value: float) -> float:
    if not math.isfinite(value):
        return value
    return math.copysign(math.floor(abs(value) + 0.5), value)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: math.copysign(function(value), value) if math.isfinite(value) else float(value)


def _int(value: float) -> int:
    if not math.isfinite(value):
        raise Unsupported("an integer from a number that is not finite")
    return int(value)


def _median(values: list[float | int]) -> float:
    # Go sorts NaN first.
    ordered = sorted(map(float, values), key=lambda value: (not math.isnan(value), value))
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    return sum(middle) / len(middle) if middle else 0.0


_NUMERIC: Mapping[str, Callable[[Any], Any]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "round": _round,
    "int": _int,
    "float": float,
}
_AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {
    "max": lambda values: _extreme(values, lambda a, b: a > b),
    "min": lambda values: _extreme(values, lambda a, b: a < b),
    "mean": lambda values: float(sum(values)) / len(values) if values else 0.0,
    "median": _median,
}
