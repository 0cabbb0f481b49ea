"""Documents of another form than theirs: the first thing that is wrong, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.source.document import dotted

if TYPE_CHECKING:
    from pydantic import ValidationError


def first_flaw(error: ValidationError) -> tuple[str, str]:
    """The path of the first flaw (empty: the whole), and what is wrong there."""
    first = error.errors(include_url=False, include_input=False)[0]
    return dotted(tuple(first["loc"])), first["msg"]


def flaw_text(error: ValidationError) -> str:
    """The first flaw with its path, such as `measures[0].value: Input should be a finite number`."""
    where, message = first_flaw(error)
    return f"{where or 'it'}: {message}"
