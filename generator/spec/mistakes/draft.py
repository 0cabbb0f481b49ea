"""The data of a file, corrected one mistake at a time so that consequences of a mistake are not reported."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import field
from typing import Any

from pydantic import BaseModel, ValidationError

from generator.dataclass import dataclass
from generator.source.document import Document, Path
from generator.source.finding import Finding
from generator.spec.mistakes.annotations import Target, locate

Where = Callable[[Path], tuple[Document, Path]]
INCOMPLETE = frozenset({"missing", "choice", "one_of", "any_of", "too_short"})
"""Pydantic's error types for mistakes that further keys would fix."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error of a validation.

    Args:
        loc: pydantic's location.
        target: the place.
        kind: pydantic's error type.
        value: the refused value.
        context: pydantic's context of the error.
        message: pydantic's message.
    """

    loc: tuple[str | int, ...]
    target: Target
    kind: str
    value: Any
    context: dict[str, Any]
    message: str

    @property
    def path(self) -> Path:
        """The path of the mistake."""
        return self.target.path


@dataclass
class Draft:
    """Data that is corrected step by step.

    Args:
        record: the expected record.
        data: the current data.
        where: which document wrote a path of the original data.
        partial: missing keys are allowed.
        required: keys that must be present even so.
        findings: the findings so far.
        reported: reported paths; mistakes at or below them are consequences.
        lenient: mappings that may be incomplete, because their kind or content was guessed.
        moved: (new, old) paths of moved values, in order.
    """

    record: type[BaseModel]
    data: Any
    where: Where
    partial: bool = False
    required: tuple[Path, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    reported: set[Path] = field(default_factory=set)
    lenient: set[Path] = field(default_factory=set)
    moved: list[tuple[Path, Path]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data = copy.deepcopy(self.data)

    def mistakes(self) -> list[Mistake]:
        """Return the mistakes that are left and were not reported."""
        try:
            self.record.model_validate(self.data)
        except ValidationError as error:
            found = [self._mistake(item) for item in error.errors(include_url=False)]
            return [mistake for mistake in found if not self._follows(mistake)]
        return []

    def _mistake(self, item: Any) -> Mistake:
        target = locate(self.record, item["loc"])
        return Mistake(
            item["loc"], target, item["type"], item["input"], item.get("ctx", {}), str(item["msg"])
        )

    def _follows(self, mistake: Mistake) -> bool:
        if self.is_reported(mistake.path):
            return True
        if mistake.kind not in INCOMPLETE:
            return False
        if mistake.path in self.required:
            return False
        mapping = mistake.path[:-1] if mistake.kind == "missing" else mistake.path
        return mapping in self.lenient or (self.partial and not self._unclear(mistake))

    def _unclear(self, mistake: Mistake) -> bool:
        """Return whether a kind is unclear because of existing keys, not because of missing ones."""
        return mistake.kind == "choice" and isinstance(mistake.value, dict) and bool(mistake.value)

    def is_reported(self, path: Path) -> bool:
        """Return whether a path, or a mapping or list around it, was reported."""
        return any(path[:length] in self.reported for length in range(len(path) + 1))

    def at(self, path: Path) -> Any:
        """Return the value at a path; None where there is none."""
        value = self.data
        for part in path:
            if isinstance(part, str):
                value = value.get(part) if isinstance(value, dict) else None
            else:
                value = value[part] if isinstance(value, list) and part < len(value) else None
        return value

    def origin(self, path: Path) -> Path:
        """Return the original path of the value that is now at a path."""
        for new, old in reversed(self.moved):
            if path[: len(new)] == new:
                path = (*old, *path[len(new) :])
        return path

    def document(self, path: Path) -> tuple[Document, Path]:
        """Return the document of the value that is now at a path, and its path there."""
        return self.where(self.origin(path))

    def raw(self, path: Path) -> str:
        """Return the source text of a value; empty if no file has it."""
        document, local = self.document(path)
        return document.raw(local)

    def indent(self, path: Path) -> int:
        """Return the 0-based column of a key; -1 if no file has it."""
        document, local = self.document(path)
        return document.place(local, key=True).column - 1 if document.has(local) else -1

    def begins_line(self, path: Path) -> bool:
        """Return whether a key is the first word on its line."""
        document, local = self.document(path)
        place = document.place(local, key=True)
        return not document.excerpt(place.line)[: place.column - 1].strip()

    def report(self, code: str, path: Path, message: str, hint: str, *, key: bool = False) -> None:
        """Add a finding about the value that is now at a path."""
        document, local = self.document(path)
        self.findings.append(document.finding(code, local, message, hint, key=key))
        self.reported.add(path)

    def move(self, old: Path, new: Path) -> None:
        """Move a value; missing mappings on the way are created, and an existing mapping is extended.

        A value that a list is in the way of is dropped: the list is reported separately. A value that went elsewhere
        with a mapping around it stays there.
        """
        try:
            value = self.at(old[:-1]).pop(old[-1])
        except KeyError:
            return
        if self._list_in_the_way(new):
            return
        holder = self._mapping(new[:-1])
        present = self.at(new)
        if isinstance(present, dict) and isinstance(value, dict):
            value = {**present, **value}
        holder[new[-1]] = value
        self.moved.append((new, old))
        self.reported.discard(old)

    def _list_in_the_way(self, path: Path) -> bool:
        return any(
            isinstance(part, str) and isinstance(self.at(path[:length]), list)
            for length, part in enumerate(path)
        )

    def _mapping(self, path: Path) -> Any:
        """Return the mapping at a path, created if missing; keys that a new one lacks are not reported."""
        value: Any = self.data
        for length, part in enumerate(path, 1):
            inner = self.at(path[:length])
            if not isinstance(inner, (dict, list)):
                inner = {}
                value[part] = inner
                self.lenient.add(path[:length])
            value = inner
        return value
