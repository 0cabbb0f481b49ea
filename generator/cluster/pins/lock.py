"""The text of lock files: a new one, or an edit of the old text that keeps comments and order."""

from __future__ import annotations

import json
from typing import Any, Final

from generator.source.edit import edited, quoted
from generator.source.reader import parse

_HEAD: Final = "# Written by `sluice pin`; commit it together with the spec.\n"
_EXAMPLE: Final = "# AN EXAMPLE:"  # how the lock that `sluice new --example-lock` writes begins
_PLAIN: Final = frozenset({"schema", "digest", "files"})
_SECTIONS: Final = frozenset({"model", "references", "data", "image", "trained"})


def lock_text(old: str | None, wanted: dict[str, Any]) -> str:
    """Return the text of a lock.

    Args:
        old: the text of the file; None when there is none.
        wanted: plain values of the whole lock.
    """
    if old is None:
        return _HEAD + _whole(wanted)
    kept = "".join(line for line in old.splitlines(keepends=True) if not line.startswith(_EXAMPLE))
    document = parse(kept.encode(), "lock")
    after = edited(document, wanted, _entry) if not document.findings else None
    return after.text if after else _comments(kept) + _whole(wanted)


def _comments(text: str) -> str:
    """Return the comments before the first key."""
    lines = text.splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(lines[:end])


def _whole(wanted: dict[str, Any]) -> str:
    return "".join(f"{_entry(key, value)}\n" for key, value in wanted.items())


def _entry(key: str, value: Any) -> str:
    """Return YAML: a section, the packages and the columns of a model on several lines, anything else on one."""
    if key in _SECTIONS and isinstance(value, dict):
        return "\n  ".join([f"{key}:", *(_part(*pair) for pair in value.items())])
    if key == "packages":
        return "\n  - ".join([f"{key}:", *value])
    return _line(key, value)


def _part(key: str, value: Any) -> str:
    if key == "inputs":
        return "\n    ".join([f"{key}:", *(_line(*pair) for pair in value.items())])
    return _line(key, value)


def _line(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{quoted(key)}: {_flow(value)}"
    return f"{key}: {value if key in _PLAIN else _flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(_line(*pair) for pair in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)
