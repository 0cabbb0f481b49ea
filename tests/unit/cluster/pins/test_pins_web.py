"""The HTTP client against servers that misbehave."""

from __future__ import annotations

import hashlib
import socket

import pytest

from generator.cluster.pins.failure import PinError
from generator.cluster.pins.web import LIMIT, Server, Web, shown
from tests.references.standin import Reply, Request, standing_in

SECRET = "Bearer of-the-test"


def refused(url: str, timeout_s: float = 20.0) -> PinError:
    with pytest.raises(PinError) as raised:
        Web(timeout_s).ask(url, authorization=SECRET)
    return raised.value


def test_credentials_follow_a_redirect_to_the_same_server_only():
    with standing_in(lambda _: Reply(body=b"{}")) as other:

        def play(request: Request) -> Reply:
            places = {"/away": f"{other.address}/there", "/here": "/stays"}
            target = places.get(request.path)
            return Reply(307, headers={"Location": target}) if target else Reply(body=b"{}")

        with standing_in(play) as first:
            for path in ("/away", "/here"):
                assert Web().ask(first.address + path, authorization=SECRET).status == 200
            assert [request.authorization for request in first.asked("/stays")] == [SECRET]
        assert [request.authorization for request in other.asked("/there")] == [None]


@pytest.mark.parametrize("target", ["file:///etc/hostname", "data:,x"])
def test_a_redirect_to_a_file_is_not_followed(target):
    with standing_in(lambda _: Reply(302, headers={"Location": target})) as server:
        assert Web().ask(server.address).status == 302


def test_a_redirect_to_ftp_is_refused():
    with standing_in(lambda _: Reply(302, headers={"Location": "ftp://127.0.0.1/x"})) as server:
        assert refused(server.address).code == "PIN103"


def test_redirects_that_never_end():
    with standing_in(lambda _: Reply(302, headers={"Location": "/again"})) as server:
        assert Web().ask(server.address + "/again").status == 302
        assert len(server.requests) < 20


def test_a_silent_server_is_left_after_the_time_out():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        error = refused(f"http://127.0.0.1:{listener.getsockname()[1]}/x", 0.2)
    assert (error.code, "did not answer within 0.2 s" in error.message) == ("PIN103", True)


def test_a_closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    assert refused(f"http://user:word@127.0.0.1:{port}/?token=x").code == "PIN103"


def test_a_download_that_ends_too_early_is_no_download():
    with standing_in(lambda _: Reply(body=b"half", announced=8)) as server, pytest.raises(PinError) as raised:
        Web(5).sha256(server.address, "it")
    assert (raised.value.code, "middle" in raised.value.message) == ("PIN103", True)


def test_an_answer_is_bounded_and_a_download_is_not():
    body = b"0" * (LIMIT + 1)
    with standing_in(lambda _: Reply(body=body)) as server:
        assert refused(server.address).code == "PIN108"
        assert Web().sha256(server.address, "it") == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("status", "code"), [(401, "PIN105"), (403, "PIN105"), (404, "PIN104"), (500, "PIN108"), (204, "PIN108")]
)
def test_what_a_status_means(status, code):
    with standing_in(lambda _: Reply(status)) as server, pytest.raises(PinError) as raised:
        Web().sha256(server.address, "it")
    assert raised.value.code == code


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[" * 100_000])
def test_what_is_not_json(body):
    with standing_in(lambda _: Reply(body=body)) as server, pytest.raises(PinError) as raised:
        Web().ask(server.address).json()
    assert raised.value.code == "PIN108"


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "http://h:port/", "http://h/ü x", "http://" + "a" * 70 + "..b/", "http://user:pa/ss@h/"],
)
def test_an_address_that_can_not_be_used_is_no_traceback_and_shows_no_password(url):
    try:
        error = refused(url)
    except ValueError as problem:
        pytest.fail(f"{problem!r}")
    assert "ss" not in error.message.replace("address", "")


def test_user_and_password_of_an_address_become_a_header():
    server = Server.at("https://user:p%40ss@mlflow.example.com/base/")
    assert server == Server("https://mlflow.example.com/base", "Basic dXNlcjpwQHNz")
    assert "dXNl" not in repr(server)


@pytest.mark.parametrize("url", ["", "mlflow.example.com", "ftp://h", "http://", "http://[::1"])
def test_what_is_no_server(url):
    with pytest.raises(PinError, match="no http or https address"):
        Server.at(url)


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
