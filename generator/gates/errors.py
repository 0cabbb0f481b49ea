"""Errors of gates, and validation errors on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.source.document import dotted
from generator.source.errors import UserError

if TYPE_CHECKING:
    from pydantic import ValidationError


class NoVerdictError(Exception):
    """A gate can't reach a verdict; the text is the reason in one sentence. The verdict is `inconclusive`."""


class InstallError(UserError):
    """The environment of a gate tool or a service could not be created.

    Args:
        message: what failed.
        log: what the installer printed.
    """

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class ContainerError(UserError):
    """A gate container lacks an input, which says nothing about the model."""


def first_error(error: ValidationError) -> tuple[str, str]:
    """Return the path of the first error (empty: the whole document) and its message."""
    first = error.errors(include_url=False, include_input=False)[0]
    return dotted(tuple(first["loc"])), first["msg"]


def describe(error: ValidationError) -> str:
    """Return the first error with its path, such as `measures[0].value: Input should be a finite number`."""
    where, message = first_error(error)
    return f"{where or 'it'}: {message}"
