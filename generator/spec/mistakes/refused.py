"""One value that its field refuses, and the shape of what is said about it."""

from __future__ import annotations

from typing import Any

from generator.dataclass import dataclass
from generator.spec.mistakes.annotations import Target
from generator.spec.mistakes.suggestions import shown

Answer = tuple[str, str, str]
"""Code, message and hint of a finding."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that was refused.

    Args:
        target: its place.
        kind: pydantic's error type.
        value: the value.
        raw: the text as it was typed; empty if no file has it.
        context: pydantic's context of the error.
        message: pydantic's message.
    """

    target: Target
    kind: str
    value: Any
    raw: str
    context: dict[str, Any]
    message: str

    @property
    def key(self) -> str:
        """The key of the value, or of the list that it is an item of."""
        return next((part for part in reversed(self.target.path) if isinstance(part, str)), "")

    @property
    def shown(self) -> str:
        """The value as it was typed."""
        return shown(self.value, self.raw)
