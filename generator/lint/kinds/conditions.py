"""Conditions between the fields of a record: functions that pydantic-core calls when each field is valid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pydantic_core import PydanticCustomError

Value = dict[str, Any]
Check = Callable[[Value], Value]
"""Checks a whole record and returns it, or raises an error with a message."""

_LISTED: Final = 8


def check_of(condition: list[Any], fields: list[str]) -> Check:
    """Return the check of a condition.

    Args:
        condition: `["one", a, b]`, `["most", a, b]`, `["some", a, b]`, `["type", field, default, {value: field}]` or
            `["check", name]`, with `*` for all fields and `-a` for all but one.
        fields: all fields of the record.
    """
    kind, *rest = condition
    if kind == "type":
        tag, default, owned = rest
        return _decided(tag, default, owned)
    if kind == "check":
        return _CHECKS[rest[0]]
    if rest[0][0] in "*-":
        rest = [name for name in fields if f"-{name}" not in rest]
    return _counted(rest, kind)


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("choice", "{wrong}", {"wrong": message})


def _counted(names: list[str], kind: str) -> Check:
    """Return the check that exactly one of several fields is set, or at most one, or some."""
    shown = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
    counted = frozenset(names)
    needed = {"one": f"needs exactly one of {shown}", "some": f"needs at least one of {shown}"}.get(kind, "")

    def check(value: Value) -> Value:
        found = counted.intersection(value)
        if len(found) > 1 and kind != "some":
            both = " and ".join(name for name in value if name in found)
            raise _wrong(f"has {both}, but only one of them may be set")
        if needed and not found:
            raise _wrong(needed)
        return value

    return check


def _decided(tag: str, default: object, fields: dict[str, str]) -> Check:
    """Return the check that the field which belongs to the value of `tag` is set, and none of its siblings."""
    owned = set(fields.values())

    def check(value: Value) -> Value:
        kind = value.get(tag, default)
        own = fields.get(str(kind), "")
        if own and own not in value:
            raise _wrong(f"has {tag} {kind} but no {own}")
        if stray := sorted(name for name in owned & value.keys() if name != own):
            raise _wrong(f"has {tag} {kind}, which excludes {', '.join(stray)}")
        return value

    return check


def _backend(value: Value) -> Value:
    is_service = value.get("group", "") == "" and value.get("kind", "Service") == "Service"
    if is_service and "port" not in value:
        raise _wrong("refers to a Service, so it needs a port")
    return value


def _service(value: Value) -> Value:
    ports = value.get("ports", ())
    if len(ports) > 1 and not all("name" in port for port in ports):
        raise _wrong("has several ports, so each of them needs a name")
    if value.get("type") == "ExternalName":
        if "externalName" not in value:
            raise _wrong("has type ExternalName but no externalName")
    elif not ports and value.get("clusterIP") != "None":
        raise _wrong("needs at least one port")
    return value


def _recreate(value: Value) -> Value:
    if value.get("type") == "Recreate" and "rollingUpdate" in value:
        raise _wrong("has type Recreate, which excludes rollingUpdate")
    return value


_CHECKS: Final = {"backend": _backend, "service": _service, "recreate": _recreate}
