"""Writes values as one-line YAML, as people write them in a spec."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9_./%+*-][A-Za-z0-9_./%+*@:=-]*")
_WORDS = re.compile(r"(?i)(?:yes|no|on|off|true|false|null|y|n|[-+]?[\d_.:]+(?:e[-+]?\d+)?|0[xob][\da-f_]+)")
_NOT_FIRST = "*-.%+"


def flow(value: Any) -> str:
    """Return a value as YAML flow text: `{weight: 5%, hold: 1h}`; text is quoted only if needed."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if not isinstance(value, str):
        return "null" if value is None else json.dumps(value)
    return value if _is_plain(value) else json.dumps(value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """Return whether a text needs no quotes, even inside brackets."""
    if not _PLAIN.fullmatch(text) or text[0] in _NOT_FIRST or _WORDS.fullmatch(text):
        return False
    # A colon inside a word needs no quotes, but references are quoted by convention.
    return ":" not in text
