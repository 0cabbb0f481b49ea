"""The HTTP client against servers that misbehave."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from generator.cluster.http_client import LIMIT, Endpoint, HttpClient, HttpError, shown
from tests.references.standin import Reply, Request, standing_in

SECRET = "Bearer of-the-test"


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def refused(url: str, timeout_s: float = 20.0) -> HttpError:
    with pytest.raises(HttpError) as raised:
        HttpClient(timeout_s).ask(url, authorization=SECRET)
    return raised.value


def test_credentials_follow_a_redirect_to_the_same_server_only():
    with standing_in(lambda _: Reply(body=b"{}")) as other:

        def play(request: Request) -> Reply:
            places = {"/away": f"{other.address}/there", "/here": "/stays"}
            target = places.get(request.path)
            return Reply(307, headers={"Location": target}) if target else Reply(body=b"{}")

        with standing_in(play) as first:
            for path in ("/away", "/here"):
                assert HttpClient().ask(first.address + path, authorization=SECRET).status == 200
            assert [request.authorization for request in first.asked("/stays")] == [SECRET]
        assert [request.authorization for request in other.asked("/there")] == [None]


def test_credentials_do_not_come_back_from_a_detour():
    def play(request: Request) -> Reply:
        return Reply(307, headers={"Location": f"{first.address}/back"})

    with standing_in(play) as detour:

        def start(request: Request) -> Reply:
            place = f"{detour.address}/x"
            return Reply(307, headers={"Location": place}) if request.path == "/" else Reply(body=b"{}")

        with standing_in(start) as first:
            assert HttpClient().ask(first.address + "/", authorization=SECRET).status == 200
            assert [request.authorization for request in first.asked("/back")] == [None]


@pytest.mark.parametrize("target", ["file:///etc/hostname", "data:,x", "ftp://127.0.0.1/x"])
def test_a_redirect_to_another_protocol_is_refused(target):
    with standing_in(lambda _: Reply(302, headers={"Location": target})) as server:
        error = refused(server.address)
    assert (error.reason, "neither http nor https" in error.message) == ("broken", True)


def test_a_redirect_from_https_to_http_is_refused(tmp_path, monkeypatch):
    certificate = tmp_path / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", certificate, "-out", tmp_path / "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    certificate.write_bytes(certificate.read_bytes() + (tmp_path / "cert.pem").read_bytes())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/plain")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        address = f"https://127.0.0.1:{server.server_port}/"
        untrusted = refused(address)
        assert "has a certificate that is not trusted: self-signed certificate" in untrusted.message
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            with monkeypatch.context() as patch:
                patch.setenv(name, str(tmp_path / "cert.pem"))
                error = refused(address)
            assert "redirects to an unencrypted address" in error.message
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_redirects_that_never_end():
    with standing_in(lambda _: Reply(302, headers={"Location": "/again"})) as server:
        assert "redirects more than 5 times" in refused(server.address + "/again").message
        assert len(server.requests) == 5


def test_a_busy_server_is_tried_again_and_then_its_answer_counts():
    states = iter([503, 429, 200])
    with standing_in(lambda _: Reply(next(states), headers={"Retry-After": "0"}, body=b"{}")) as server:
        assert HttpClient().ask(server.address).status == 200
    with standing_in(lambda _: Reply(503)) as server:
        assert HttpClient().ask(server.address).status == 503
        assert len(server.requests) == 3


def test_what_may_have_been_done_is_not_sent_again():
    with standing_in(lambda _: Reply(503)) as server:
        assert HttpClient().ask(server.address, method="POST", form={"a": "1"}).status == 503
        assert len(server.requests) == 1


def test_a_silent_server_is_left_after_the_time_out():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        error = refused(f"http://127.0.0.1:{listener.getsockname()[1]}/x", 0.2)
    assert (error.reason, "did not answer within 0.2 s" in error.message) == ("broken", True)


def test_a_server_that_answers_byte_by_byte_is_left_after_the_time_out():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                try:
                    while not over.wait(0.02):
                        connection.sendall(b"x")
                except OSError:
                    return

        over = threading.Event()
        thread = threading.Thread(target=drip)
        thread.start()
        error = refused(f"http://127.0.0.1:{listener.getsockname()[1]}/x", 0.3)
        over.set()
        thread.join()
    assert "did not answer within 0.3 s" in error.message


def test_a_closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    error = refused(f"http://user:word@127.0.0.1:{port}/?token=x")
    assert error.reason == "unreachable"
    assert error.message == f"http://127.0.0.1:{port}/ can't be reached: Connection refused"


def test_a_download_that_ends_too_early_is_no_download():
    with (
        standing_in(lambda _: Reply(body=b"half", announced=8)) as server,
        pytest.raises(HttpError) as raised,
    ):
        HttpClient(5).sha256(server.address, "it")
    assert (raised.value.reason, "middle" in raised.value.message) == ("broken", True)


def test_an_answer_is_bounded_and_a_download_is_not():
    body = b"0" * (LIMIT + 1)
    with standing_in(lambda _: Reply(body=body)) as server:
        assert refused(server.address).reason == "unexpected"
        assert HttpClient().sha256(server.address, "it") == hashlib.sha256(body).hexdigest()


def test_packed_answers_are_taken_as_they_are():
    packed = bytes.fromhex("1f8b0800000000000203abae0500434d4b4402000000")
    with standing_in(lambda _: Reply(body=packed, headers={"Content-Encoding": "gzip"})) as server:
        assert HttpClient().ask(server.address).body == packed


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (401, "forbidden", "access to it at {0} denied (HTTP 401)"),
        (403, "forbidden", "access to it at {0} denied (HTTP 403)"),
        (404, "unknown", "it at {0} does not exist (HTTP 404)"),
        (500, "unexpected", "unexpected answer for it at {0} (HTTP 500)"),
        (204, "unexpected", "unexpected answer for it at {0} (HTTP 204)"),
    ],
)
def test_what_a_status_means(status, reason, words):
    with standing_in(lambda _: Reply(status)) as server, pytest.raises(HttpError) as raised:
        HttpClient().sha256(server.address, "it")
    assert (raised.value.reason, raised.value.message) == (reason, words.format(server.address))


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[" * 100_000])
def test_what_is_not_json(body):
    with standing_in(lambda _: Reply(body=body)) as server, pytest.raises(HttpError) as raised:
        HttpClient().ask(server.address).json()
    assert raised.value.reason == "unexpected"


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "http://h:port/", "http://" + "a" * 70 + "..b/", "http://user:pa/ss@h/", "http://h\n/"],
)
def test_an_address_that_can_not_be_used_is_no_traceback_and_shows_no_password(url):
    error = refused(url)
    assert error.reason in {"malformed", "unreachable", "broken"}
    assert "ss" not in error.message.replace("address", "")


def test_a_proxy_of_the_environment_is_used_with_its_credentials(monkeypatch):
    with standing_in(lambda _: Reply(body=b"through")) as proxy:
        monkeypatch.setenv("http_proxy", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        assert HttpClient().ask("http://models.example.com/x", authorization=SECRET).body == b"through"
        assert [request.path for request in proxy.requests] == ["http://models.example.com/x"]
        assert [request.proxy for request in proxy.requests] == ["Basic dXNlcjpwQHNz"]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with standing_in(lambda _: Reply(body=b"direct")) as server:
            assert HttpClient().ask(server.address).body == b"direct"


def test_user_and_password_of_an_address_become_a_header():
    endpoint = Endpoint.at("https://user:p%40ss@mlflow.example.com/base/")
    assert endpoint == Endpoint("https://mlflow.example.com/base", "Basic dXNlcjpwQHNz")
    assert "dXNl" not in repr(endpoint)


@pytest.mark.parametrize("url", ["", "mlflow.example.com", "ftp://h", "http://", "http://[::1"])
def test_what_is_no_server(url):
    with pytest.raises(HttpError, match="not an http or https address"):
        Endpoint.at(url)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://user:word@h:1/p?sig=x#f", "https://h:1/p"),
        ("https://user:wo/rd@h/p", "https://h/p"),
        ("https://user:wo?rd@h/p", "https://…"),
        ("https://h/p?sig=a@b", "https://…"),
        ("", "://"),
    ],
)
def test_what_is_shown_of_an_address(url, seen):
    assert shown(url) == seen


@pytest.mark.parametrize("arguments", [["plan", "shop/recommender"], ["render", "--check"], ["validate"]])
def test_commands_without_a_network_load_no_client(arguments):
    code = "import atexit, sys; atexit.register(lambda: print('LOADED', 'urllib3' in sys.modules)); from generator.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("LOADED False\n")
