"""Why a reference could not be resolved: a code, one sentence that says what is wrong, one that says what to do."""

from __future__ import annotations

from generator.source.errors import UserError


class PinError(UserError):
    """A reference can't be resolved, for a reason that lies outside this program.

    Args:
        code: stable code of the finding that it becomes.
        message: one sentence that says what is wrong; it holds no secret.
        hint: one sentence that says what to do.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.code = code


class CredentialError(PinError):
    """A reference carries a credential: the line that holds it is not shown."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(MALFORMED, message, hint)


MALFORMED = "PIN101"
NOT_CONFIGURED = "PIN102"
UNREACHABLE = "PIN103"
UNKNOWN = "PIN104"
FORBIDDEN = "PIN105"
MISMATCH = "PIN106"
OVERWRITTEN = "PIN107"
UNEXPECTED = "PIN108"
NO_CONTENT = "PIN109"
UNCOMMITTED = "PIN110"
MOVED = "PIN201"
NOT_LOCKED = "PIN202"
UNVERIFIED = "PIN203"
QUARANTINED = "PIN204"
