"""Why a request had no usable response, from the exceptions of urllib3 and of the system."""

from __future__ import annotations

from collections.abc import Iterator


def words_of(error: BaseException, timeout_s: float) -> str:
    """Return a few words on why there was no response, without text that may quote a password.

    Args:
        error: an exception of urllib3 or of the system.
        timeout_s: the longest silence that was allowed.
    """
    from urllib3 import exceptions as of

    # urllib3 reports every failed connection as a time-out.
    causes = [cause for cause in _causes(error) if not isinstance(cause, of.NewConnectionError)]
    if any(isinstance(cause, (TimeoutError, of.TimeoutError)) for cause in causes):
        return f"did not answer within {timeout_s:g} s"
    if any(isinstance(cause, of.IncompleteRead) for cause in causes):
        return "stopped in the middle of its answer"
    if any(isinstance(cause, of.SSLError) for cause in causes):
        words = next((w for cause in causes if (w := getattr(cause, "verify_message", ""))), "")
        return f"has a certificate that is not trusted{': ' if words else ''}{words}"
    words = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "")
    return f"can't be reached{': ' if words else ''}{words}"


def no_connection(error: BaseException) -> bool:
    """Return whether there was no connection at all; an untrusted certificate or half an answer is something else."""
    from urllib3 import exceptions as of

    causes = list(_causes(error))
    if any(isinstance(cause, of.SSLError) for cause in causes):
        return False
    refused = (of.NewConnectionError, of.ConnectTimeoutError, of.NameResolutionError)
    return any(isinstance(cause, refused) for cause in causes)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and its causes."""
    while error is not None:
        yield error
        reason = getattr(error, "reason", None)
        inner = [item for item in (reason, *error.args) if isinstance(item, BaseException)]
        error = inner[0] if inner else error.__cause__
