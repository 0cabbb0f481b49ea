"""JSON Schema (draft 2020-12) of documents for programs, generated from the typed records that build them."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Node = dict[str, Any]
_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}


class Keywords(dict[str, Any]):
    """Further keywords of a schema, in an `Annotated`: `Annotated[int, Keywords(minimum=1)]`."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # typing caches what it is given


def schema_of(kind: Any) -> Node:
    """Return the schema of a type.

    Args:
        kind: a `TypedDict` (an object with exactly these keys), a list, a dict with text as keys, a union with None, a
            `Literal`, a scalar, or an `Annotated` of one of them with its description and `Keywords`.

    Raises:
        TypeError: there is no rule for the type.
    """
    if is_typeddict(kind):
        return _record(kind)
    if kind in (Any, object):
        return {}
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin is Literal:
        return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
    if origin in (Union, UnionType):
        return _union(arguments)
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if origin is dict:
        values = schema_of(arguments[1])
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
    raise TypeError(f"no schema for {kind}")


def _record(kind: Any) -> Node:
    hints = get_type_hints(kind, include_extras=True)
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    plain = {name: get_args(hint)[0] if name in optional else hint for name, hint in hints.items()}
    return {
        "type": "object",
        "properties": {name: schema_of(hint) for name, hint in plain.items()},
        "required": [name for name in hints if name not in optional],
        "additionalProperties": False,
    }


def _annotated(kind: Any, metadata: tuple[object, ...]) -> Node:
    node = schema_of(kind)
    for item in metadata:
        node |= {"description": item} if isinstance(item, str) else item if isinstance(item, Keywords) else {}
    return node


def _union(members: tuple[Any, ...]) -> Node:
    nodes = [schema_of(member) for member in members if member is not NoneType]
    names = [name for node in nodes for name in _names(node)]
    if NoneType in members:
        names.append("null")
    if all("type" in node for node in nodes):
        return {key: value for node in nodes for key, value in node.items()} | {"type": names}
    return {"anyOf": [*nodes, *([{"type": "null"}] if NoneType in members else [])]}


def _names(node: Node) -> list[str]:
    found = node.get("type", [])
    return found if isinstance(found, list) else [found]
