"""What a service bounds: calls of the model, sizes of bodies, what it logs, and the form of its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from generator.plan.column import Column
from tests.bento.bentos import BENTOS
from tests.bento.serving import GetBuilt, Serve, Server, until
from tests.bento.test_bento_bad_input import GOOD
from tests.bento.test_bento_served import altered

pytestmark = pytest.mark.slow
SECRET = "hunter2-in-a-row"


@pytest.fixture(scope="module")
def slow(built: GetBuilt, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The custom model behind two threads and a time-out of one second."""
    folder = tmp_path_factory.mktemp("slow")
    bento = replace(BENTOS["rules"], threads=2, workers=1, timeout_s=1.0)
    with Server(altered(built("rules"), folder, bento), folder / "home") as server:
        yield server.ready()


def add(value: object, wait: float = 0.0) -> dict[str, Any]:
    return {"rows": [{"wait": wait, "add": value}]}


def test_threads_bound_the_calls_after_time_outs_too(slow: Server) -> None:
    with ThreadPoolExecutor(6) as clients:
        for _ in range(3):
            answers = list(clients.map(lambda _: slow.post("/predict", add(1, 2.5)), range(6)))
            assert {status for status, _ in answers} == {504}
            assert all(answer.keys() == {"error"} for _, answer in answers)

    def peak() -> Any:
        status, answer = slow.post("/predict", add("peak"))
        return answer["predictions"][0] if status == 200 else None

    assert until(peak, 30) == 2


def test_an_answer_that_is_not_a_number_is_a_failure(slow: Server) -> None:
    status, answer = slow.post("/predict", add(-1))
    assert (status, answer.keys()) == (500, {"error"})


def test_values_of_clients_are_not_logged(slow: Server) -> None:
    assert slow.post("/predict", add(SECRET))[0] == 500  # the model's own message has the value
    assert slow.post("/predict", {"rows": [{"wait": SECRET}]})[0] == 400
    assert slow.post("/predict", {"rows": SECRET})[0] == 400
    log = slow.log.read_text()
    assert "the model failed with RuntimeError" in log
    assert SECRET not in log


def test_a_body_is_no_longer_than_the_declaration_allows(served: Serve) -> None:
    server = served("ticket")
    limit = BENTOS["ticket"].max_body_bytes
    assert limit < 20_000
    longest = {"rows": [{"text": "\U0001f600" * 200}] * 5}  # two escapes a character
    assert len(json.dumps(longest)) > limit / 2
    assert server.post("/predict", longest)[0] == 200
    text = json.dumps({"rows": [{"text": "x"}]}).encode()
    assert server.request("POST", "/predict", text + b" " * (limit - len(text)))[0] == 200
    for size in (limit + 1, 20 * 2**20):
        status, _, body = server.request("POST", "/predict", text + b" " * (size - len(text)))
        assert (status, json.loads(body)) == (413, {"error": f"the body is longer than {limit} bytes"})


def test_the_longest_allowed_row_fits() -> None:
    columns = (Column("\u00e9" * 30, "string", max_length=50), Column("b", "integer", nullable=True))
    bento = replace(BENTOS["ticket"], inputs=columns, max_rows=40)
    row = {"\u00e9" * 30: "\U0001f600" * 50, "b": -(2**63) + 1}
    assert len(json.dumps({"rows": [row] * 40, "scores": True}, indent=1)) <= bento.max_body_bytes


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/predict", b"", {}, 405),
        ("POST", "/nowhere", b"{}", {}, 404),
        ("POST", "/predict", b"{", {}, 400),
        ("POST", "/predict", b"{}", {"content-type": "text/plain"}, 415),
        ("POST", "/predict", b"{}", {"content-encoding": "gzip"}, 415),
        ("POST", "/predict", json.dumps({"rows": [{**GOOD, "price": "x"}]}).encode(), {}, 400),
        ("POST", "/predict", json.dumps({"rows": [GOOD], "groups": [{}] * 2}).encode(), {}, 400),
    ],
)
def test_errors_have_one_form(
    served: Serve, method: str, path: str, body: bytes, headers: dict, status: int
) -> None:
    found, _, answer = served("recommender").request(method, path, body, **headers)
    assert (found, json.loads(answer).keys()) == (status, {"error"})


def test_a_mistake_names_row_and_column(served: Serve) -> None:
    status, answer = served("recommender").post("/predict", {"rows": [GOOD, {**GOOD, "price": "x"}]})
    assert (status, answer["error"]) == (400, "rows[1].price: Input should be a valid number")


CHANGES: list[dict] = [
    {},
    {"age": 18},
    {"age": 17},
    {"age": "30"},
    {"age": None},
    {"price": -1},
    {"price": 1e300},
    {"price": 0},
    {"device": "web"},
    {"device": "windows"},
    {"affinity": 10.0},
    {"affinity": 10.5},
    {"extra": 1},
]


def test_the_description_is_true(served: Serve) -> None:
    """A request is accepted if and only if it fits, and every answer fits the schema of its status."""
    server = served("recommender")
    description = json.loads(server.request("GET", "/docs.json")[2])
    assert description["openapi"] == "3.1.0"
    operation = description["paths"]["/predict"]["post"]

    def fits(content: dict, document: object) -> bool:
        schema = content["application/json"]["schema"] | {"components": description["components"]}
        return Draft202012Validator(schema).is_valid(document)

    documents: list[Any] = [{"rows": [{**GOOD, **change}]} for change in CHANGES]
    documents += [{"rows": []}, {"rows": [GOOD] * 257}, {}, {"rows": [GOOD], "debug": 1}, [], None]
    documents += [{"rows": [GOOD], "scores": scores} for scores in (True, False, "yes")]
    documents += [{"rows": [GOOD], "groups": [{"age_band": band}]} for band in ("under-30", 3, ["x"])]
    seen = set()
    for document in documents:
        status, answer = server.post("/predict", document)
        seen.add(status)
        assert fits(operation["requestBody"]["content"], document) == (status == 200), document
        assert fits(operation["responses"][str(status)]["content"], answer), answer
    assert seen == {200, 400}
