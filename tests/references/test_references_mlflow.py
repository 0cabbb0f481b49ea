"""A real MLflow server with an sqlite registry that serves its own artifacts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from generator import __version__
from tests.bento.serving import tree_sha256
from tests.references.mlflow_server import Mlflow
from tests.references.sandbox import Sandbox

pytestmark = pytest.mark.slow


def test_an_alias_is_locked_and_its_move_is_told(mlflow: Mlflow, sandbox: Sandbox) -> None:
    mlflow.move("champion", 1)
    model = sandbox.ask("mlflow:ranker@champion").pinned(**mlflow.variables)["model"]
    digest = tree_sha256(mlflow.artifacts(model["version"]))
    assert model == {
        "ref": "mlflow:ranker@champion",
        "resolved": "mlflow:ranker/1",
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
    words = mlflow.artifacts(model["version"]) / "artifacts" / "words ü.txt"
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
    assert sandbox.point_at("--version", "2").exit_code == 0
    unlocked = sandbox.pin("--check", **mlflow.variables)
    assert unlocked.exit_code == 1
    assert "PIN202" in unlocked.output
    assert sandbox.pinned(**mlflow.variables)["model"]["ref"] == "mlflow:ranker/2"
