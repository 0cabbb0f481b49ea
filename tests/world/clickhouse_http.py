"""ClickHouse's HTTP interface in front of its embedded engine (chdb), as far as the client of gates uses it.

    python clickhouse_http.py PORT

Queries, types and functions are ClickHouse's own; only this door is a stand-in for its server.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from chdb.session import Session

SESSION = Session()


class Door(BaseHTTPRequestHandler):
    """Answers each query with the bytes of the format that it names."""

    def do_GET(self) -> None:
        """Answer `/ping`."""
        self._answer(200, b"Ok.\n")

    def do_POST(self) -> None:
        """Run a query, which is in the body or in the address."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        query = parse_qs(urlsplit(self.path).query).get("query", [""])[0]
        try:
            found = SESSION.query(f"{query} {body}".strip(), "TabSeparated").bytes()
        except Exception as error:  # noqa: BLE001 - the client shows it
            self._answer(500, str(error).encode())
        else:
            self._answer(200, found or b"")

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if status != 200:
            self.send_header("X-ClickHouse-Exception-Code", "1")
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Door).serve_forever()
