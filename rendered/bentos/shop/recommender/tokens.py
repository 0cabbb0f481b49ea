"""Signed `served_by` tokens: which version answered, in a form that only this service can make and that counts once.

Rendered by Sluice. A token is the version, a dot, and base64url of these bytes: the run of the process that issued it (8),
its number in that run (8), when (4, seconds since 1970), by which pod (16, its IP), and the first 16 bytes of
HMAC-SHA256 over all of it and the name of the model.

Keys are files of the folder SLUICE_FEEDBACK_KEYS, each with at least 32 characters: `current` signs; `current`,
`previous` and `next` verify. They are read again every few seconds, so a rotation needs no restart.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import itertools
import os
import pathlib
import struct
import time
from dataclasses import dataclass

import counters

KEYS = pathlib.Path(os.environ.get("SLUICE_FEEDBACK_KEYS") or "/etc/sluice/feedback")
WINDOW_S = 86400  # older tokens are refused
_REREAD_S = 5.0
_LEAST_CHARACTERS = 32
_BODY = struct.Struct(">8sQI16s")
_MAC_BYTES = 16
_RUN = os.urandom(8)
_NUMBERS = itertools.count()
NOWHERE = bytes(16)  # the issuer outside Kubernetes


def _address(text: str) -> bytes:
    """Return an IP address as 16 bytes, IPv4 in its mapped form."""
    found = ipaddress.ip_address(text)
    return found.packed if found.version == 6 else bytes(10) + b"\xff\xff" + found.packed


ME = _address(os.environ["SLUICE_POD_IP"]) if os.environ.get("SLUICE_POD_IP") else NOWHERE


class RefusedError(Exception):
    """A token that does not count; the argument is the reason, one word."""


@dataclass(frozen=True, slots=True)
class Token:
    """A verified token."""

    version: str
    run: bytes
    number: int
    issued: int
    issuer: bytes

    @property
    def host(self) -> str:
        """The IP address of the pod that issued it, as in a URL."""
        address = ipaddress.IPv6Address(self.issuer)
        return str(address.ipv4_mapped) if address.ipv4_mapped else f"[{address}]"


class _Keys:
    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._found: dict[str, bytes] = {}

    def found(self) -> dict[str, bytes]:
        """Return the keys by name; those that are too short are left out."""
        if time.monotonic() - self._read_at >= _REREAD_S:
            found = {}
            for name in ("current", "previous", "next"):
                try:
                    key = (KEYS / name).read_bytes().strip()
                except OSError:
                    continue
                if len(key) >= _LEAST_CHARACTERS:
                    found[name] = key
            self._found, self._read_at = found, time.monotonic()
        return self._found


_keys = _Keys()


def can_sign() -> bool:
    """Return whether there is a key to sign with; without one no feedback is accepted."""
    return "current" in _keys.found()


def served_by() -> str:
    """Return a new token for a prediction of this version; without a key only the name of the version."""
    key = _keys.found().get("current")
    if key is None:
        return counters.SERVED_BY
    body = _BODY.pack(_RUN, next(_NUMBERS), int(time.time()), ME)
    signed = body + _mac(key, counters.SERVED_BY, body)
    return f"{counters.SERVED_BY}.{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"


def verify(token: str) -> Token:
    """Return the content of a token.

    Raises:
        RefusedError: it was not signed with one of the keys, or it is too old.
    """
    version, _, text = token.partition(".")
    try:
        signed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise RefusedError("forged") from None
    body, mac = signed[: _BODY.size], signed[_BODY.size :]
    keys = _keys.found().values()
    if len(body) != _BODY.size or not any(hmac.compare_digest(_mac(key, version, body), mac) for key in keys):
        raise RefusedError("forged")
    run, number, issued, issuer = _BODY.unpack(body)
    if issued < time.time() - WINDOW_S:
        raise RefusedError("old")
    return Token(version, run, number, issued, issuer)


def _mac(key: bytes, version: str, body: bytes) -> bytes:
    text = b"\0".join([b"sluice/served-by/v1", counters.MODEL.encode(), version.encode(), body])
    return hmac.digest(key, text, "sha256")[:_MAC_BYTES]


class Seen:
    """The tokens that have counted: one bit each, in chunks of consecutive numbers of a run.

    Memory is bounded by the number of chunks. When there is no room, the chunk with the oldest tokens is dropped, and
    from then on no token as old as these counts, so that none counts twice.
    """

    CHUNK = 65_536
    MOST = 512  # 4 MiB

    def __init__(self) -> None:
        self._bits: dict[tuple[bytes, int], bytearray] = {}
        self._newest: dict[tuple[bytes, int], int] = {}
        self._floor = 0

    def add(self, token: Token) -> None:
        """Record a token.

        Raises:
            RefusedError: it has counted before, or may have.
        """
        part, place = divmod(token.number, self.CHUNK)
        key, index, bit = (token.run, part), place >> 3, 1 << (place & 7)
        bits = self._bits.get(key) or self._new_chunk(key, token)
        if bits[index] & bit:
            raise RefusedError("repeated")
        bits[index] |= bit
        self._newest[key] = max(token.issued, self._newest[key])

    def _new_chunk(self, key: tuple[bytes, int], token: Token) -> bytearray:
        if token.issued <= self._floor:
            raise RefusedError("old")
        if len(self._bits) >= self.MOST:
            oldest = min(self._newest, key=self._newest.__getitem__)
            self._floor = max(self._floor, self._newest.pop(oldest))
            del self._bits[oldest]
        self._newest[key] = token.issued
        self._bits[key] = bytearray(self.CHUNK // 8)
        return self._bits[key]
