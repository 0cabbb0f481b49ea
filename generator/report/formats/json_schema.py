"""JSON Schema of the documents that programs read."""

from __future__ import annotations

from typing import Any


def closed(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has exactly these keys, each of them always."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
