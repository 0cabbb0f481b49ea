"""The fields in which two objects of one kind differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from generator.dataclass import dataclass
from generator.lint.objects import as_map


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs; None for a missing value.

    Args:
        path: such as `spec.replicas` or `spec.steps[0].setWeight`; empty for a whole object.
        live: in the cluster, or in a tree that others wrote.
        rendered: after a sync.
    """

    path: str
    live: Any
    rendered: Any


def field_changes(live: Any, rendered: Any, path: str = "") -> Iterator[FieldChange]:
    """Yield the fields that differ between two objects; items of lists are paired by name where they have one."""
    if live == rendered:
        return
    if isinstance(live, Mapping) and isinstance(rendered, Mapping):
        for key in dict.fromkeys((*rendered, *live)):
            below = f"{path}.{key}" if path else str(key)
            yield from field_changes(live.get(key), rendered.get(key), below)
    elif isinstance(live, list) and isinstance(rendered, list):
        named = _by_name(live), _by_name(rendered)
        if named[0] is not None and named[1] is not None:
            for name in dict.fromkeys((*named[1], *named[0])):
                yield from field_changes(named[0].get(name), named[1].get(name), f"{path}[{name}]")
        else:
            yield from _unnamed_differences(live, rendered, path)
    else:
        yield FieldChange(path, live, rendered)


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    """Return the items of a list by name; None when one has no name, or two share one."""
    found = {}
    for item in items:
        name = as_map(item).get("name")
        if not isinstance(name, str) or name in found:
            return None
        found[name] = item
    return found


def _unnamed_differences(live: list[Any], rendered: list[Any], path: str) -> Iterator[FieldChange]:
    """Compare items without names by position, as a text diff compares lines."""
    before, after = ([json.dumps(item, sort_keys=True) for item in side] for side in (live, rendered))
    for kind, a, a_end, b, b_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        paired = min(a_end - a, b_end - b)
        for offset in range(paired):
            yield from field_changes(live[a + offset], rendered[b + offset], f"{path}[{b + offset}]")
        for index in range(a + paired, a_end):
            yield FieldChange(f"{path}[{index}] (live)", live[index], None)
        for index in range(b + paired, b_end):
            yield FieldChange(f"{path}[{index}]", None, rendered[index])
