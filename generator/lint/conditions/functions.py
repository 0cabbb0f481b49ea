"""Functions that the expression library brings along, as far as conditions use them.

Each gives the type of its value and the value itself, with the library's behaviour on empty lists and on
NaN. Rollouts 1.9 uses release 1.15 of the library, 1.10 uses 1.17; where they differ the function asks for
the version.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from generator.lint.conditions.tree import Rejected, Unsupported
from generator.lint.rollouts.view import Version

Scope: TypeAlias = tuple[Any, Any]  # the result, and the element that a predicate looks at


@dataclass(frozen=True, slots=True)
class Typed:
    """A compiled node: the type that the checker gives it, and its value for a current element."""

    type: str
    run: Callable[[Scope], Any]


PREDICATES = frozenset({"all", "any", "none", "one", "filter", "map", "count", "find", "sum"})
BUILTINS = frozenset(
    {"len", "sum", "mean", "median", "max", "min", "abs", "ceil", "floor", "round", "int", "float"}
    | {"first", "last", "count"}
)
KNOWN_BUILTINS = frozenset(
    PREDICATES
    | BUILTINS
    | {"findIndex", "findLast", "findLastIndex", "groupBy", "sortBy", "reduce", "type", "string", "trim"}
    | {"trimPrefix", "trimSuffix", "upper", "lower", "split", "splitAfter", "replace", "repeat", "join"}
    | {"indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "toJSON", "fromJSON", "toBase64", "fromBase64"}
    | {"now", "duration", "date", "timezone", "get", "take", "keys", "values", "toPairs", "fromPairs"}
    | {"reverse", "uniq", "concat", "flatten", "sort", "bitand", "bitor", "bitxor", "bitnand", "bitshl"}
    | {"bitshr", "bitushr", "bitnot", "asInt", "asFloat", "isNaN", "isInf", "isNil", "default"}
)


def predicate(name: str, collection: Typed, test: Typed, version: Version) -> Typed:
    """A function of a list and a predicate over its elements."""
    if name == "sum":
        if version == "1.9":
            raise Rejected("sum takes one argument")
        return Typed(test.type, lambda scope: _total(_each(test, collection, scope)))
    if name == "map":
        inner = test.type if version != "1.9" else "any"
        return Typed(f"list of {inner}", lambda scope: _each(test, collection, scope))
    if test.type not in {"bool", "any"}:
        raise Rejected("a predicate must be boolean")
    kind = {"filter": collection.type, "count": "int", "find": _inner(collection.type)}.get(name, "bool")
    if version == "1.9" and name == "filter":
        kind = "list of any"
    return Typed(kind, lambda scope: _PREDICATES[name](_items(collection.run(scope)), _check(test, scope)))


def _each(function: Typed, collection: Typed, scope: Scope) -> list[Any]:
    return [function.run((scope[0], item)) for item in _items(collection.run(scope))]


def _check(test: Typed, scope: Scope) -> Callable[[Any], bool]:
    def run(item: object) -> bool:
        value = test.run((scope[0], item))
        if not isinstance(value, bool):
            raise TypeError("a predicate must be boolean")
        return value

    return run


Check: TypeAlias = Callable[[Any], bool]
_PREDICATES: Mapping[str, Callable[[list[Any], Check], Any]] = {
    "all": lambda items, test: all(test(item) for item in items),
    "any": lambda items, test: any(test(item) for item in items),
    "none": lambda items, test: not any(test(item) for item in items),
    "one": lambda items, test: sum(test(item) for item in items) == 1,
    "filter": lambda items, test: [item for item in items if test(item)],
    "count": lambda items, test: sum(test(item) for item in items),
    "find": lambda items, test: next((item for item in items if test(item)), None),
}


def builtin(name: str, arguments: list[Typed], version: Version) -> Typed:
    """A function of plain values."""
    if name in {"max", "min", "mean", "median"}:
        return _aggregate(name, arguments, version)
    if len(arguments) != 1:
        raise Rejected(f"wrong number of arguments to call {name}")
    one = arguments[0]
    if name in {"sum", "count"}:
        return _sum_or_count(name, one, version)
    if name == "len":
        if one.type != "any" and one.type not in {"string", "map"} and not one.type.startswith("list of "):
            raise Rejected(f"len does not take {one.type}")
        return Typed("int", lambda scope: _length(one.run(scope)))
    if name in {"first", "last"}:
        _demand_list(name, one.type)
        at = 0 if name == "first" else -1
        return Typed("any", lambda scope: items[at] if (items := _items(one.run(scope))) else None)
    if one.type not in {"int", "float", "any"} | ({"string"} if name in {"int", "float"} else set()):
        raise Rejected(f"{name} does not take {one.type}")
    kind = {"int": "int", "abs": one.type}.get(name, "float")
    return Typed(kind, lambda scope: _NUMERIC[name](_real(one.run(scope))))


def _aggregate(name: str, arguments: list[Typed], version: Version) -> Typed:
    if not arguments:
        raise Rejected(f"{name} needs arguments")
    lists = [arg.type for arg in arguments if arg.type.startswith("list of ")]
    if version == "1.9" and name in {"max", "min"} and lists:
        raise Rejected(f"{name} does not take a list")
    if version == "1.9" and name in {"mean", "median"} and [arg.type for arg in arguments] != lists[:1]:
        raise Rejected(f"{name} takes one list")
    if any(arg.type not in {"int", "float", "any"} and arg.type not in lists for arg in arguments):
        raise Rejected(f"{name} does not take {', '.join(arg.type for arg in arguments)}")
    if name in {"max", "min"} and {"int", "float"} <= {
        arg.type.removeprefix("list of ") for arg in arguments
    }:
        raise Unsupported(f"{name} of integers and floats")  # its declared type depends on their order
    kind = "any" if lists or any(arg.type == "any" for arg in arguments) else arguments[0].type
    if version == "1.9" and name in {"mean", "median"}:
        kind = "float"
    return Typed(kind, lambda scope: _AGGREGATES[name](_flat([arg.run(scope) for arg in arguments])))


def _sum_or_count(name: str, one: Typed, version: Version) -> Typed:
    _demand_list(name, one.type)
    if name == "count":
        if version == "1.9":
            raise Rejected("count takes a predicate")
        return Typed("int", lambda scope: sum(_truth(item) for item in _items(one.run(scope))))
    kind = _inner(one.type) if version != "1.9" else "any"
    return Typed(kind, lambda scope: _total(_items(one.run(scope))))


def _demand_list(name: str, kind: str) -> None:
    if kind != "any" and not kind.startswith("list of "):
        raise Rejected(f"{name} takes a list, not {kind}")


def _inner(kind: str) -> str:
    return kind.removeprefix("list of ") if kind.startswith("list of ") else "any"


def _items(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError("expected a list")
    return list(value)


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("expected bool")
    return value


def _length(value: object) -> int:
    if not isinstance(value, str | Mapping | list | tuple):
        raise TypeError("no length")
    return len(value)


def _real(value: Any) -> float | int:
    if isinstance(value, str):
        raise Unsupported("a number in a string")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("expected a number")
    return value


def _total(items: list[Any]) -> float | int:
    return sum(_real(item) for item in items)


def _flat(values: list[Any]) -> list[float | int]:
    flat: list[float | int] = []
    for value in values:
        if value is None:
            raise Unsupported("an aggregate of nil")
        flat += _flat(list(value)) if isinstance(value, list | tuple) else [_real(value)]
    return flat


def _extreme(values: list[float | int], better: Callable[[Any, Any], bool]) -> float | int | None:
    best: float | int | None = None
    for value in values:  # a NaN that comes first stays, one that comes later is passed over
        if best is None or better(value, best):
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
        raise Unsupported("an integer of what is none")
    return int(value)


def _median(values: list[float | int]) -> float:
    ordered = sorted(
        map(float, values), key=lambda value: (not math.isnan(value), value)
    )  # Go sorts NaN first
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
