"""DSSE envelopes with in-toto statements about signed documents, which cosign and other tools verify.

Source: DSSE v1.0.2 (envelope.md, protocol.md: the pre-authentication encoding); in-toto attestation v1 (statement.md).
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from generator.gates.strict_json import parse_json
from generator.source.canonical import canonical_document, canonical_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://sluicegate.example/signed-document/v1"
_MOST_SIGNATURES: Final = 16


class Envelope(NamedTuple):
    """A parsed envelope: the signed bytes, and every signature on them."""

    payload: bytes
    signatures: tuple[bytes, ...]


def statement(subject: str, model_sha256: str, schema: str, document_sha256: str) -> dict[str, Any]:
    """Return the in-toto statement that a document is signed with.

    Args:
        subject: team/model.
        model_sha256: SHA-256 (hex) of the model's bytes.
        schema: of the document, such as `sluice/lock/v1`.
        document_sha256: SHA-256 (hex) of the document's bytes.
    """
    return {
        "_type": STATEMENT,
        "subject": [{"name": subject, "digest": {"sha256": model_sha256}}],
        "predicateType": PREDICATE,
        "predicate": {"schema": schema, "digest": {"sha256": document_sha256}},
    }


def sign(key: Ed25519PrivateKey, content: dict[str, Any], keyid: str) -> str:
    """Return the text of an envelope around a statement."""
    payload = canonical_json(content).encode()
    signature = key.sign(encoding(payload))
    return canonical_document(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": keyid, "sig": base64.b64encode(signature).decode()}],
        }
    )


def parse(raw: bytes) -> Envelope:
    """Parse an envelope.

    Raises:
        ValueError: it is not one, or not of an in-toto statement.
    """
    try:
        data = parse_json(raw)
        signatures = tuple(_decoded(item["sig"]) for item in data["signatures"])
        payload = _decoded(data["payload"])
        kind = data["payloadType"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("this is not a DSSE envelope") from error
    if kind != PAYLOAD_TYPE or not signatures:
        raise ValueError("this envelope is not one of an in-toto statement")
    if len(signatures) > _MOST_SIGNATURES:
        raise ValueError(f"this envelope has {len(signatures):,} signatures; the limit is {_MOST_SIGNATURES}")
    return Envelope(payload, signatures)


def is_valid(envelope: Envelope, key: Ed25519PublicKey) -> bool:
    """Return whether a key made one of the signatures."""
    from cryptography.exceptions import InvalidSignature

    for signature in envelope.signatures:
        try:
            key.verify(signature, encoding(envelope.payload))
        except InvalidSignature:
            continue
        return True
    return False


def encoding(payload: bytes) -> bytes:
    """Return the bytes that are signed: DSSE's pre-authentication encoding."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str):
        raise ValueError("not text")  # noqa: TRY004 - the caller reports every form of wrong input alike
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
