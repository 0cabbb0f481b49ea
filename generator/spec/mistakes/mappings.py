"""Mappings with unknown keys, and their names in messages."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from generator.dataclass import dataclass
from generator.source.document import Path
from generator.source.flow import flow
from generator.spec.mistakes.annotations import Pattern, annotation_of, fields, sites, words
from generator.spec.mistakes.draft import Draft
from generator.spec.mistakes.habits import Habit
from generator.spec.mistakes.habits_by_place import AT, PLATFORM

LONG: Final = 110
"""The length of a hint's example above which only a part of it is shown."""
_HALF = 48


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping with unknown keys.

    Args:
        path: its path.
        pattern: the path without user-chosen names.
        records: its possible records.
        value: its content.
        others: other possible kinds, by name.
    """

    path: Path
    pattern: Pattern
    records: tuple[type[BaseModel], ...]
    value: dict[str, Any]
    others: dict[str, type[BaseModel]] = field(default_factory=dict)

    @property
    def known(self) -> dict[str, FieldInfo]:
        """The keys that it may have."""
        return {key: info for record in self.records for key, info in fields(record).items()}

    @property
    def kind(self) -> str:
        """The name of the kind that it is."""
        record = self.records[0] if self.records else None
        telling = next((key for key in ("strategy", "kind") if record and key in fields(record)), "")
        word = next(iter(words_of(record, telling)), "") if record and telling else ""
        return word or f"another kind of {self.name.removeprefix('an item of ')}"

    @property
    def name(self) -> str:
        """Its name in messages."""
        if not self.pattern and self.records and self.records[0].__name__ == "ModelSpec":
            return "`defaults`"
        return name_of(self.pattern)


def name_of(pattern: Pattern) -> str:
    """Return the name of a mapping in messages: `rollout`, an item of `steps`."""
    names = [part for part in pattern if part not in {"[]", "{}"}]
    if not names:
        return "the file"
    if pattern[-1] == "[]":
        return f"an item of `{names[-1]}`"
    return f"an entry of `{names[-1]}`" if pattern[-1] == "{}" else f"`{names[-1]}`"


def words_of(record: type[BaseModel], key: str) -> list[str]:
    """Return the words that a record accepts for a key."""
    info = fields(record).get(key)
    return [str(word) for word in words(annotation_of(info))] if info is not None else []


def written(draft: Draft, path: Path) -> dict[str, Any]:
    """Return the part of a mapping that the author wrote, without lower layers."""
    value = draft.at(path)
    document, local = draft.document(path)
    moved = {new[-1] for new, _ in draft.moved if new[:-1] == path}
    return {key: item for key, item in value.items() if document.has((*local, key)) or key in moved}


def line_of(key: str | int, value: Any) -> str:
    """Return a key and its value on one line; only the key if the value is long."""
    text = flow(value)
    return f"{key}:" if isinstance(value, (dict, list)) and len(text) > _HALF else f"{key}: {text}"


def listed(keys: list[str]) -> str:
    """Return keys for a message: `a`, `b` and `c`."""
    names = [f"`{key}`" for key in keys]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def bare(word: str) -> str:
    """Return a word without case, separators and a plural's `s`."""
    return re.sub(r"[-_ .]", "", word.casefold()).removesuffix("s")


def is_platform(draft: Draft) -> bool:
    """Return whether a draft is a platform."""
    return (
        "environments" in {site.key for site in sites(draft.record)}
        and draft.record.__name__ == "PlatformFile"
    )


def habits_at(draft: Draft, pattern: Pattern) -> dict[str, Habit]:
    """Return the habits at one place; a shadow's guards are like a rollout's, a tier's defaults like a spec."""
    if is_platform(draft):
        return PLATFORM.get(pattern, {})
    full = pattern if draft.record.__name__ != "ModelSpec" else ("spec", *pattern)
    if full[:4] == ("spec", "rollout", "shadow", "guards"):
        full = ("spec", "rollout", *full[3:])
    return AT.get(full, {})
