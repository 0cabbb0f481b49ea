"""A STAND-IN for cluster DNS: answers the addresses of Services, and that nothing else exists.

python -m tests.cluster.dns_standin KEYS
"""

from __future__ import annotations

import socketserver
import struct
import sys
from pathlib import Path

from tests.cluster.client import Api
from tests.cluster.layout import NODE_IP

_HEADER = struct.Struct("!6H")
_A, _IN, _TTL_S = 1, 1, 1
_ANSWER, _UNKNOWN_NAME = 0x8580, 0x8583
_LABELS = 5  # service.namespace.svc.cluster.local


def reply(query: bytes, api: Api) -> bytes:
    """The answer to one question (RFC 1035, section 4)."""
    identity = _HEADER.unpack_from(query)[0]
    name, end = _name(query, _HEADER.size)
    question = query[_HEADER.size : end + 4]
    address = _address(name, api)
    if address is None:
        return _HEADER.pack(identity, _UNKNOWN_NAME, 1, 0, 0, 0) + question
    if struct.unpack_from("!H", query, end)[0] != _A:
        return _HEADER.pack(identity, _ANSWER, 1, 0, 0, 0) + question
    packed = bytes(int(part) for part in address.split("."))
    record = struct.pack("!HHHIH", 0xC000 | _HEADER.size, _A, _IN, _TTL_S, len(packed)) + packed
    return _HEADER.pack(identity, _ANSWER, 1, 1, 0, 0) + question + record


def _name(query: bytes, at: int) -> tuple[str, int]:
    labels = []
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels).lower(), at + 1


def _address(name: str, api: Api) -> str | None:
    labels = name.split(".")
    if len(labels) != _LABELS or labels[2:] != ["svc", "cluster", "local"]:
        return None
    service = api.find(f"/api/v1/namespaces/{labels[1]}/services/{labels[0]}")
    if service is None:
        return None
    address: str | None = service["spec"].get("clusterIP")
    return address


class _Handler(socketserver.BaseRequestHandler):
    api: Api

    def handle(self) -> None:
        query, socket = self.request
        socket.sendto(reply(query, self.api), self.client_address)


if __name__ == "__main__":
    _Handler.api = Api(Path(sys.argv[1]))
    with socketserver.ThreadingUDPServer((NODE_IP, 53), _Handler) as server:
        server.serve_forever()
