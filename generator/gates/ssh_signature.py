"""SSH signatures of files, as `ssh-keygen -Y sign` writes them and git hosts know them.

Source: OpenSSH, PROTOCOL.sshsig (format and the blob that is signed); RFC 8332 (RSA), RFC 8709 (Ed25519), RFC 5656
(ECDSA).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_MAGIC: Final = b"SSHSIG"
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"
_HASHES: Final = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}
_LINE: Final = 70


class SshSignature(NamedTuple):
    """A parsed signature.

    Args:
        public_key: the signer's key in SSH's binary form.
        namespace: what the signature is for.
        hash_name: of the message: sha256 or sha512.
        algorithm: of the signature, such as `ssh-ed25519`.
        value: the signature itself.
    """

    public_key: bytes
    namespace: bytes
    hash_name: bytes
    algorithm: bytes
    value: bytes


def parse(text: str) -> SshSignature:
    """Parse an armored signature.

    Raises:
        ValueError: it is not one.
    """
    lines = text.strip().splitlines()
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        raise ValueError("this is not an SSH signature")
    try:
        raw = base64.b64decode("".join(lines[1:-1]), validate=True)
    except binascii.Error as error:
        raise ValueError("this SSH signature is not valid base64") from error
    if raw[:10] != _MAGIC + struct.pack(">I", 1):
        raise ValueError("this SSH signature has an unknown version")
    public_key, namespace, _reserved, hash_name, signature = _strings(raw[10:], 5)
    algorithm, value = _strings(signature, 2)
    return SshSignature(public_key, namespace, hash_name, algorithm, value)


def is_valid(signature: SshSignature, message: bytes) -> bool:
    """Check a signature with the key inside it; whose key that is, is another question."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if signature.hash_name not in _HASHES:
        return False
    blob = _signed_blob(signature.namespace, signature.hash_name, message)
    try:
        _verify(signature, blob)
    except (InvalidSignature, UnsupportedAlgorithm, NotImplementedError, ValueError):
        return False
    return True


def sign(key: Ed25519PrivateKey, namespace: str, message: bytes) -> str:
    """Return the armored signature of a message, as `ssh-keygen -Y sign` would write it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    value = key.sign(_signed_blob(namespace.encode(), b"sha512", message))
    parts = (
        base64.b64decode(public.split()[1]),
        namespace.encode(),
        b"",
        b"sha512",
        _string(b"ssh-ed25519") + _string(value),
    )
    raw = _MAGIC + struct.pack(">I", 1) + b"".join(map(_string, parts))
    text = base64.b64encode(raw).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def public_bytes(line: str) -> bytes:
    """Return the binary form of a public key: `ssh-ed25519 AAAA… comment`.

    Raises:
        ValueError: it is not a public key.
    """
    words = line.split()
    try:
        raw = base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error) as error:
        raise ValueError("this is not a public key of SSH") from error
    if _strings(raw, 1, exact=False)[0] != words[0].encode():
        raise ValueError("this is not a public key of SSH")
    return raw


def public_blob(raw: bytes) -> bytes:
    """Return SSH's binary form of an Ed25519 public key.

    Args:
        raw: its 32 bytes.
    """
    return _string(b"ssh-ed25519") + _string(raw)


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return the fingerprint of a public key, as `ssh-keygen -l` prints it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return fingerprint_of(public_bytes(line))


def fingerprint_of(public_key: bytes) -> str:
    """Return the fingerprint of a public key in SSH's binary form."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_key).digest()).decode().rstrip("=")


def _verify(signature: SshSignature, blob: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    kind = _strings(signature.public_key, 1, exact=False)[0]
    key = load_ssh_public_key(kind + b" " + base64.b64encode(signature.public_key))
    if isinstance(key, ed25519.Ed25519PublicKey) and signature.algorithm == b"ssh-ed25519":
        key.verify(signature.value, blob)
    elif isinstance(key, rsa.RSAPublicKey) and signature.algorithm in {b"rsa-sha2-256", b"rsa-sha2-512"}:
        digest = hashes.SHA256() if signature.algorithm.endswith(b"256") else hashes.SHA512()
        key.verify(signature.value, blob, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey) and signature.algorithm == kind:
        numbers = [int.from_bytes(part, "big", signed=True) for part in _strings(signature.value, 2)]
        curves = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
        key.verify(encode_dss_signature(*numbers), blob, ec.ECDSA(curves[key.curve.key_size]))
    else:
        raise ValueError("the key and the algorithm of this signature do not fit")


def _signed_blob(namespace: bytes, hash_name: bytes, message: bytes) -> bytes:
    digest = _HASHES[hash_name](message).digest()
    return _MAGIC + b"".join(map(_string, (namespace, b"", hash_name, digest)))


def _string(raw: bytes) -> bytes:
    return struct.pack(">I", len(raw)) + raw


def _strings(raw: bytes, count: int, *, exact: bool = True) -> list[bytes]:
    """Return length-prefixed strings.

    Raises:
        ValueError: the bytes end too early or too late.
    """
    found = []
    for _ in range(count):
        if len(raw) < 4:
            raise ValueError("truncated")
        (size,) = struct.unpack(">I", raw[:4])
        if len(raw) < 4 + size:
            raise ValueError("truncated")
        found.append(raw[4 : 4 + size])
        raw = raw[4 + size :]
    if exact and raw:
        raise ValueError("more than one value")
    return found
