"""The two kinds of exceptions: obstacles that the user can remove, and bugs."""

from __future__ import annotations


class UserError(Exception):
    """An obstacle that the user can remove: wrong input or usage, or an environment that does not cooperate.

    The command line prints `Error: message; hint` and exits with 2. Every exception that is meant for users derives
    from it, so no command lists exception types.

    Args:
        message: one sentence that says what is wrong; it holds no secret.
        hint: what to do about it; empty where the message says it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)  # both, so that it can be pickled and raised again in another process
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class CliError(UserError):
    """A command can't do what its arguments ask for."""


class InternalError(Exception):
    """A bug of Sluice: the command line asks for a report and exits with 3."""
