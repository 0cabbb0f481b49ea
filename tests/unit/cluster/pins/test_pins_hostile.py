"""`sluice pin` against servers that mean ill: it ends, writes no lock, and reads nothing that a server chose here."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from generator.cluster.http_client import HttpClient, HttpError
from generator.cluster.limits import Allowance
from tests.references.sandbox import Sandbox, sandbox
from tests.references.standin import Reply, Request, standing_in

__all__ = ["sandbox"]
Send = Callable[[bytes], None]
OK = b"HTTP/1.1 200 OK\r\n"
FOREVER = 60.0  # a test that is still running then has failed


@contextmanager
def speaking(say: Callable[[Send, threading.Event], None]) -> Iterator[str]:
    """A server that answers every connection as a test says, byte by byte if it likes; yields its address."""
    over = threading.Event()
    threads = []

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                say(connection.sendall, over)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join()


def drip(start: bytes, more: bytes = b"x") -> Callable[[Send, threading.Event], None]:
    def say(send: Send, over: threading.Event) -> None:
        send(start)
        while not over.wait(0.02):
            send(more)

    return say


def flood(send: Send, over: threading.Event) -> None:
    send(OK + b"\r\n")
    while not over.is_set():
        send(b"0" * 65536)


DRIPS = {
    "status line": drip(b"HTTP/1.1 200 "),
    "header": drip(OK + b"X-Pad: "),
    "headers": drip(OK, b"X-Pad: a\r\n"),
    "body of known length": drip(OK + b"Content-Length: 100000\r\n\r\n"),
    "body that ends with the connection": drip(OK + b"\r\n"),
    "size of a chunk": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "extension of a chunk": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n5;x="),
    "trailer": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Pad: "),
}


@pytest.mark.parametrize("kind", DRIPS)
def test_an_answer_that_drips_ends(kind):
    with speaking(DRIPS[kind]) as address, pytest.raises(HttpError) as raised:
        HttpClient(0.3).ask(address)
    assert (raised.value.reason, "did not answer within 0.3 s" in raised.value.message) == ("broken", True)


@pytest.mark.parametrize("kind", DRIPS)
def test_a_download_that_drips_ends(kind):
    client = HttpClient(0.3).allowed(Allowance(1.0))
    with speaking(DRIPS[kind]) as address, pytest.raises(HttpError) as raised:
        client.sha256(address, "it")
    assert raised.value.reason == "broken"


def test_a_proxy_that_drips_ends(monkeypatch):
    with speaking(DRIPS["header"]) as address:
        monkeypatch.setenv("https_proxy", address)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(HttpError):
            HttpClient(0.3).ask("https://models.example.com/x")


def test_a_body_without_an_end_is_bounded_by_size_and_by_time():
    with speaking(flood) as address:
        with pytest.raises(HttpError, match="larger than `--max-size` allows"):
            HttpClient(5).allowed(Allowance(60.0, size=1 << 20)).sha256(address, "it")
        with pytest.raises(HttpError, match="took more than"):
            HttpClient(5).allowed(Allowance(0.3)).sha256(address, "it")


def test_an_announced_size_above_the_bound_is_not_downloaded():
    client = HttpClient(5).allowed(Allowance(60.0))
    with (
        standing_in(lambda _: Reply(body=b"x", announced=1 << 40)) as server,
        pytest.raises(HttpError, match="larger than `--max-size` allows"),
    ):
        client.sha256(server.address, "it")


def test_the_totals_hold_for_all_requests_of_a_reference():
    with standing_in(lambda _: Reply(body=b"0" * 1000)) as server:
        few = HttpClient(5).allowed(Allowance(60.0, requests=3))
        small = HttpClient(5).allowed(Allowance(60.0, size=2500))
        for client, words in ((few, "more requests"), (small, "larger than")):
            client.ask(server.address)
            client.sha256(server.address, "it")
            if client is few:
                client.ask(server.address)
            with pytest.raises(HttpError, match=words):
                client.ask(server.address)


@pytest.mark.parametrize("kind", ["status line", "headers"])
@pytest.mark.parametrize("ref", ["mlflow:ranker/1", "hf:org/ranker@main"])
def test_pin_ends(sandbox: Sandbox, kind: str, ref: str):
    with speaking(DRIPS[kind]) as address:
        done = sandbox.ask(ref).pin("--timeout", "0.3", MLFLOW_TRACKING_URI=address, HF_ENDPOINT=address)
    assert (done.exit_code, "[PIN103]" in done.output, sandbox.lock.exists()) == (1, True, False)


def test_an_address_with_a_digest_whose_bytes_drip_is_not_locked(sandbox: Sandbox):
    sandbox.ask("s3://models/m.pkl", f", sha256: {'a' * 64}")
    with speaking(DRIPS["body of known length"]) as address:
        done = sandbox.pin("--timeout", "0.3", AWS_ENDPOINT_URL_S3=address)
    assert (done.exit_code, "[PIN103]" in done.output, sandbox.lock.exists()) == (1, True, False)


@contextmanager
def encrypted(folder: Path) -> Iterator[str]:
    """An https server with a certificate that no authority signed; yields its address."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate, *names],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_certificate_that_is_not_trusted_writes_no_lock(sandbox: Sandbox, tmp_path: Path):
    """Even with the producer's digest: the network is there, and something in it is wrong."""
    sandbox.ask("s3://models/m.pkl", f", sha256: {'a' * 64}")
    with encrypted(tmp_path) as address:
        done = sandbox.pin(AWS_ENDPOINT_URL_S3=address)
    assert (done.exit_code, "not trusted" in done.output, sandbox.lock.exists()) == (1, True, False)
    without_network = sandbox.pin(AWS_ENDPOINT_URL_S3="http://127.0.0.1:9")
    assert (without_network.exit_code, "[PIN203]" in without_network.output) == (0, True)


