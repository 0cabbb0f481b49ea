"""A stand-in for HTTP servers that can't run here: it plays what a test scripts, and records what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    authorization: str | None
    proxy: str | None = None


@dataclass(frozen=True)
class Reply:
    """One answer; `announced` is a Content-Length that need not be true."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None


Play = Callable[[Request], Reply]


@dataclass
class StandIn:
    """A server on the loopback interface.

    Args:
        play: gives the answer to a request.
    """

    play: Play
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path.split("?")[0] == path]


@contextmanager
def standing_in(play: Play) -> Iterator[StandIn]:
    """Serve until the block ends."""
    stand_in = StandIn(play)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            request = Request(
                self.command,
                self.path,
                self.headers.get("Authorization"),
                self.headers.get("Proxy-Authorization"),
            )
            stand_in.requests.append(request)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply = stand_in.play(request)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            length = len(reply.body) if reply.announced is None else reply.announced
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *arguments: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
