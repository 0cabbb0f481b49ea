"""A real MLflow server with an sqlite registry that serves its own artifacts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from generator import __version__
from tests.bento.serving import checked, tree_sha256
from tests.references.conftest import Sandbox
from tests.references.processes import free_port, running
from tests.tools.environment import environment

pytestmark = pytest.mark.slow
LOG = Path(__file__).with_name("mlflow_log.py")


@dataclass(frozen=True)
class Mlflow:
    """A server with two versions of the model `ranker`."""

    address: str
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        return {"MLFLOW_TRACKING_URI": self.address}

    def downloaded(self) -> Path:
        """Version 1 as MLflow's client downloads it."""
        return self.folder / "downloaded"

    def artifacts(self, resolved: str) -> Path:
        """Where the server keeps the files of a logged model."""
        return next(
            (self.folder / "artifacts").glob(f"*/models/{resolved.removeprefix('models:/')}/artifacts")
        )

    def move(self, alias: str, version: int) -> None:
        body = json.dumps({"name": "ranker", "alias": alias, "version": str(version)}).encode()
        url = f"{self.address}/api/2.0/mlflow/registered-models/alias"
        with urlopen(Request(url, body, {"content-type": "application/json"}), timeout=60) as answer:
            assert answer.status == 200


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    python, folder, port = environment("references-mlflow"), tmp_path_factory.mktemp("mlflow"), free_port()
    address = f"http://127.0.0.1:{port}"
    variables = {
        "PATH": f"{python.parent}:{os.defpath}",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_TRACKING_URI": address,
    }
    store = f"sqlite:///{folder}/registry.sqlite"
    command = [
        str(python),
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    command += ["--backend-store-uri", store, "--artifacts-destination", str(folder / "artifacts")]
    with running(command, folder, variables, f"{address}/health"):
        checked(
            subprocess.run(
                [str(python), str(LOG), str(folder)], env=variables, capture_output=True, text=True
            )
        )
        yield Mlflow(address, folder)


def test_an_alias_is_locked_and_its_move_is_told(mlflow: Mlflow, sandbox: Sandbox) -> None:
    mlflow.move("champion", 1)
    model = sandbox.ask("mlflow:ranker@champion").pinned(**mlflow.variables)["model"]
    digest = tree_sha256(mlflow.artifacts(model["resolved"]))
    assert re.fullmatch("models:/m-[0-9a-f]{32}", model["resolved"])
    assert model == {
        "ref": "mlflow:ranker@champion",
        "resolved": model["resolved"],
        "version": "1",
        "digest": f"sha256:{digest}",
        "at": "2026-11-23T00:00:00Z",
        "by": f"sluice {__version__}, MLflow at {mlflow.address}",
    }
    assert sandbox.pin("--check", **mlflow.variables).exit_code == 0
    mlflow.move("champion", 2)
    before = sandbox.lock.read_bytes()
    moved = sandbox.pin("--check", **mlflow.variables)
    assert moved.exit_code == 1
    assert "PIN201" in moved.output
    assert "`mlflow:ranker@champion` has moved" in moved.output
    assert "version 1 to 2" in moved.output
    assert sandbox.lock.read_bytes() == before
    assert sandbox.pinned(**mlflow.variables)["model"]["version"] == "2"


def test_the_digest_is_that_of_a_download_without_what_the_client_adds(
    mlflow: Mlflow, sandbox: Sandbox, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(mlflow.downloaded(), tmp_path / "copy"))
    (copy / "registered_model_meta").unlink()
    assert (copy / "artifacts" / "words ü.txt").read_text() == "one"
    model = sandbox.ask("mlflow:ranker/1").pinned(**mlflow.variables)["model"]
    assert model["digest"] == f"sha256:{tree_sha256(copy)}"


def test_what_is_locked_is_not_downloaded_again_unless_it_is_to_be_verified(
    mlflow: Mlflow, sandbox: Sandbox
) -> None:
    model = sandbox.ask("mlflow:ranker/2").pinned(**mlflow.variables)["model"]
    text = sandbox.lock.read_text()
    words = mlflow.artifacts(model["resolved"]) / "artifacts" / "words ü.txt"
    words.write_text("overwritten")
    try:
        assert sandbox.pin(**mlflow.variables).exit_code == 0
        assert sandbox.pin("--check", **mlflow.variables).exit_code == 0
        for arguments in (["--verify"], ["--check", "--verify"]):
            refused = sandbox.pin(*arguments, **mlflow.variables)
            assert refused.exit_code == 1
            assert "PIN107" in refused.output
    finally:
        words.write_text("two")
    assert sandbox.pin("--verify", **mlflow.variables).exit_code == 0
    assert sandbox.lock.read_text() == text


@pytest.mark.parametrize("ref", ["mlflow:ranker@nobody", "mlflow:ranker/99", "mlflow:nothing@champion"])
def test_what_the_registry_does_not_know(mlflow: Mlflow, sandbox: Sandbox, ref: str) -> None:
    done = sandbox.ask(ref).pin(**mlflow.variables)
    assert done.exit_code == 1
    assert "PIN104" in done.output
    assert not sandbox.lock.exists()


def test_promoted_then_pinned(mlflow: Mlflow, sandbox: Sandbox) -> None:
    sandbox.ask("mlflow:ranker/1").pinned(**mlflow.variables)
    assert sandbox.promote("--to", "2").exit_code == 0
    unlocked = sandbox.pin("--check", **mlflow.variables)
    assert unlocked.exit_code == 1
    assert "PIN202" in unlocked.output
    assert sandbox.pinned(**mlflow.variables)["model"]["ref"] == "mlflow:ranker/2"
