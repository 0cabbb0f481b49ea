"""Dates, arrays, lists, images, records and free JSON: the model gets values of Python, clients a 400 with the column's name."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from copy import deepcopy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
import yaml

from generator.plan.column import Column
from tests.bento.bentos import BENTOS
from tests.bento.serving import GetBuilt, Serve, Server, until
from tests.bento.test_bento_served import altered
from tests.tools.environment import environment

pytestmark = pytest.mark.slow
PNG = base64.b64decode(BENTOS["shown"].examples[0]["photo"])
ROW: dict[str, Any] = {
    "day": "2026-11-30",
    "at (UTC)": "2026-11-30T01:00:00+02:00",
    "local": "2026-11-30T01:00:00.25",
    'kind of "thing"': "ü\n",
    "level": 2,
    "share": 1,
    "sure": True,
    "tags": ["new", ""],
    "place": [1, -2.5],
    "grid": [[0, 1, 2], [253, 254, 255]],
    "photo": base64.b64encode(PNG).decode(),
    "raw": "aGVsbG8=",
    "who": {"age": 41, "name": None, "visits": [{"day": "2026-01-02", "spent": 9.5}]},
    "free": {"a": {"b": [1, None]}},
}
SEEN = {
    **ROW,
    "day": "date 2026-11-30",
    "at (UTC)": "datetime 2026-11-29 23:00:00+00:00",
    "local": "datetime 2026-11-30 01:00:00.250000",
    "photo": "bytes 69 89504e47",
    "raw": "bytes 5 68656c6c",
    "who": {"age": 41, "name": None, "visits": [{"day": "date 2026-01-02", "spent": 9.5}]},
}


def test_the_model_gets_values_of_python(served: Serve) -> None:
    status, answer = served("shown").post("/predict", {"rows": [ROW]})
    assert status == 200, answer
    assert answer["predictions"] == [{"label": "b", "seen": SEEN}]


ODD_DAY = {"age": 1, "visits": [{"day": "2026-13-01", "spent": 1}]}
WRONG = [
    ("day", "2026-11-31"),
    ("day", "20261130"),
    ("day", "1764460800"),
    ("day", "2026-11-30T00:00:00"),
    ("day", "9999-01-01"),
    ("day", 1764460800),
    ("at (UTC)", "2026-11-30T01:00:00"),
    ("at (UTC)", "1764460800"),
    ("at (UTC)", "2026-11-30T24:30:00Z"),
    ("local", "2026-11-30T01:00:00Z"),
    ("local", "2026-11-30"),
    ('kind of "thing"', "thing"),
    ("level", True),
    ("level", 3),
    ("level", 1.0),
    ("share", 0.25),
    ("share", True),
    ("sure", 1),
    ("sure", False),
    ("tags", []),
    ("tags", ["a"] * 4),
    ("tags", ["a", 1]),
    ("tags", "a"),
    ("place", [1]),
    ("place", [1, "2"]),
    ("place", [1, None]),
    ("place", [1, 1e39]),
    ("grid", [[0, 1, 2]]),
    ("grid", [[0, 1, 2], [3, 4]]),
    ("grid", [[0, 1, 2], [3, 4, 256]]),
    ("grid", [[0, 1, 2], [3, 4, 5.5]]),
    ("grid", [0, 1, 2, 3, 4, 5]),
    ("photo", base64.b64encode(b"GIF89a" + bytes(20)).decode()),
    ("photo", "not base64"),
    ("photo", base64.b64encode(PNG + bytes(2000)).decode()),
    ("raw", base64.b64encode(bytes(11)).decode()),
    ("raw", "aGVsbG8"),
    ("who", {"age": 41}),
    ("who", {"age": -1, "visits": []}),
    ("who", {"age": 1, "visits": [], "height": 2}),
    ("who", ODD_DAY),
    ("free", {"b": 1}),
    ("free", {"a": "x"}),
    ("free", {"a": 1, "b": "x" * 100}),
    ("free", [1]),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_is_not_declared_is_refused_with_the_name_of_the_column(
    served: Serve, name: str, value: object
) -> None:
    status, answer = served("shown").post("/predict", {"rows": [ROW, {**ROW, name: value}]})
    assert status == 400, answer
    assert answer["error"].startswith(f"rows[1].{name}"), answer
    if name not in LAXER and value not in (1.0, ODD_DAY):
        assert not schema_accepts(served("shown"), {**ROW, name: value})


LAXER = {"day", "at (UTC)", "local", "photo", "raw", "free"}
"""Columns that JSON Schema describes by annotations only: formats, encodings, sizes in bytes. To it, 1.0 is an integer."""


def schema_accepts(server: Server, row: object) -> bool:
    document = json.loads(server.request("GET", "/docs.json")[2])
    schema = {"$ref": "#/components/schemas/Request", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema).is_valid({"rows": [row]})


@pytest.mark.parametrize("name", ["shown", "pictures", "tokens", "stays", "drawn"])
def test_openapi_describes_requests_and_answers(served: Serve, name: str) -> None:
    server = served(name)
    rows = [ROW] if name == "shown" else server.built.expected["rows"]
    assert all(schema_accepts(server, row) for row in rows)
    document = json.loads(server.request("GET", "/docs.json")[2])
    schema = {"$ref": "#/components/schemas/Prediction", "components": document["components"]}
    answer = server.post("/predict", {"rows": rows})[1]
    jsonschema.Draft202012Validator(schema).validate(answer)
    if server.built.bento.output is not None:
        changed = deepcopy(answer)
        changed["predictions"][0] = "something else"
        assert not jsonschema.Draft202012Validator(schema).is_valid(changed)


CLIENT = """
import json, sys
from api.client import Client
from api.api.default import predict
from api.models import Error, Prediction, Request

