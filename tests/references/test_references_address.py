"""Addresses, with a real TLS server of Python's own; the S3 endpoint is a stand-in."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from generator import __version__
from tests.references.processes import free_port
from tests.references.sandbox import Sandbox
from tests.references.standin import Reply, standing_in

WEIGHTS = b"weights"
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()


def given(digest: str) -> str:
    return f", sha256: {digest}"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def https(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A server of a folder: its address, and the variable that makes its certificate trusted."""
    names = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *subject]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}", {"SSL_CERT_FILE": str(folder / "cert.pem")}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "m.pkl").write_bytes(WEIGHTS)
    return folder


def test_an_https_model_is_downloaded_and_compared(files: Path, sandbox: Sandbox) -> None:
    with https(files) as (address, trusted):
        model = sandbox.ask(f"{address}/m.pkl", given(DIGEST)).pinned(**trusted)["model"]
        wrong = sandbox.ask(f"{address}/m.pkl", given(OTHER)).pin(**trusted)
        gone = sandbox.ask(f"{address}/n.pkl", given(DIGEST)).pin(**trusted)
    assert model["digest"] == f"sha256:{DIGEST}"
    assert model["resolved"] == f"{address}/m.pkl#sha256={DIGEST}"
    assert model["version"] == DIGEST[:12]
    assert "a download from localhost" in model["by"]
    assert (wrong.exit_code, "PIN106" in wrong.output) == (1, True)
    assert (gone.exit_code, "PIN104" in gone.output) == (1, True)


def test_what_can_not_be_reached_keeps_the_given_digest_and_says_so(files: Path, sandbox: Sandbox) -> None:
    with https(files) as (address, trusted):
        ref = f"{address}/m.pkl"
        untrusted = sandbox.ask(ref, given(DIGEST)).pin(SSL_CERT_FILE=str(files / "missing.pem"))
        assert (untrusted.exit_code, "[PIN103]" in untrusted.output, sandbox.lock.exists()) == (
            1,
            True,
            False,
        )
        assert "a download from" in sandbox.pinned(**trusted)["model"]["by"]
    text = sandbox.lock.read_text()
    assert sandbox.pin("--verify", **trusted).exit_code == 0
    assert sandbox.lock.read_text() == text
    sandbox.lock.unlink()
    unreachable = sandbox.pin(**trusted)
    assert (unreachable.exit_code, "[PIN203]" in unreachable.output) == (0, True)
    assert sandbox.locked["model"]["by"].endswith("the producer's sha256, not downloaded")


def test_data_without_a_digest_is_identified_by_its_bytes(files: Path, sandbox: Sandbox) -> None:
    with https(files) as (address, trusted):
        ref = f"{address}/rows.csv"
        (files / "rows.csv").write_text("x\n1\n")
        gate = f'{{name: d, drift: {{reference: "{ref}", current: "{ref}", features: [x]}}, tool: ks}}'
        sandbox.ask(f"{address}/m.pkl", given(DIGEST), gate)
        digest = hashlib.sha256(b"x\n1\n").hexdigest()
        expected = {
            ref: {
                "resolved": f"{ref}#sha256={digest}",
                "digest": f"sha256:{digest}",
                "at": "2026-11-23T00:00:00Z",
                "by": f"sluice {__version__}, a download from {address.removeprefix('https://')}",
            }
        }
        assert sandbox.pinned(**trusted)["data"] == expected
        (files / "rows.csv").write_text("x\n2\n")
        moved = sandbox.pin("--check", **trusted)
    assert (moved.exit_code, f"`{ref}` has moved" in moved.output) == (1, True)


def test_s3_without_an_endpoint_keeps_the_given_digest(sandbox: Sandbox) -> None:
    done = sandbox.ask("s3://models/m.pkl", given(DIGEST)).pin()
    assert (done.exit_code, "PIN203" in done.output, "AWS_ENDPOINT" in done.output) == (0, True, False)
    assert sandbox.locked["model"]["digest"] == f"sha256:{DIGEST}"


def test_s3_through_an_endpoint_that_needs_no_signature(sandbox: Sandbox) -> None:
    def play(request: object) -> Reply:
        path = getattr(request, "path", "")
        return Reply(body=WEIGHTS) if path == "/models/a/m.pkl" else Reply(403)

    with standing_in(play) as stand_in:
        endpoint = {"AWS_ENDPOINT_URL_S3": stand_in.address}
        model = sandbox.ask("s3://models/a/m.pkl", given(DIGEST)).pinned(**endpoint)["model"]
        assert "a download from 127.0.0.1" in model["by"]
        wrong = sandbox.ask("s3://models/a/m.pkl", given(OTHER)).pin(**endpoint)
        closed = sandbox.ask("s3://models/b/m.pkl", given(DIGEST)).pin(**endpoint)
    assert (wrong.exit_code, "PIN106" in wrong.output) == (1, True)
    assert (closed.exit_code, "PIN203" in closed.output, "HTTP 403" in closed.output) == (0, True, True)


@pytest.mark.parametrize("start", ["", "dvc:"])
def test_a_credential_in_an_address_is_refused_and_not_repeated(sandbox: Sandbox, start: str) -> None:
    ref = f"{start}https://user:s3cr3t-word@models.example.com//m.pkl"
    done = sandbox.ask(ref, "" if start else given(DIGEST)).pin()
    assert (done.exit_code, "PIN101" in done.output, "s3cr3t" in done.output) == (1, True, False)
    assert not sandbox.lock.exists()


def test_a_password_in_a_setting_is_shown_nowhere(sandbox: Sandbox) -> None:
    uri = f"http://user:s3cr3t-word@127.0.0.1:{free_port()}/mlflow"
    done = sandbox.ask("mlflow:ranker/1").pin(MLFLOW_TRACKING_URI=uri)
    assert (done.exit_code, "PIN103" in done.output, "s3cr3t" in done.output) == (1, True, False)


def test_a_setting_that_is_missing_is_named(sandbox: Sandbox) -> None:
    done = sandbox.ask("mlflow:ranker/1").pin()
    assert (done.exit_code, "PIN102" in done.output, "MLFLOW_TRACKING_URI" in done.output) == (1, True, True)


def test_the_room_of_pins_is_not_loaded_by_other_commands() -> None:
    code = "import sys, generator.cli.validate, generator.cli.pin; print('generator.cluster.pins' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
