"""A STAND-IN for an API server: answers what the test says; its refusals are those of kube-apiserver 1.36.1, verbatim."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Reply = Callable[[str, str], tuple[int, dict[str, Any]]]
CORE = {
    "resources": [
        {"name": "namespaces", "kind": "Namespace", "namespaced": False},
        {"name": "configmaps", "kind": "ConfigMap", "namespaced": True},
        {"name": "pods", "kind": "Pod", "namespaced": True},
        {"name": "pods/log", "kind": "Pod", "namespaced": True},
    ]
}


def status(code: int, message: str, causes: list[dict[str, str]] | None = None) -> tuple[int, dict[str, Any]]:
    """A refusal in the form of the API."""
    details = {"details": {"causes": causes}} if causes else {}
    return code, {"kind": "Status", "status": "Failure", "code": code, "message": message, **details}


@dataclass
class StandIn:
    """The server.

    Args:
        address: where it listens.
        asked: method, path with its query, and content type of every request.
        warnings: what it adds to the answer of a dry run, for people.
    """

    address: str
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    reply: Reply = lambda method, path: (200, {})
    warnings: tuple[str, ...] = ()


@pytest.fixture
def standin() -> Iterator[StandIn]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            server.asked.append((self.command, self.path, self.headers.get("content-type", "")))
            path = self.path.partition("?")[0]
            code, body = (200, CORE) if path == "/api/v1" else server.reply(self.command, path)
            text = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            for warning in server.warnings if self.command == "PATCH" else ():
                self.send_header("Warning", "299 - " + json.dumps(warning))
            self.end_headers()
            self.wfile.write(text)

        def do_PATCH(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing to tell."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server = StandIn(f"http://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield server
        listening.shutdown()
        thread.join()


def kubeconfig(folder: Path, address: str) -> Path:
    """A kubeconfig of one server."""
    file = folder / "kubeconfig"
    file.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "one", "user": "me"}}],
                "clusters": [{"name": "one", "cluster": {"server": address}}],
                "users": [{"name": "me", "user": {"token": "t0ken"}}],
            }
        )
    )
    return file
