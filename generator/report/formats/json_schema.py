"""JSON Schema of the documents that programs read."""

from __future__ import annotations

from typing import Any


def closed(**properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has exactly these keys, and always all of them."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
