"""A real MLflow server with an sqlite registry that serves its own artifacts."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.bento.serving import checked
from tests.references.processes import free_port, running
from tests.tools.environment import environment

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

    def artifacts(self, version: str, name: str = "ranker") -> Path:
        """The folder in which the server keeps the files of a version: those of the logged model behind it."""
        url = f"{self.address}/api/2.0/mlflow/model-versions/get?name={name}&version={version}"
        with urlopen(url, timeout=60) as answer:
            source = json.load(answer)["model_version"]["source"]
        return next((self.folder / "artifacts").glob(f"*/models/{source.removeprefix('models:/')}/artifacts"))

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