address, bodies = sys.argv[1], json.loads(sys.argv[2])
for body in bodies:
    request = Request.from_dict(body)
    answer = predict.sync_detailed(client=Client(base_url=address), body=request)
    assert isinstance(answer.parsed, Prediction if answer.status_code == 200 else Error), answer
    print(json.dumps([answer.status_code, answer.parsed.to_dict()]))
"""


def test_a_client_that_is_generated_from_openapi_talks_to_the_service(served: Serve, tmp_path: Path) -> None:
    server, python = served("shown"), environment("openapi")
    described = json.loads(server.request("GET", "/docs.json")[2])
    built = (server.built.folder / "bento" / "apis" / "openapi.yaml").read_text()
    assert yaml.safe_load(built) == described  # the built bento has the same description
    content = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    for kind in content.keys() - {"application/json"}:
        del content[kind]  # of several, the generated module forgets an import
    for name in ("share", "sure"):
        del described["components"]["schemas"]["Row"]["properties"][name][
            "enum"
        ]  # it knows texts and integers
    (tmp_path / "docs.json").write_text(json.dumps(described))
    program = python.with_name("openapi-python-client")
    options = ["--path", "docs.json", "--output-path", "api", "--meta", "none", "--fail-on-warning"]
    surroundings = {"PATH": f"{python.parent}:{os.defpath}", "HOME": str(tmp_path)}
    made = subprocess.run(
        [program, "generate", *options], cwd=tmp_path, env=surroundings, capture_output=True
    )
    assert made.returncode == 0, made.stdout.decode()
    (tmp_path / "client.py").write_text(CLIENT)
    row = ROW | {'kind of "thing"': "it's"}  # generated enumerations have no line ends
    bodies = [{"rows": [row, row], "scores": False}, {"rows": [row | {"photo": "AAAA"}]}]
    arguments = [str(python), "client.py", f"http://127.0.0.1:{server.port}", json.dumps(bodies)]
    done = subprocess.run(arguments, cwd=tmp_path, env=surroundings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (status, answer), (refused, error) = map(json.loads, done.stdout.splitlines())
    assert status == 200, answer
    assert answer["predictions"] == server.post("/predict", bodies[0])[1]["predictions"]
    assert (refused, "rows[0].photo" in error["error"]) == (400, True)


def form(**parts: str | bytes) -> tuple[bytes, str]:
    """A form as a browser sends it, and its content type."""
    boundary, body = uuid4().hex, io.BytesIO()
    for name, content in parts.items():
        file = (
            '; filename="x"\r\ncontent-type: application/octet-stream' if isinstance(content, bytes) else ""
        )
        quoted = name.replace('"', "%22")
        body.write(f'--{boundary}\r\ncontent-disposition: form-data; name="{quoted}"{file}\r\n\r\n'.encode())
        body.write((content if isinstance(content, bytes) else content.encode()) + b"\r\n")
    body.write(f"--{boundary}--\r\n".encode())
    return body.getvalue(), f"multipart/form-data; boundary={boundary}"


def test_a_form_is_a_row(served: Serve) -> None:
    parts = {name: json.dumps(value) for name, value in ROW.items()}
    parts |= {name: ROW[name] for name in ("day", "at (UTC)", "local", 'kind of "thing"')}
    body, kind = form(**parts | {"photo": PNG, "raw": b"hello"})
    status, _, answer = served("shown").request("POST", "/predict", body, **{"content-type": kind})
    assert status == 200, answer
    assert json.loads(answer)["predictions"] == [{"label": "b", "seen": SEEN}]


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({"photo": b"GIF89a"}, "rows[0].day"),
        ({"photo": PNG, "tags": "not JSON"}, "the part 'tags': Expecting value"),
    ],
)
def test_a_wrong_form_is_refused(served: Serve, parts: dict[str, str | bytes], complaint: str) -> None:
    body, kind = form(**parts)
    for sent, expected in ((body, complaint), (body[:-30], ""), (b"", "")):
        status, _, answer = served("shown").request("POST", "/predict", sent, **{"content-type": kind})
        assert status == 400
        assert expected in json.loads(answer)["error"]


def test_a_photo_alone_is_a_body(built: GetBuilt, tmp_path: Path) -> None:
    photo = next(column for column in BENTOS["shown"].inputs if column.name == "photo")
    bento = replace(BENTOS["shown"], inputs=(photo, Column("note", "string", nullable=True)))
    with Server(altered(built("shown"), tmp_path, bento), tmp_path / "home") as server:
        server.ready()
        status, _, answer = server.request("POST", "/predict", PNG, **{"content-type": "image/png"})
        assert (status, json.loads(answer)["predictions"][0]["seen"]) == (200, {"photo": "bytes 69 89504e47"})
        status, _, answer = server.request("POST", "/predict", b"GIF89a", **{"content-type": "image/png"})
        assert (status, b"rows[0].photo" in answer) == (400, True)
        assert server.request("POST", "/predict", PNG, **{"content-type": "image/gif"})[0] == 415
        document = json.loads(server.request("GET", "/docs.json")[2])
        kinds = document["paths"]["/predict"]["post"]["requestBody"]["content"]
        assert {"application/json", "multipart/form-data", "image/png", "image/jpeg"} < set(kinds)


def test_an_answer_that_is_not_as_declared_is_an_error(built: GetBuilt, tmp_path: Path) -> None:
    """At the warm-up the pod does not become ready; later the client gets a 500, and the log has the place."""
    output = Column("", "object", fields=(Column("label", "string", values=("a",)), Column("seen", "json")))
    bento = replace(BENTOS["shown"], output=output)
    with Server(altered(built("shown"), tmp_path, bento), tmp_path / "home") as server:
        until(lambda: server.status() == 503)
        assert "not what `service.output` declares: label Input should be 'a'" in server.log.read_text()
        assert server.post("/predict", {"rows": [ROW]})[0] == 500


@pytest.mark.parametrize(
    ("name", "corners", "bad"), [("shown", 22, 53), ("pictures", 2, 10), ("tokens", 3, 21)]
)
def test_a_trial_sends_corners_and_mistakes_of_each_type(
    served: Serve, tmp_path: Path, name: str, corners: int, bad: int
) -> None:
    server, bento = served(name), BENTOS[name]
    facts = {
        "model": name,
        "path": "/predict",
        "ready": "/readyz",
        "metrics": "/metrics",
        "timeout_s": 10,
        "columns": [asdict(column) for column in bento.inputs],
        "examples": bento.examples,
        "attributes": {},
        "events": [],
        "max_rows": bento.max_rows,
        "threads": 4,
        "body": None,
        "renames": [],
        "startup_s": 180,
        "memory": 2**30,
        "cpu": 1,
        "rps_per_pod": 0,
        "slower_than": [],
        "series": [],
        "env": {},
        "secrets": [],
    }
    (tmp_path / "facts").write_text(json.dumps(facts))
    url = [
        "--url",
        f"http://127.0.0.1:{server.port}",
        "--seconds",
        "0.2",
        "--report",
        str(tmp_path / "report"),
    ]
    program = Path(__file__).resolve().parents[2] / "templates" / "try"
    done = subprocess.run(
        [sys.executable, "-B", program, tmp_path / "facts", *url], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sent = json.loads((tmp_path / "report").read_text())["sent"]
    assert (sent["corner cases"], sent["bad requests"]) == (corners, bad)
