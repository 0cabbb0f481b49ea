"""A bento that a team has built by hand: its routes and batching stay, its predictions and outcomes are counted."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from generator.cluster.artifacts.formats import contents_of
from generator.cluster.artifacts.trained import trained_with
from generator.plan.bento import Bento
from tests.bento.serving import Built, Server, checked, run, tree_sha256, until, write

pytestmark = pytest.mark.slow

SERVICE = """
import bentoml

import counters  # a module of the team, with the name of one of ours


@bentoml.service(name="ranker", workers=1, traffic={"timeout": 20})
class Ranker:
    @bentoml.api(batchable=True, max_batch_size=16, max_latency_ms=5000)
    def rank(self, users: list[int]) -> list[float]:
        counters.largest = max(counters.largest, len(users))
        return [user / 2 for user in users]

    @bentoml.api
    async def similar(self, item: int) -> list[int]:
        if item < 0:
            raise ValueError("no such item")
        return [item + 1, item + 2]

    @bentoml.api
    def largest(self) -> int:
        return counters.largest
"""
BENTOFILE = "service: service:Ranker\nname: ranker\ninclude: ['*.py']\npython: {packages: ['bentoml==1.4.39', 'numpy==2.4.6'], lock_packages: false}\n"
OWN = Bento(
    name="shop-ranker",
    class_name="RankerService",
    framework="bento",
    tag="shop-ranker:7",
    version="7",
    digest="0" * 64,
    python_version="3.11",
    base_image="registry.example/python:3.11-slim",
    requirements=("bentoml==1.4.39",),
    custom_class="service:Ranker",
    outcomes=(("ctr", "click"),),
    buckets=(0.12,),
    scrape_s=0.5,
    path="/rank",
    endpoints=("/rank", "/similar"),
)
LABELS = {"model": "shop-ranker", "served_by": "7d9f"}


@pytest.fixture(scope="module")
def exported(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the team hands over: the export of their build."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "service.py").write_text(SERVICE)
    (folder / "counters.py").write_text("largest = 0\n")
    (folder / "bentofile.yaml").write_text(BENTOFILE)
    checked(run(python, folder / "home", "-m", "bentoml", "build", "--version", "team", cwd=folder))
    checked(
        run(python, folder / "home", "-m", "bentoml", "export", "ranker:team", str(folder / "ranker.bento"))
    )
    return folder / "ranker.bento"


def imported(bento: Bento, artifact: Path, python: Path, folder: Path) -> str:
    """Render the files around a bento and import it; what the program printed."""
    write(replace(bento, digest=tree_sha256(artifact)), folder / "source")
    done = run(python, folder / "home", "import_model.py", str(artifact), cwd=folder / "source")
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def server(python: Path, exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("own")
    assert "imported shop-ranker:7" in imported(OWN, exported, python, folder)
    out = folder / "bento.tar"
    checked(run(python, folder / "home", "-m", "bentoml", "export", "shop-ranker:7", str(out)))
    with tarfile.open(out) as archive:
        archive.extractall(folder / "bento", filter="data")
    with Server(Built(OWN, folder, python), folder / "server") as running:
        yield running.ready()


def post(server: Server, path: str, document: object) -> tuple[int, object, str]:
    status, headers, body = server.request("POST", path, json.dumps(document).encode())
    return status, json.loads(body), headers.get("x-served-by", "")


def test_its_routes_answer_as_before_and_name_the_version(server: Server) -> None:
    status, answer, served_by = post(server, "/rank", {"users": [4, 7]})
    assert (status, answer) == (200, [2.0, 3.5])
    assert served_by.startswith("7d9f.")
    status, answer, other = post(server, "/similar", {"item": 5})
    assert (status, answer) == (200, [6, 7])
    assert other.startswith("7d9f.")
    assert other != served_by
    assert post(server, "/largest", {})[2] == ""  # not a route of predictions


def test_its_batching_is_kept(server: Server) -> None:
    with ThreadPoolExecutor(12) as pool:
        for _ in range(4):
            answers = list(pool.map(lambda user: post(server, "/rank", {"users": [user]})[1], range(12)))
            assert answers == [[user / 2] for user in range(12)]
    assert post(server, "/largest", {})[1] > 2


def test_predictions_errors_and_outcomes_are_counted(server: Server) -> None:
    until(lambda: (server.sample("sluice_predictions_total", **LABELS) or 0) > 0)
    before = server.sample("sluice_predictions_total", **LABELS) or 0
    tokens = [
        post(server, path, body)[2] for path, body in (("/rank", {"users": [1]}), ("/similar", {"item": 1}))
    ]
    assert post(server, "/similar", {"item": -1})[0] == 500
    assert post(server, "/largest", {})[0] == 200
    assert server.sample("sluice_predictions_total", **LABELS) == before + 2
    found = server.metrics()
    routes = {(dict(labels).get("endpoint"), dict(labels).get("http_response_code")) for name, labels in found
              if name == "bentoml_service_request_total"}  # fmt: skip
    assert {("/rank", "200"), ("/similar", "200"), ("/similar", "500")} <= routes
    bounds = {
        dict(labels)["le"] for name, labels in found if name.endswith("request_duration_seconds_bucket")
    }
    assert "0.12" in bounds
    reported = [{"served_by": token, "outcome": "click"} for token in [*tokens, tokens[0]]]
    status, answer = server.post("/feedback", reported)
    assert (status, answer["counted"], answer["repeated"]) == (200, 2, 1)
    until(lambda: (server.sample("sluice_outcomes_total", outcome="ctr", **LABELS) or 0) == 2)


def test_a_route_that_the_bento_lacks_is_refused(python: Path, exported: Path, tmp_path: Path) -> None:
    other = replace(OWN, endpoints=("/rank", "/likes"))
    assert "the bento has no route /likes; it has /largest, /rank, /similar" in imported(
        other, exported, python, tmp_path
    )


def test_a_file_that_is_not_a_bento_is_refused(python: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"7")
    assert "contains no bento" in imported(OWN, tmp_path / "model", python, tmp_path)


@pytest.mark.parametrize("form", ["archive", "folder"])
def test_pin_finds_its_packages(exported: Path, tmp_path: Path, form: str) -> None:
    artifact = exported
    if form == "folder":
        artifact = tmp_path / "ranker"
        with tarfile.open(exported) as archive:
            archive.extractall(artifact, filter="data")
    found = trained_with(contents_of(artifact))
    assert (found.frameworks, found.python) == (("bento",), "3.11")
    assert found.packages("bento") == ["bentoml==1.4.39", "numpy==2.4.6"]