def mlflow(
    files: Callable[[str], list[dict[str, object]]], uri: str = "mlflow-artifacts:/1/a"
) -> Callable[[Request], Reply]:
    """An MLflow server that lists these files for a folder."""

    def play(request: Request) -> Reply:
        parts = urlsplit(request.path)
        if parts.path.endswith("model-versions/get"):
            return Reply(body=b'{"model_version": {"version": "1", "status": "READY"}}')
        if parts.path.endswith("get-download-uri"):
            return Reply(body=json.dumps({"artifact_uri": uri}).encode())
        if parts.path.endswith("mlflow-artifacts/artifacts"):
            folder = parse_qs(parts.query)["path"][0]
            return Reply(body=json.dumps({"files": files(folder)}).encode())
        return Reply(body=b"weights")

    return play


@pytest.mark.parametrize("width", [1, 3])
def test_a_listing_without_an_end(sandbox: Sandbox, width: int):
    play = mlflow(lambda _: [{"path": f"d{n}", "is_dir": True} for n in range(width)])
    started = time.monotonic()
    with standing_in(play) as server:
        done = sandbox.ask("mlflow:ranker/1").pin(MLFLOW_TRACKING_URI=server.address)
        assert (done.exit_code, sandbox.lock.exists()) == (1, False)
        assert len(server.requests) < 11_000
    assert time.monotonic() - started < FOREVER


@pytest.mark.parametrize(
    "name", ["a\n", "a\x1b[2J", "a\x85", "a\u2028", "a\u202eb", "a\\b", "..", "", "model.pkl"]
)
def test_names_in_a_listing_of_mlflow(sandbox: Sandbox, name: str):
    play = mlflow(lambda _: [{"path": "model.pkl"}, {"path": name}])
    with standing_in(play) as server:
        done = sandbox.ask("mlflow:ranker/1").pin(MLFLOW_TRACKING_URI=server.address)
    assert (done.exit_code, sandbox.lock.exists()) == (1, False)
    assert "[PIN111]" in done.output or "[PIN108]" in done.output
    assert "\x1b" not in done.output


@pytest.mark.parametrize(
    "name", ["a\n", "a\x1b[2J", "../a", "/a", "a\\b", "a\u202eb", "model.pkl", "model.pkl/b"]
)
def test_names_in_a_listing_of_the_hub(sandbox: Sandbox, name: str):
    blob = hashlib.sha1(b"blob 7\0weights", usedforsecurity=False).hexdigest()
    listing = {"sha": "c" * 40, "siblings": [{"rfilename": n, "blobId": blob} for n in ("model.pkl", name)]}

    def play(request: Request) -> Reply:
        return Reply(body=json.dumps(listing).encode() if "/api/" in request.path else b"weights")

    with standing_in(play) as server:
        done = sandbox.ask("hf:org/ranker@main").pin(HF_ENDPOINT=server.address)
    assert (done.exit_code, "[PIN111]" in done.output, sandbox.lock.exists()) == (1, True, False)
    assert not [request for request in server.requests if "resolve" in request.path]


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_a_server_chooses_no_folder_of_this_machine(sandbox: Sandbox, tmp_path: Path, form: str):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("secret")
    play = mlflow(lambda _: [], form.format(tmp_path / "private"))
    with standing_in(play) as server:
        done = sandbox.ask("mlflow:ranker/1").pin(MLFLOW_TRACKING_URI=server.address)
    assert (done.exit_code, "[PIN109]" in done.output, sandbox.lock.exists()) == (1, True, False)


def test_a_server_that_answers_with_another_version(sandbox: Sandbox):
    with standing_in(mlflow(lambda _: [{"path": "m.pkl"}])) as server:
        done = sandbox.ask("mlflow:ranker/2").pin(MLFLOW_TRACKING_URI=server.address)
    assert (done.exit_code, "[PIN108]" in done.output, sandbox.lock.exists()) == (1, True, False)
