"""Why a reference can't be resolved or a lock does not hold: the codes PIN101 to PIN204."""

from __future__ import annotations

from typing import Final

from generator.cluster.http_client import HttpError
from generator.history.git import GitError
from generator.lint import Code, declare
from generator.source.errors import UserError

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

_CODES: Final = {
    "malformed": MALFORMED,
    "not-installed": NOT_CONFIGURED,
    "no-repository": NOT_CONFIGURED,
    "unreachable": UNREACHABLE,
    "unknown": UNKNOWN,
    "forbidden": FORBIDDEN,
    "unexpected": UNEXPECTED,
    "failed": UNKNOWN,
}


class PinError(UserError):
    """A reference can't be resolved, for a reason outside of Sluice.

    Args:
        code: stable code of the finding that it becomes.
        message: one sentence that says what is wrong; it holds no secret.
        hint: one sentence that says what to do.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.code = code

    @staticmethod
    def of(error: GitError | HttpError) -> PinError:
        """Return the finding's form of what git or a server refused."""
        return PinError(_CODES[error.reason], error.message, error.hint)


class CredentialError(PinError):
    """A reference carries a credential: the line that holds it is not shown."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(MALFORMED, message, hint)


_NO_LOCK = "Without an answer there is no lock, and nothing is rendered from the new reference."

declare(
    Code(
        "PIN101",
        "error",
        "a reference that can't be resolved as written",
        "It names no version, no place of this repository, or carries a credential that a lock would repeat.",
        "Write it in the form that the finding shows.",
    ),
    Code(
        "PIN102",
        "error",
        "a server or store is not configured",
        "References name models, not servers: those come from the environment.",
        "Set the variable that the finding names, such as MLFLOW_TRACKING_URI or BENTOML_HOME.",
    ),
    Code(
        "PIN103",
        "error",
        "a server can't be reached",
        _NO_LOCK,
        "Check the address, the network and the proxy; `--timeout` waits longer.",
    ),
    Code(
        "PIN104",
        "error",
        "an alias, version, tag, revision or path that is not there",
        _NO_LOCK,
        "Check the name; it may have been deleted, or not be pushed yet.",
    ),
    Code(
        "PIN105",
        "error",
        "a server refuses",
        _NO_LOCK,
        "Set the credentials of that server in the environment; they reach neither the lock nor a message.",
    ),
    Code(
        "PIN106",
        "error",
        "bytes that are not those of their digest",
        "Somebody changed them, or the transfer or the store is damaged; nobody reviewed what is there now.",
        "Ask the producer which digest is right; do not release these bytes before.",
    ),
    Code(
        "PIN107",
        "error",
        "the content of an immutable reference was overwritten",
        "A version number is written once, but the store behind it can be changed: the lock names the old bytes.",
        "Find out who changed them; to accept them, remove the entry from the lock and pin again.",
    ),
    Code(
        "PIN108",
        "error",
        "an answer that makes no sense",
        "The address leads to another program, a login page, or a server with an error.",
        "Check the address that is configured; ask who runs that server.",
    ),
    Code(
        "PIN109",
        "error",
        "content that can't be read here",
        "A digest needs the bytes: they are in no store that can be read, or hold links, which no digest covers.",
        "Bring them here (`dvc pull`), or let the server serve them (`mlflow server --serve-artifacts`).",
    ),
    Code(
        "PIN110",
        "error",
        "a DVC pointer that is not committed",
        "A reference without a revision means the last commit; the newer file in the work tree would be ignored.",
        "Commit the pointer, or name a revision.",
    ),
    Code(
        "PIN201",
        "error",
        "a reference has moved since it was locked",
        "The alias, branch or tag means other bytes now; the lock still holds what was reviewed.",
        "Run `sluice pin` to take the new ones, and review what changes.",
    ),
    Code(
        "PIN202",
        "error",
        "the lock does not hold what the spec asks for",
        "A reference is not locked, or the lock holds data that no gate reads and that would count in the gate key.",
        "Run `sluice pin` and commit the lock.",
    ),
    Code(
        "PIN203",
        "warning",
        "a digest that was not verified",
        "The address can't be read from here, so the lock holds the digest that the producer gave.",
        "Pin again where the address can be read.",
    ),
    Code(
        "PIN204",
        "error",
        "a version that is in quarantine",
        "Production rejected these bytes; an alias that points at them again does not make them better.",
        "Point the reference at another version. Only who owns `platform.yaml` can release this one.",
    ),
)
