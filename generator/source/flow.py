"""Values as YAML on one line, the way people write them in a spec."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9_./%+*-][A-Za-z0-9_./%+*@:=-]*")
_WORDS = re.compile(r"(?i)(?:yes|no|on|off|true|false|null|y|n|[-+]?[\d_.:]+(?:e[-+]?\d+)?|0[xob][\da-f_]+)")
_NOT_FIRST = "*-.%+"


def flow(value: Any) -> str:
    """Return a value as YAML flow text: `{weight: 5%, hold: 1h}`; text is quoted only where it has to be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    if not isinstance(value, str):
        return "null" if value is None else json.dumps(value)
    return value if _is_plain(value) else json.dumps(value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """Whether a text needs no quotes, inside brackets too."""
    if not _PLAIN.fullmatch(text) or text[0] in _NOT_FIRST or _WORDS.fullmatch(text):
        return False
    # A colon is plain where no reader can take it for the end of a key: people quote references all the same.
    return ":" not in text
