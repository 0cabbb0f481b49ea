"""A small client of the language server protocol over standard input and output; enough to ask what an editor asks."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

_PATIENCE_S = 120.0


class Server:
    """A running language server.

    Args:
        command: program and arguments.
        root: the folder that the editor has open.
    """

    def __init__(self, command: list[str], root: Path) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root)
        self._answers: dict[int, Any] = {}
        self._told: queue.Queue[dict[str, Any]] = queue.Queue()
        self._next = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        folders = [{"uri": root.as_uri(), "name": root.name}]
        capabilities = {"textDocument": {"hover": {"contentFormat": ["markdown"]}}}
        self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": root.as_uri(),
                "capabilities": capabilities,
                "workspaceFolders": folders,
            },
        )
        self.tell("initialized", {})
        settings = {
            "yaml": {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
        }
        self.tell("workspace/didChangeConfiguration", {"settings": settings})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()  # the end of its stream ends it
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def open(self, file: Path, text: str) -> list[dict[str, Any]]:
        """Open a document; what the editor then underlines."""
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        while True:
            message = self._take()
            if (
                message.get("method") == "textDocument/publishDiagnostics"
                and message["params"]["uri"] == file.as_uri()
            ):
                return message["params"]["diagnostics"]

    def at(self, method: str, file: Path, line: int, column: int) -> Any:
        """Ask about a place of an open document; lines and columns count from 0."""
        place = {"textDocument": {"uri": file.as_uri()}, "position": {"line": line, "character": column}}
        return self.ask(f"textDocument/{method}", place)

    def ask(self, method: str, parameters: Any) -> Any:
        """The result of a request."""
        self._next += 1
        self._send({"id": self._next, "method": method, "params": parameters})
        kept = []
        while True:
            message = self._take()
            if message.get("id") == self._next and "method" not in message:
                for other in kept:
                    self._told.put(other)
                assert "error" not in message, message
                return message.get("result")
            kept.append(message)

    def tell(self, method: str, parameters: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": parameters})

    def _take(self) -> dict[str, Any]:
        return self._told.get(timeout=_PATIENCE_S)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.split(b":")[1]) if header.lower().startswith(b"content-length") else 0
            while stream.readline().strip():
                pass
            message = json.loads(stream.read(length))
            if (
                "id" in message and "method" in message
            ):  # the server asks for settings, or registers something
                wanted = (
                    message["params"].get("items", [])
                    if message["method"] == "workspace/configuration"
                    else None
                )
                result = None if wanted is None else [self._setting(item.get("section")) for item in wanted]
                self._send({"id": message["id"], "result": result})
            else:
                self._told.put(message)

    @staticmethod
    def _setting(section: str | None) -> Any:
        return (
            {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
            if section == "yaml"
            else {}
        )
