"""The text of locks: an edit of the old one that keeps comments and order, else a new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.cluster.pins.yaml_edit import add_lines, quoted, remove_key, replace_scalar
from generator.source.document import Path
from generator.source.reader import parse

_HEAD = "# Written by `sluice pin`; commit it beside the spec.\n"
_EXAMPLE = "# AN EXAMPLE:"  # the first words of the lock that `sluice new --example-lock` writes
_PLAIN = frozenset({"schema", "digest"})


def lock_text(old: str | None, wanted: dict[str, Any]) -> str:
    """A lock as text.

    Args:
        old: what the file holds; None when there is none.
        wanted: plain values of the whole lock.
    """
    if old is None:
        return _HEAD + _whole(wanted)
    lines = old.splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith(_EXAMPLE))
    edited = _edited(kept, wanted)
    if edited is not None and parse(edited.encode(), "lock").data == wanted:
        return edited
    return _comments(kept) + _whole(wanted)


def _edited(text: str, wanted: dict[str, Any]) -> str | None:
    edited: str | None = text
    data = parse(text.encode(), "lock").data
    for path in _gone(data, wanted):
        edited = edited and remove_key(edited, path)
    for path, value in _changed(data, wanted):
        edited = edited and replace_scalar(edited, path, value)
    stay = _stay(data.get("data", {}), wanted.get("data", {}))
    added = {ref: entry for ref, entry in wanted.get("data", {}).items() if ref not in stay}
    if added and edited:
        rows = list(_rows(added))
        inner = bool(stay)
        edited = add_lines(edited, ("data",), rows) if inner else _appended(edited, "data", rows)
    if edited and "image" in wanted and "image" not in data:
        edited = _appended(edited, "image", list(_pairs(wanted["image"])))
    return edited


def _appended(text: str, name: str, rows: list[str]) -> str:
    return text.rstrip("\n") + "\n" + _section(name, rows)


def _gone(data: dict[str, Any], wanted: dict[str, Any]) -> Iterator[Path]:
    """Keys to remove: whole sections, and data sets of a section that stays."""
    old = data.get("data", {})
    stay = _stay(old, wanted.get("data", {}))
    if "image" in data and "image" not in wanted:
        yield ("image",)
    if "data" in data and not stay:
        yield ("data",)
    else:
        yield from (("data", ref) for ref in old if ref not in stay)


def _stay(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """Data sets whose rows are edited; one that gets other keys is written anew."""
    return {ref for ref in old if ref in new and old[ref].keys() == new[ref].keys()}


def _changed(data: Any, wanted: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Scalars that both have and that differ."""
    if isinstance(data, dict) and isinstance(wanted, dict):
        for key in data.keys() & wanted.keys():
            yield from _changed(data[key], wanted[key], (*path, key))
    elif isinstance(wanted, str) and data != wanted:
        yield path, wanted


def _comments(text: str) -> str:
    """The comments before the first key."""
    lines = text.splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(lines[:end])


def _whole(wanted: dict[str, Any]) -> str:
    out = f"schema: {wanted['schema']}\n" + _section("model", list(_pairs(wanted["model"])))
    if "data" in wanted:
        out += _section("data", list(_rows(wanted["data"])))
    if "image" in wanted:
        out += _section("image", list(_pairs(wanted["image"])))
    return out


def _section(name: str, lines: list[str]) -> str:
    return f"{name}:\n" + "".join(f"  {line}\n" for line in lines)


def _rows(data: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for ref, entry in data.items():
        yield f"{quoted(ref)}: {{{', '.join(_pairs(entry))}}}"


def _pairs(entry: Mapping[str, str]) -> Iterator[str]:
    for key, value in entry.items():
        yield f"{key}: {value if key in _PLAIN else quoted(value)}"
