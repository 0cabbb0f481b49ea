"""Shapes: which fields a controller knows and of which type each is. `fields` holds those of Argo Rollouts."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from generator.lint.rollouts.model import Path

Shape: TypeAlias = "str | list[Shape] | dict[str, Shape]"

INT: Final = "an integer"
BOOL: Final = "true or false"
TEXT: Final = "a string"
INT_OR_TEXT: Final = "an integer or a string"
TEXTS: Final = "a mapping of strings"
OPEN: Final = "anything"


def unknown_fields(value: object, shape: Shape, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every field that the controller does not know, with the nearest one it knows (or nothing)."""
    if isinstance(shape, dict) and isinstance(value, Mapping):
        for key, inner in value.items():
            if key in shape:
                yield from unknown_fields(inner, shape[key], (*path, key))
            else:
                near = difflib.get_close_matches(str(key), shape, n=1)
                yield (*path, key), near[0] if near else ""
    elif isinstance(shape, list) and isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from unknown_fields(inner, shape[0], (*path, i))


def wrong_types(value: object, shape: Shape, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every value that Go cannot read, with what is wanted there; null reads as absent everywhere."""
    if value is None:
        return
    if isinstance(shape, dict):
        yield from _wrong_mapping(value, shape, path)
    elif isinstance(shape, list):
        yield from _wrong_list(value, shape[0], path)
    elif not _fits(value, shape):
        yield path, shape


def _wrong_mapping(value: object, shape: dict[str, Shape], path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(value, Mapping):
        yield path, "a mapping"
        return
    for key, inner in value.items():
        if key in shape:
            yield from wrong_types(inner, shape[key], (*path, key))


def _wrong_list(value: object, shape: Shape, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(value, list | tuple):
        yield path, "a list"
        return
    for i, inner in enumerate(value):
        yield from wrong_types(inner, shape, (*path, i))


def _fits(value: object, shape: str) -> bool:
    if shape == INT:
        return _is_int(value)
    if shape == BOOL:
        return isinstance(value, bool)
    if shape == TEXT:
        return isinstance(value, str)
    if shape == INT_OR_TEXT:
        return _is_int(value) or isinstance(value, str)
    if shape == TEXTS:
        return isinstance(value, Mapping) and all(isinstance(v, str) or v is None for v in value.values())
    return True


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31
