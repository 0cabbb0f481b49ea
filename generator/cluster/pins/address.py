"""Models and data at s3:// and https:// addresses, identified by their SHA-256.

An https address is downloaded. An s3 address is read without credentials, path-style, from the endpoint that
AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL names (a gateway, a public bucket, a local store): requests are not signed. If
the content can't be read, the lock keeps the producer's digest and records that it was not verified.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from generator.cluster.artifacts.formats import LIMIT
from generator.cluster.http_client import Endpoint, HttpError
from generator.cluster.pins.errors import MISMATCH, NOT_CONFIGURED, CredentialError, PinError
from generator.cluster.pins.reference import AS_GIVEN, SHORT, Content, PinContext, Reference, Resolution
from generator.source.content import check_start

_SECRET: Final = ("sig", "signature", "token", "password", "secret", "credential", "key")


def resolve(reference: Reference, context: PinContext) -> Resolution:
    """Identify an address by the digest that the producer gave, or else by its content.

    Raises:
        PinError: it carries a credential, or has no digest and no S3 endpoint is configured.
        HttpError: it has no digest and can't be downloaded.
    """
    _refuse_credentials(reference)
    given = reference.sha256
    if given is None:
        content = _download(reference, context)
        digest = content.digest.removeprefix("sha256:")
        return Resolution(f"{reference.text}#sha256={digest}", digest[:SHORT], lambda: content)
    return Resolution(f"{reference.text}#sha256={given}", given[:SHORT], _verify(reference, given, context))


def _verify(reference: Reference, given: str, context: PinContext) -> Callable[[], Content]:
    def measure() -> Content:
        try:
            content = _download(reference, context)
        except PinError as error:
            if error.code != NOT_CONFIGURED:
                raise
            return Content(f"sha256:{given}", AS_GIVEN, error.message)
        except HttpError as error:
            # An untrusted certificate, a bad redirect or half an answer is not the absence of a network.
            if error.reason not in {"unreachable", "forbidden"}:
                raise
            return Content(f"sha256:{given}", AS_GIVEN, error.message)
        if content.digest != f"sha256:{given}":
            message = (
                f"{reference.shown} has the SHA-256 {content.digest.removeprefix('sha256:')}, not {given}"
            )
            raise PinError(
                MISMATCH, message, "check with the producer which digest is right; do not release these bytes"
            )
        return content

    return measure


def _download(reference: Reference, context: PinContext) -> Content:
    url = reference.text if reference.text.startswith("https://") else _s3(reference, context)
    kept = bytearray()
    digest = context.http.sha256(
        url, reference.shown, check=lambda head: check_start(head, reference.shown), kept=kept, most=LIMIT
    )
    name = PurePosixPath(urlsplit(url).path).name
    return Content(f"sha256:{digest}", f"a download from {urlsplit(url).netloc}", files={name: bytes(kept)})


def _s3(reference: Reference, context: PinContext) -> str:
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    endpoint = next((context.variables[name] for name in names if context.variables.get(name)), None)
    if endpoint is None:
        message = f"{reference.shown} can't be downloaded: no S3 endpoint is configured"
        hint = "set AWS_ENDPOINT_URL_S3 to an endpoint that needs no signature, or give the sha256"
        raise PinError(NOT_CONFIGURED, message, hint)
    return f"{Endpoint.at(endpoint).address}/{quote(reference.text.removeprefix('s3://'))}"


def _refuse_credentials(reference: Reference) -> None:
    """Refuse an address with a credential: the lock repeats it and is committed."""
    parts = urlsplit(reference.text)
    names = [name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if "@" in parts.netloc or any(name.rpartition("-")[2] in _SECRET for name in names):
        message = "this address contains a credential, which would end up in the lock"
        raise CredentialError(message, "remove it, and rotate the credential: it stays in git's history")
