"""A stand-in for the servers that hold Workflows: the paths, codes and bodies of an Argo Workflows server and of Kubernetes.

Bodies of errors as those servers write them: a gRPC gateway's `{"code", "message"}`, and a Kubernetes `Status`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ARGO = re.compile(r"/api/v1/workflows/([a-z0-9-]+)(?:/([a-z0-9-]+))?")
KUBERNETES = re.compile(r"/apis/argoproj\.io/v1alpha1/namespaces/([a-z0-9-]+)/workflows(?:/([a-z0-9-]+))?")
_GRPC = {404: 5, 409: 6, 403: 7, 401: 16}
_REASONS = {404: "NotFound", 409: "AlreadyExists", 403: "Forbidden", 401: "Unauthorized"}


class Cluster:
    """What the servers hold, and what they were asked."""

    def __init__(self) -> None:
        self.workflows: dict[tuple[str, str], dict[str, Any]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.token = ""
        self.address = ""

    @property
    def kubeconfig(self) -> str:
        user = {"token": self.token} if self.token else {}
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "clusters": [{"name": "here", "cluster": {"server": self.address}}],
                "users": [{"name": "me", "user": user}],
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            }
        )


class Handler(BaseHTTPRequestHandler):
    cluster: Cluster

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        namespace, _, argo = self._asked()
        workflow = body["workflow"] if argo else body
        if self._refused(argo):
            return
        key = (namespace, workflow["metadata"]["name"])
        if key in self.cluster.workflows:
            self._error(409, f'workflows.argoproj.io "{key[1]}" already exists', argo)
            return
        workflow = {
            **workflow,
            "metadata": {**workflow["metadata"], "uid": "1", "creationTimestamp": "2026-11-23T10:00:00Z"},
        }
        self.cluster.workflows[key] = workflow
        self._answer(200 if argo else 201, workflow)

    def do_GET(self) -> None:
        namespace, name, argo = self._asked()
        if self._refused(argo):
            return
        found = self.cluster.workflows.get((namespace, name))
        if found is None:
            self._error(404, f'workflows.argoproj.io "{name}" not found', argo)
        else:
            self._answer(200, found)

    def _asked(self) -> tuple[str, str, bool]:
        self.cluster.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
        path = self.path.split("?")[0]
        argo, kubernetes = ARGO.fullmatch(path), KUBERNETES.fullmatch(path)
        found = argo or kubernetes
        assert found, self.path
        return found[1], found[2] or "", argo is not None

    def _refused(self, argo: bool) -> bool:
        if self.cluster.token and self.headers.get("Authorization") != f"Bearer {self.cluster.token}":
            self._error(401, "token not valid", argo)
            return True
        return False

    def _error(self, status: int, message: str, argo: bool) -> None:
        kubernetes = {
            "kind": "Status",
            "status": "Failure",
            "message": message,
            "reason": _REASONS[status],
            "code": status,
        }
        self._answer(status, {"code": _GRPC[status], "message": message} if argo else kubernetes)

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def serving() -> Iterator[Cluster]:
    """Both servers on one port of this machine."""
    cluster = Cluster()

    handler = type("Bound", (Handler,), {"cluster": cluster})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    cluster.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
