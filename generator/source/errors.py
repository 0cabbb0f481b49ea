"""The two kinds of exceptions: errors that the user can fix, and bugs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.source.finding import Finding


class UserError(Exception):
    """An error that the user can fix: wrong input or usage, or a problem of the environment.

    The command line prints `Error: message; hint` and exits with 2. Every exception that is meant for users derives
    from it, so no command lists exception types.

    Args:
        message: one sentence on what is wrong; it contains no secret.
        hint: what to do about it; empty if the message includes it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)  # both, so that it can be pickled and raised again in another process
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class CliError(UserError):
    """A command can't do what its arguments request."""


class FindingsError(UserError):
    """Findings that stop a command. The command line prints them as a report and exits with 1.

    Args:
        findings: the findings.
        heading: a line above the report; empty for none.
        exit_code: 2 if the findings are about a file that an argument names.
    """

    def __init__(self, findings: Sequence[Finding], heading: str = "", exit_code: int = 1) -> None:
        errors = [finding for finding in findings if finding.severity == "error"]
        first = "".join(f"{error.place}: {error.message}" for error in errors[:1])
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{first}{more}" or heading)
        self.args = (findings, heading, exit_code)  # what it is made from when it is unpickled
        self.findings = findings
        self.heading = heading
        self.exit_code = exit_code


class InternalError(Exception):
    """A bug of Sluice: the command line asks the user to report it and exits with 3."""
