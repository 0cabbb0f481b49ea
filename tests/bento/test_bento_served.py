"""Every framework: trained, rendered, imported, built, served, asked."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from generator.plan.bento import Bento
from generator.plan.column import Column
from tests.bento.bentos import BENTOS
from tests.bento.serving import Built, GetBuilt, Serve, Server, until, write

pytestmark = pytest.mark.slow


def same(got: object, wanted: object) -> bool:
    """Whether two answers agree: labels exactly, floats to the precision of 32 bits."""
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(same, got, wanted))
    return got == (pytest.approx(wanted, rel=1e-5, abs=1e-6) if isinstance(wanted, float) else wanted)


# The answers of `shown`, which has a column of each type, are in test_bento_inputs.py.
@pytest.mark.parametrize("name", sorted(BENTOS.keys() - {"shown"}))
def test_answers_what_the_framework_itself_answers(served: Serve, name: str) -> None:
    server = served(name)
    expected = server.built.expected
    rows = expected["rows"]
    status, answer = server.post("/predict", {"rows": rows, "scores": expected["scores"] is not None})
    assert status == 200, answer
    assert same(answer["predictions"], expected["predictions"])
    assert answer["served_by"].partition(".")[0] == "7d9f"
    assert same(answer["scores"], expected["scores"])


def test_answer_names_the_version_in_a_header(served: Serve) -> None:
    status, headers, _ = served("ticket").request("POST", "/predict", b'{"rows": [{"text": "server down"}]}')
    assert (status, headers["x-served-by"]) == (200, "7d9f")


def test_outside_kubernetes_the_version_is_the_arm(built: GetBuilt, tmp_path: Path) -> None:
    with Server(built("rules"), tmp_path / "home", served_by="") as server:
        assert (
            server.ready()
            .post("/predict", {"rows": [{"wait": 0, "add": 1}]})[1]["served_by"]
            .startswith("7.")
        )


def test_scores_of_a_model_that_has_none_are_refused(served: Serve) -> None:
    server = served("pricing")
    status, answer = server.post("/predict", {"rows": server.built.expected["rows"], "scores": True})
    assert status == 400, answer


def test_two_workers_report_as_one(built: GetBuilt, tmp_path: Path) -> None:
    with Server(built("rules"), tmp_path / "home") as server:
        server.ready()
        for _ in range(20):
            assert server.post("/predict", {"rows": [{"wait": 0, "add": 1}]})[0] == 200
        labels = {"model": "ops-rules", "served_by": "7d9f"}
        until(lambda: server.sample("sluice_predictions_total", **labels) == 20)


def test_a_model_that_fails_an_allowed_row_never_becomes_ready(built: GetBuilt, tmp_path: Path) -> None:
    bento = BENTOS["recommender"]
    device = Column("device", "string", values=("ios", "never-seen-in-training"))
    columns = tuple(device if column.name == "device" else column for column in bento.inputs)
    changed = altered(built("recommender"), tmp_path, replace(bento, inputs=columns))
    with Server(changed, tmp_path / "home") as server:
        until(lambda: server.status() == 503)
        assert "the warm-up prediction failed" in server.log.read_text()


def test_a_threshold_decides_between_two_classes(built: GetBuilt, tmp_path: Path) -> None:
    expected = built("recommender").expected
    changed = altered(built("recommender"), tmp_path, replace(BENTOS["recommender"], threshold=0.8))
    with Server(changed, tmp_path / "home") as server:
        server.ready()
        status, answer = server.post("/predict", {"rows": expected["rows"], "scores": True})
    assert status == 200, answer
    assert answer["classes"] == [0, 1]
    likely = [score[1] for score in answer["scores"]]
    assert answer["predictions"] == [int(one >= 0.8) for one in likely]
    assert answer["predictions"] != expected["predictions"]  # the model itself decides at one half


NAMES = {"churn": ("stays", "hesitates", "leaves"), "fraud": ("fine", "fraud")}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_classes_that_a_file_numbers_get_names(built: GetBuilt, tmp_path: Path, name: str) -> None:
    changed = altered(built(name), tmp_path, replace(BENTOS[name], classes=NAMES[name]))
    expected = changed.expected
    with Server(changed, tmp_path / "home") as server:
        server.ready()
        status, answer = server.post("/predict", {"rows": expected["rows"], "scores": True})
    assert status == 200, answer
    assert answer["classes"] == list(NAMES[name])
    assert answer["predictions"] == [NAMES[name][number] for number in expected["predictions"]]
    assert len(set(answer["predictions"])) > 1
    assert same(answer["scores"], expected["scores"])


@pytest.mark.parametrize(
    ("name", "what"),
    [("churn", "3 classes, and `service.classes` has 2"), ("demand", "remove `service.classes`")],
)
def test_names_that_do_not_fit_the_classes_keep_a_service_from_starting(
    built: GetBuilt, tmp_path: Path, name: str, what: str
) -> None:
    changed = altered(built(name), tmp_path, replace(BENTOS[name], classes=("stays", "leaves")))
    with Server(changed, tmp_path / "home") as server:
        until(lambda: server.status() == 503)
        assert what in server.log.read_text()


@pytest.mark.parametrize("name", ["fraud", "vision"])
def test_a_pod_that_requests_a_gpu_does_not_predict_without_it(
    built: GetBuilt, tmp_path: Path, name: str
) -> None:
    changed = altered(built(name), tmp_path, replace(BENTOS[name], gpu=True))
    with Server(changed, tmp_path / "home", variables={"SLUICE_GPUS": "1"}) as server:
        until(lambda: server.process.poll() is not None)
        assert "the pod requests a GPU" in server.log.read_text()
    with Server(changed, tmp_path / "other") as server:  # in an environment without GPUs it is the CPU's turn
        expected = changed.expected
        assert same(
            server.ready().post("/predict", {"rows": expected["rows"]})[1]["predictions"],
            expected["predictions"],
        )


def test_a_threshold_needs_two_classes(built: GetBuilt, tmp_path: Path) -> None:
    changed = altered(built("ticket"), tmp_path, replace(BENTOS["ticket"], threshold=0.8))
    with Server(changed, tmp_path / "home") as server:
        until(lambda: server.status() == 503)
        assert "needs the probabilities of two classes" in server.log.read_text()


def test_a_model_trained_with_other_columns_does_not_start(built: GetBuilt, tmp_path: Path) -> None:
    columns = tuple(Column(name, "number") for name in ("amount", "hour", "weight"))
    changed = altered(built("fraud"), tmp_path, replace(BENTOS["fraud"], inputs=columns))
    with Server(changed, tmp_path / "home") as server:
        until(lambda: server.process.poll() is not None)
        assert "the spec declares ['amount', 'hour', 'weight']" in server.log.read_text()


def altered(built: Built, folder: Path, bento: Bento) -> Built:
    """The same bento with its service rendered from another plan."""
    shutil.copytree(built.folder / "bento", folder / "built" / "bento")
    (folder / "built" / "trained").symlink_to(built.folder / "trained")
    write(bento, folder / "rendered")
    for old in (folder / "built" / "bento" / "src").glob("*.py"):
        shutil.copy(folder / "rendered" / old.name, old)
    return Built(bento, folder / "built", built.python)
