"""Whatever a client sends, it is answered 2xx or 4xx: a 5xx would be counted against the model."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bento.serving import Serve

pytestmark = pytest.mark.slow
GOOD = {"price": 10.5, "device": "ios", "age": 30, "affinity": 0}


def row(**changed: object) -> bytes:
    return json.dumps({"rows": [{**GOOD, **changed}]}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"rows": []}',
        b'{"rows": null}',
        b'{"rows": {}}',
        b'{"rows": [null]}',
        b'{"rows": [[1, 2, 3, 4]]}',
        json.dumps({"rows": [GOOD] * 257}).encode(),
        json.dumps({"rows": [GOOD], "debug": True}).encode(),
        json.dumps({"rows": [GOOD], "scores": "yes"}).encode(),
        json.dumps({"rows": [GOOD], "groups": [{"age_band": "under-30"}] * 2}).encode(),
        json.dumps({"rows": [GOOD], "groups": [{"gender": "f"}]}).encode(),
        json.dumps({"rows": [GOOD], "groups": [{"age_band": ["x"]}]}).encode(),
        json.dumps({"rows": [{k: v for k, v in GOOD.items() if k != "age"}]}).encode(),
        row(extra=1),
        row(age="30"),
        row(age=30.5),
        row(age=True),
        row(age=None),
        row(age=17),
        row(age=10**400),
        row(price=-1),
        row(price="10"),
        row(price=float("nan")),
        row(price=float("inf")),
        row(price=1e300),
        row(device="windows"),
        row(device=1),
        row(device="\ud800"),
    ],
)
def test_declared_inputs_are_checked(served: Serve, body: bytes) -> None:
    status, _, answer = served("recommender").request("POST", "/predict", body)
    assert status == 400, answer


@pytest.mark.parametrize(
    "rows",
    [
        [[0.0] * 63],
        [[0.0] * 64, [0.0] * 65],
        [[0.0] * 63 + ["x"]],
        [[0.0] * 63 + [None]],
        [[0.0] * 63 + [1e300]],
        ["a text"],
        [{"a": 1}],
        [[0.0] * 64, "a text"],
        [[[0.0] * 64]],
        [1],
    ],
)
def test_free_rows_must_fit_the_model(served: Serve, rows: list) -> None:
    status, answer = served("vision").post("/predict", {"rows": rows})
    assert status == 400, answer


FORMS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]


@pytest.mark.parametrize("content_type", FORMS)
def test_other_content_types_are_no_fault_of_the_model(served: Serve, content_type: str) -> None:
    headers = {"content-type": content_type}
    status, _, answer = served("recommender").request("POST", "/predict", b"rows=1", **headers)
    assert status == 415, answer


KEYS = st.sampled_from([*GOOD, "text", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=8,
)
ROW = JSON | JSON.map(lambda text: {"text": text}) | JSON.map(lambda price: {**GOOD, "price": price})


@pytest.mark.parametrize("name", ["ticket", "recommender", "vision", "rules"])
def test_no_document_makes_a_server_error(served: Serve, name: str) -> None:
    server = served(name)

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(ROW, max_size=3), JSON)
    def ask(rows: list, anything: object) -> None:
        for document in ({"rows": rows}, {"rows": anything}, anything):
            status, _ = server.post("/predict", document)
            assert status in (200, 400), document

    ask()
