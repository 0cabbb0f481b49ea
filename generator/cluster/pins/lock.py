"""The text of lock files: a new one, or an edit of the old text that keeps comments and order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from generator.source.edit import edited, quoted
from generator.source.reader import parse

_HEAD: Final = "# Written by `sluice pin`; commit it together with the spec.\n"
_EXAMPLE: Final = "# AN EXAMPLE:"  # how the lock that `sluice new --example-lock` writes begins
_PLAIN: Final = frozenset({"schema", "digest"})
_SECTIONS: Final = frozenset({"model", "data", "image"})


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
    """Return YAML: a section on several lines, anything else on one."""
    if key in _SECTIONS and isinstance(value, dict):
        return "\n  ".join([f"{key}:", *(_line(*pair) for pair in value.items())])
    return _line(key, value)


def _line(key: str, value: str | Mapping[str, str]) -> str:
    if isinstance(value, str):
        return f"{key}: {value if key in _PLAIN else quoted(value)}"
    return f"{quoted(key)}: {{{', '.join(_line(*pair) for pair in value.items())}}}"
