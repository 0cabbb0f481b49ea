"""Rendered admission policies, judged by Google's CEL library as the API server would: types checked, all dynamic.

A stand-in for the API server in speed only: tests/cluster puts the same policies into a real one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

_GIVEN = ("object", "oldObject", "request", "namespaceObject", "variables")


@dataclass
class Policy:
    """One ValidatingAdmissionPolicy."""

    spec: dict[str, Any]

    @cached_property
    def _environment(self) -> Any:
        return cel.NewEnv(
            variables=dict.fromkeys(_GIVEN, cel.Type.DYN), extensions=[ext_strings.ExtStrings()]
        )

    @cached_property
    def _compiled(self) -> dict[str, Any]:
        expressions = {
            item["expression"] for part in ("matchConditions", "variables") for item in self.spec[part]
        }
        for item in self.spec["validations"]:
            expressions |= {item["expression"]} | (
                {item["messageExpression"]} if "messageExpression" in item else set()
            )
        return {text: self._environment.compile(text) for text in expressions}

    def refuses(self, new: Any, namespace: Any, old: Any = None) -> list[str]:
        """The messages of what is refused; empty when the object is let in."""
        given: dict[str, Any] = {
            "object": new,
            "oldObject": old,
            "namespaceObject": namespace,
            "request": {"operation": "UPDATE" if old else "CREATE"},
            "variables": {},
        }
        if not all(self._value(item["expression"], given) for item in self.spec["matchConditions"]):
            return []
        for item in self.spec["variables"]:
            given["variables"][item["name"]] = self._value(item["expression"], given)
        broken = [item for item in self.spec["validations"] if not self._value(item["expression"], given)]
        return [item.get("message") or self._value(item["messageExpression"], given) for item in broken]

    def _value(self, expression: str, given: dict[str, Any]) -> Any:
        value = self._compiled[expression].eval(data=given)
        if value.type() == cel.Type.ERROR:
            raise AssertionError(f"{expression}: {value.plain_value()}")
        return _plain(value.plain_value())


def _plain(value: Any) -> Any:
    """Lists and maps of the library as Python's own, to be handed in again."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
