"""Models and data behind s3:// and https:// addresses, identified by their SHA-256.

An https address is downloaded. An s3 address is read without credentials, path-style, from the endpoint that
AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL names (a gateway, a public bucket, a local store): requests are not signed. What
can't be reached or read keeps the digest that the producer gave, and the lock says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from generator.cluster.pins.failure import (
    FORBIDDEN,
    MISMATCH,
    NOT_CONFIGURED,
    UNREACHABLE,
    CredentialError,
    PinError,
)
from generator.cluster.pins.reference import AS_GIVEN, SHORT, Content, Found, Reference, Surroundings
from generator.cluster.pins.web import Server

_SECRET: Final = ("sig", "signature", "token", "password", "secret", "credential", "key")
_AS_GIVEN: Final = frozenset({NOT_CONFIGURED, UNREACHABLE, FORBIDDEN})


def find(reference: Reference, around: Surroundings) -> Found:
    """Identify an address by the digest that the producer gave, or else by its content.

    Raises:
        PinError: it carries a credential, or has no digest and can't be downloaded.
    """
    _refuse_credentials(reference)
    given = reference.sha256
    if given is None:
        content = _download(reference, around)
        digest = content.digest.removeprefix("sha256:")
        return Found(f"{reference.text}#sha256={digest}", digest[:SHORT], lambda: content)
    return Found(f"{reference.text}#sha256={given}", given[:SHORT], _verify(reference, given, around))


def _verify(reference: Reference, given: str, around: Surroundings) -> Callable[[], Content]:
    def measure() -> Content:
        try:
            content = _download(reference, around)
        except PinError as error:
            if error.code not in _AS_GIVEN:
                raise
            return Content(f"sha256:{given}", AS_GIVEN, error.message)
        if content.digest != f"sha256:{given}":
            message = (
                f"{reference.what} has the SHA-256 {content.digest.removeprefix('sha256:')}, not {given}"
            )
            raise PinError(MISMATCH, message, "ask the producer which is right; do not release these bytes")
        return content

    return measure


def _download(reference: Reference, around: Surroundings) -> Content:
    url = reference.text if reference.text.startswith("https://") else _s3(reference, around)
    digest = around.web.sha256(url, reference.what)
    return Content(f"sha256:{digest}", f"a download from {urlsplit(url).netloc}")


def _s3(reference: Reference, around: Surroundings) -> str:
    endpoint = next(
        (around.variables[name] for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") if around.variables.get(name)),
        None,
    )  # fmt: skip
    if endpoint is None:
        message = f"{reference.what} can't be downloaded: no S3 endpoint is configured"
        hint = "set AWS_ENDPOINT_URL_S3 to an endpoint that needs no signature, or give the sha256"
        raise PinError(NOT_CONFIGURED, message, hint)
    return f"{Server.at(endpoint).address}/{quote(reference.text.removeprefix('s3://'))}"


def _refuse_credentials(reference: Reference) -> None:
    """A lock is committed: what it repeats must not open anything."""
    parts = urlsplit(reference.text)
    names = [name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if "@" in parts.netloc or any(name.rpartition("-")[2] in _SECRET for name in names):
        message = "this address carries a credential, which a lock would repeat"
        raise CredentialError(message, "remove it, and change the credential: git remembers it")
