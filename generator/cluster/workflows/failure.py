"""Why a Workflow could not be submitted or read."""

from __future__ import annotations

from typing import Final

from generator.source.errors import UserError

ALREADY_THERE: Final = "ALREADY_THERE"


class WorkflowError(UserError):
    """A server refused, or did not answer; the text is for people.

    Args:
        code: ALREADY_THERE, NOT_FOUND, REFUSED, UNREACHABLE or NO_CLIENT.
        message: one sentence.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
