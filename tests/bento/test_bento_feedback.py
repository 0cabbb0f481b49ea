"""Feedback over HTTP: what an honest client sends is counted once, what an attacker sends moves no counter."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.bento.serving import KEY, GetBuilt, Sample, Serve, Server, free_port, until

pytestmark = pytest.mark.slow
ROW = {"wait": 0, "add": 1}
OUTCOMES = "sluice_outcomes_total"


@pytest.fixture
def rules(built: GetBuilt, tmp_path: Path) -> Server:
    with Server(built("rules"), tmp_path / "home") as server:
        yield server.ready()


def told(token: str, outcome: str = "complain") -> dict[str, str]:
    return {"served_by": token, "outcome": outcome}


def outcomes(server: Server) -> dict[Sample, float]:
    return {key: value for key, value in server.metrics().items() if key[0] == OUTCOMES}


def total(server: Server) -> float:
    return sum(outcomes(server).values())


def until_counted(server: Server, number: float) -> None:
    until(lambda: total(server) == number)


def send(server: Server, document: object) -> dict[str, int]:
    status, answer = server.post("/feedback", document)
    assert status == 200, answer
    found: dict[str, int] = answer
    return found


def test_an_outcome_is_credited_to_the_version_that_served(rules: Server) -> None:
    for _ in range(3):
        assert send(rules, told(rules.token(ROW))) == {"counted": 1, "repeated": 0, "refused": 0}
    until_counted(rules, 3)
    assert rules.sample(OUTCOMES, model="ops-rules", outcome="complaints", served_by="7d9f") == 3


def test_a_list_is_counted_one_by_one(rules: Server) -> None:
    tokens = [rules.token(ROW) for _ in range(4)]
    mixed = [*tokens, tokens[0], "7d9f." + "A" * 70]
    assert send(rules, [told(token) for token in mixed]) == {"counted": 4, "repeated": 1, "refused": 1}
    until_counted(rules, 4)


def test_a_token_counts_once_for_each_outcome_whatever_the_spelling(built: GetBuilt, tmp_path: Path) -> None:
    with Server(built("recommender"), tmp_path / "home") as server:
        token = server.ready().token(server.built.expected["rows"][0])
        last = token[-1]
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        place = alphabet.index(last) & ~3
        spellings = [token[:-1] + alphabet[place + other] for other in range(4)]
        for outcome in ("click", "add-to-basket"):
            assert send(server, told(token, outcome))["counted"] == 1
            with ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda text, o=outcome: send(server, told(text, o)), spellings * 10))
            assert sum(answer["counted"] for answer in answers) == 0
        until_counted(server, 2)


def test_made_up_tokens_move_no_counter_and_name_no_version(rules: Server) -> None:
    token = rules.token(ROW)
    version, _, text = token.partition(".")
    signed = bytearray(base64.urlsafe_b64decode(text + "=="))
    forged = [f"5c68.{text}"]  # clicks for another version
    for position in range(len(signed)):
        changed = signed.copy()
        changed[position] ^= 1
        forged.append(f"{version}.{base64.urlsafe_b64encode(changed).decode().rstrip('=')}")
    forged += [f"arm-{number}.{text}" for number in range(150)]
    for start in range(0, len(forged), 100):
        batch = forged[start : start + 100]
        assert send(rules, [told(one) for one in batch]) == {
            "counted": 0,
            "repeated": 0,
            "refused": len(batch),
        }
    assert {dict(labels)["served_by"] for _, labels in outcomes(rules)} == {"7d9f"}
    assert rules.sample("sluice_feedback_refused_total", model="ops-rules", reason="forged") == len(forged)
    assert send(rules, told(token))["counted"] == 1
    until_counted(rules, 1)


def test_a_key_of_another_service_signs_nothing_here(built: GetBuilt, tmp_path: Path) -> None:
    """The same key in two services: the name of the model is signed as well."""
    with (
        Server(built("recommender"), tmp_path / "a") as other,
        Server(built("rules"), tmp_path / "b") as mine,
    ):
        token = other.ready().token(other.built.expected["rows"][0])
        assert send(mine.ready(), told(token))["refused"] == 1
        assert total(mine) == 0


def test_keys_rotate_without_a_restart(rules: Server) -> None:
    new, old_tokens = "fedcba9876543210" * 4, [rules.token(ROW) for _ in range(3)]
    rules.write_keys(current=KEY, next=new)
    assert send(rules, told(old_tokens[0]))["counted"] == 1
    rules.write_keys(current=new, previous=KEY)
    assert send(rules, told(old_tokens[1]))["counted"] == 1
    rules.write_keys(current=new)

    def refused() -> bool:  # sent before: it counts no more, or its key is gone
        return send(rules, told(old_tokens[2]))["refused"] == 1

    until(refused, 30)
    until(lambda: send(rules, told(rules.token(ROW)))["counted"] == 1, 30)


@pytest.mark.parametrize("keys", [{}, {"current": "too short"}, {"previous": KEY}])
def test_without_a_key_feedback_is_refused_and_served_by_is_plain(
    built: GetBuilt, tmp_path: Path, keys: dict[str, str]
) -> None:
    with Server(built("rules"), tmp_path / "home") as server:
        server.write_keys(**keys)
        assert server.ready().token(ROW) == "7d9f"
        assert server.post("/feedback", told("7d9f"))[0] == 503
        assert total(server) == 0


@pytest.mark.parametrize(
    "body",
    [
        told("7d9f." + "A" * 70, "purchase"),
        told("7d9f." + "A" * 70, "complaints"),
        told("7d9f"),
        told("7D9F." + "A" * 70),
        told("7d9f." + "A" * 69),
        told("7d9f." + "A" * 70 + "\n"),
        told("7d9f." + "=" * 70),
        {"served_by": "7d9f." + "A" * 70},
        {"outcome": "complain"},
        {**told("7d9f." + "A" * 70), "weight": 2},
        [],
        [told("7d9f." + "A" * 70)] * 101,
        None,
    ],
)
def test_malformed_feedback_is_rejected(served: Serve, body: object) -> None:
    assert served("rules").post("/feedback", body)[0] == 400


def test_body_type_size_and_rate_are_bounded(rules: Server) -> None:
    assert rules.request("POST", "/feedback", b"a=b", **{"content-type": "text/plain"})[0] == 415
    assert rules.request("POST", "/feedback", b" " * 70_000)[0] == 413
    assert rules.request("GET", "/feedback")[0] == 405
    with socket.create_connection(("127.0.0.1", rules.feedback_port)) as slow:
        slow.sendall(b"POST /feedback HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
        slow.settimeout(30)
        assert b" 408 " in slow.recv(4096)
    body = json.dumps(told("7d9f." + "A" * 70)).encode()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: rules.request("POST", "/feedback", body)[0], range(4000)))
    assert set(answers) <= {200, 429}
    assert rules.post("/predict", {"rows": [ROW]})[0] == 200


def test_a_token_counts_once_in_all_pods_together(built: GetBuilt, tmp_path: Path) -> None:
    """Two pods at two addresses: a token counts at the pod that issued it, whichever gets it, however often."""
    port, pods = free_port(), list[Server]()
    with ExitStack() as stack:
        for number in (2, 3):
            host = f"127.0.0.{number}"
            variables = {"SLUICE_POD_IP": host, "SLUICE_FEEDBACK_HOST": host}
            pod = Server(built("rules"), tmp_path / f"pod{number}", f"pod{number}", variables=variables)
            pod.feedback_port = port
            pods.append(stack.enter_context(pod).ready())
        one, other = pods
        tokens = [one.token(ROW) for _ in range(5)] + [other.token(ROW) for _ in range(3)]
        batch = [told(token) for token in tokens]
        assert send(other, batch) == {"counted": 8, "repeated": 0, "refused": 0}
        for pod in (one, other, one):
            assert send(pod, batch) == {"counted": 0, "repeated": 8, "refused": 0}
        until_counted(one, 5)
        until_counted(other, 3)
        # A client that pretends to be a pod gains nothing.
        more = one.token(ROW)
        body = json.dumps([told(more)]).encode()
        for pod, counted in ((other, 0), (one, 1), (other, 0)):
            answer = json.loads(pod.request("POST", "/feedback", body, **{"x-sluice-forwarded": "1"})[2])
            assert answer["counted"] == counted
        # A pod that is gone can't count: then the others do, once each.
        late = one.token(ROW)
        one.__exit__()
        assert send(other, told(late)) == {"counted": 1, "repeated": 0, "refused": 0}
        assert send(other, told(late)) == {"counted": 0, "repeated": 1, "refused": 0}


def test_a_pod_that_accepts_no_connection_for_a_moment_is_not_gone(built: GetBuilt, tmp_path: Path) -> None:
    """Others refuse its tokens meanwhile: they may have counted there. Only a pod that stays silent is gone."""
    port, address = free_port(), "127.0.0.3"
    variables = {"SLUICE_POD_IP": address, "SLUICE_FEEDBACK_HOST": address}
    with Server(built("rules"), tmp_path / "issuer", "issuer", variables=variables) as issuer:
        tokens = [issuer.ready().token(ROW) for _ in range(2)]
    variables = {"SLUICE_POD_IP": "127.0.0.2", "SLUICE_FEEDBACK_HOST": "127.0.0.2"}
    other = Server(built("rules"), tmp_path / "other", "other", variables=variables)
    other.feedback_port = port
    with other as server, silent(address, port):
        server.ready()
        assert send(server, told(tokens[0])) == {"counted": 0, "repeated": 0, "refused": 1}
        assert server.sample("sluice_feedback_refused_total", model="ops-rules", reason="unanswered") == 1
        until(lambda: send(server, told(tokens[1]))["counted"] == 1, 90)


@contextmanager
def silent(address: str, port: int) -> Iterator[None]:
    """A port with a full queue: it accepts no connection, and refuses none."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((address, port), backlog=0))
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield


def test_predictions_and_feedback_have_separate_ports(rules: Server) -> None:
    connection = rules.port, rules.feedback_port
    assert len(set(connection)) == 2
    status = rules.request("POST", "/feedback/", b"{}")[0]  # goes to the port of predictions
    assert status == 404


def test_a_model_without_outcomes_has_no_feedback(served: Serve) -> None:
    server = served("vision")
    with pytest.raises(ConnectionRefusedError):
        server.request("POST", "/feedback", b"{}")
