"""What MLflow writes by default today: logged, pinned, rendered, installed from the rendered list alone, and served."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from generator.pipeline.session import open_session
from tests.bento.serving import Built, Server, checked, package, run, surroundings
from tests.bento.test_bento_packages import install
from tests.bento.test_bento_served import same
from tests.ci.programs import uv
from tests.references.mlflow_server import Mlflow
from tests.references.sandbox import Sandbox
from tests.tools.environment import environment

pytestmark = pytest.mark.slow
LOG = Path(__file__).with_name("mlflow_homes.py")


def logged(mlflow: Mlflow, folder: Path) -> dict[str, list[object]]:
    """Train and register the model `homes`; rows, and the answers of the model itself."""
    python = environment("references-mlflow")
    surroundings(python, folder)
    script = f"import os, runpy, sys; os.environ.update({mlflow.variables!r}); sys.argv = [{str(LOG)!r}, {str(folder)!r}]"
    checked(run(python, folder, "-c", f"{script}; runpy.run_path({str(LOG)!r}, run_name='__main__')"))
    expected: dict[str, list[object]] = json.loads((folder / "homes.json").read_text())
    return expected


def test_what_mlflow_writes_today_is_served(mlflow: Mlflow, sandbox: Sandbox, tmp_path: Path) -> None:
    expected = logged(mlflow, tmp_path / "log")
    lock = sandbox.ask("mlflow:homes@champion").pinned(**mlflow.variables)
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert lock["trained"] == {
        "frameworks": ["skops", "sklearn", "mlflow"],
        "python": minor,
        "inputs": {
            "area": {"type": "number", "nullable": False, "example": expected["rows"][0]["area"]},
            "district": {"type": "string", "nullable": False, "example": expected["rows"][0]["district"]},
        },
        "texts": True,
    }
    assert {line.partition("==")[0] for line in lock["packages"]} == {
        "bentoml", "numpy", "pandas", "scikit-learn", "skops"
    }  # fmt: skip
    assert "PLAN544" in sandbox._run("validate").output
    assert sandbox._run("validate", "--fix").exit_code in {0, 1}
    assert "PLAN544" not in sandbox._run("validate").output
    assert sandbox.pin("--check", **mlflow.variables).exit_code == 0
    session = open_session(sandbox.root)
    bento = session.resolve(session.entries[0]).plans[0].plan.bento
    (tmp_path / "requirements.txt").write_text("\n".join(bento.requirements))
    done = install(tmp_path / "venv", tmp_path / "requirements.txt")
    assert done.returncode == 0, done.stderr
    python = tmp_path / "venv/bin/python"
    (python.parent / "uv").symlink_to(uv())
    package(bento, mlflow.artifacts("1", "homes"), python, tmp_path / "built")
    with Server(Built(bento, tmp_path / "built", python), tmp_path / "home") as server:
        status, answer = server.ready().post("/predict", {"rows": expected["rows"]})
    assert status == 200, answer
    assert same(answer["predictions"], expected["predictions"])
