"""Only the pinned artifact reaches the model store."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from generator.plan.bento import Bento
from generator.source.content import joint_path_digest
from tests.bento.bentos import BENTOS
from tests.bento.serving import Built, GetBuilt, Server, checked, package, run, tree_sha256, write
from tests.references.standin import Reply, Request, standing_in

pytestmark = pytest.mark.slow


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "base.txt").write_text("40")
    (folder / "sub-1.py").write_text("class Rules: ...")
    (folder / "ümlaut name").write_bytes(b"\0\1")
    return folder


def imported(
    python: Path, tmp_path: Path, bento: Bento, artifact: Path, source: str = "1"
) -> tuple[int, str]:
    """Exit code and complaint of the rendered import."""
    folder = tmp_path / source
    write(bento, folder)
    done = run(python, tmp_path / "home", "import_model.py", str(artifact), cwd=folder)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def stored(python: Path, tmp_path: Path) -> str:
    return checked(run(python, tmp_path / "home", "-m", "bentoml", "models", "list", "-o", "json"))


def test_the_pinned_folder_is_stored_once(python: Path, tmp_path: Path, artifact: Path) -> None:
    bento = replace(BENTOS["rules"], digest=tree_sha256(artifact))
    assert imported(python, tmp_path, bento, artifact) == (0, "")
    assert '"rules:1"' in stored(python, tmp_path)
    code, complaint = imported(python, tmp_path, bento, artifact, "2")
    assert code == 1
    assert complaint.startswith("refused: ")


@pytest.mark.parametrize("change", ["content", "name", "extra", "link"])
def test_a_changed_folder_is_refused(python: Path, tmp_path: Path, artifact: Path, change: str) -> None:
    bento = replace(BENTOS["rules"], digest=tree_sha256(artifact))
    changes: dict[str, Callable[[], object]] = {
        "content": lambda: (artifact / "sub" / "base.txt").write_text("41"),
        "name": lambda: (artifact / "sub-1.py").rename(artifact / "sub-2.py"),
        "extra": lambda: (artifact / "sitecustomize.py").write_text(""),
        "link": lambda: (artifact / "link").symlink_to("sub"),
    }
    changes[change]()
    code, complaint = imported(python, tmp_path, bento, artifact)
    assert code == 1
    assert complaint.startswith("refused: ")
    assert '"rules:1"' not in stored(python, tmp_path)


PAIR = """
import json
import os
from urllib.request import Request, urlopen

import lightgbm
import numpy as np
import xgboost


class Pair:
    rowwise = True

    def __init__(self, folder):
        self.fraud = xgboost.Booster(model_file=next((folder / "fraud").glob("*.ubj")))
        self.churn = lightgbm.Booster(model_file=next((folder / "references" / "churn").glob("*.txt")))

    def predict(self, rows):
        matrix = np.array([[row[name] for name in self.churn.feature_name()] for row in rows])
        churn = self.churn.predict(matrix).argmax(axis=1)
        fraud = self.fraud.inplace_predict(matrix, iteration_range=(0, self.trees()), validate_features=False)
        ranked = (-self.churn.predict(matrix)).argsort(axis=1)
        lift = self.feature("lift")
        return [dict(churn=a, fraud=b, ranked=c, lift=lift) for a, b, c in zip(churn, fraud, ranked)]

    def feature(self, name):
        headers = {"authorization": os.environ["TOKEN"]}
        with urlopen(Request(os.environ["STORE"] + "/" + name, headers=headers), timeout=5) as answer:
            return json.load(answer)

    def trees(self):
        return int(self.fraud.attr("best_iteration")) + 1
"""


def feature_store(request: Request) -> Reply:
    """A feature of everybody, for those who have the token."""
    known = (request.path, request.authorization) == ("/lift", "of the store")
    return Reply(body=b"1.5") if known else Reply(status=401)


def test_a_service_of_two_pinned_models_and_a_feature_store(built: GetBuilt, tmp_path: Path) -> None:
    """It answers what both models answer, a ranking, and a feature that it reads with a secret."""
    folder = tmp_path / "models"
    (folder / "model" / "pair").mkdir(parents=True)
    (folder / "model" / "pair" / "team_pair.py").write_text(PAIR)
    shutil.copytree(built("fraud").folder / "trained" / "artifact", folder / "model" / "pair" / "fraud")
    (folder / "churn").mkdir()
    shutil.copy(built("churn").folder / "trained" / "artifact.txt", folder / "churn")
    bento = replace(
        BENTOS["fraud"],
        name="risk-pair",
        framework="custom",
        custom_class="team_pair:Pair",
        tag="pair:1",
        references=(("churn", "mlflow:churn/1"),),
        system_packages=("libgomp1",),
        digest=joint_path_digest(folder, ("model", "churn")).removeprefix("sha256:"),
    )
    python = built("fraud").python
    code, complaint = imported(python, tmp_path, replace(bento, digest="0" * 64), folder)
    assert (code, "the lock pins" in complaint) == (1, True)
    package(bento, folder, python, tmp_path / "built")
    dockerfile = (tmp_path / "built/bento/env/docker/Dockerfile").read_text()
    assert [line for line in dockerfile.splitlines() if "apt-get install" in line and "libgomp1" in line]
    with ExitStack() as stack:
        store = stack.enter_context(standing_in(feature_store))
        variables = {"STORE": store.address, "TOKEN": "of the store"}
        home = tmp_path / "home"
        server = stack.enter_context(
            Server(Built(bento, tmp_path / "built", python), home, variables=variables)
        )
        server.ready()
        for name in ("fraud", "churn"):
            expected = built(name).expected
            status, answer = server.post("/predict", {"rows": expected["rows"]})
            assert status == 200, answer
            found = [one[name] for one in answer["predictions"]]
            assert all(sorted(one["ranked"]) == [0, 1, 2] for one in answer["predictions"])
            assert all(one["ranked"][0] == one["churn"] for one in answer["predictions"])
            assert {one["lift"] for one in answer["predictions"]} == {1.5}
            wanted = [two for _, two in expected["scores"]] if name == "fraud" else expected["predictions"]
            assert found == pytest.approx(wanted, rel=1e-5)


def test_an_export_under_another_tag_is_refused(built: GetBuilt, tmp_path: Path) -> None:
    ticket = built("ticket")
    artifact = ticket.folder / "trained" / "artifact.bentomodel"
    bento = replace(ticket.bento, tag="ticket_classifier:8", digest=tree_sha256(artifact))
    code, complaint = imported(ticket.python, tmp_path, bento, artifact)
    assert (code, "ticket_classifier:7" in complaint) == (1, True)
    assert "ticket_classifier" not in stored(ticket.python, tmp_path)
