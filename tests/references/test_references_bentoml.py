"""A real BentoML model store."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from generator.source.content import joint_digest
from tests.bento.bentos import BENTOS
from tests.bento.serving import checked, run, tree_sha256, write
from tests.references.bentoml_store import TAG
from tests.references.sandbox import Sandbox
from tests.tools.environment import environment

pytestmark = pytest.mark.slow


def test_a_tag_has_the_digest_that_the_rendered_import_computes(
    store: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    model = sandbox.ask(f"bentoml:{TAG}").pinned(BENTOML_HOME=str(store))["model"]
    folder = store / "models" / "ticket_classifier" / "7"
    assert (model["resolved"], model["version"]) == (f"bentoml:{TAG}", "7")
    assert model["digest"] == f"sha256:{tree_sha256(folder)}"
    write(replace(BENTOS["rules"], tag=TAG), tmp_path / "bento")
    script = "import sys, pathlib, import_model; print(import_model.digest(pathlib.Path(sys.argv[1])))"
    done = run(environment("bento"), tmp_path / "fresh", "-c", script, str(folder), cwd=tmp_path / "bento")
    assert model["digest"] == f"sha256:{checked(done).strip()}"


def test_another_store_with_other_bytes_under_the_same_tag(store: Path, sandbox: Sandbox) -> None:
    sandbox.ask(f"bentoml:{TAG}").pinned(BENTOML_HOME=str(store))
    text = sandbox.lock.read_text()
    (store / "models" / "ticket_classifier" / "7" / "sub" / "weights.bin").write_bytes(b"heavier")
    for arguments in ([], ["--check"]):
        done = sandbox.pin(*arguments, BENTOML_HOME=str(store))
        assert (done.exit_code, "PIN107" in done.output) == (1, True)
    assert sandbox.lock.read_text() == text


def test_a_service_with_two_models_is_pinned_by_the_digest_of_both(store: Path, sandbox: Sandbox) -> None:
    versions = store / "models" / "ticket_classifier"
    shutil.copytree(versions / "7", versions / "8")
    weights = versions / "8" / "sub" / "weights.bin"
    weights.write_bytes(b"others")
    second = f'references: {{second: {{ref: "bentoml:{TAG.replace(":7", ":8")}"}}}}'
    sandbox.ask(f"bentoml:{TAG}", f", load: team_pair:Pair, {second}")
    sandbox.spec.write_text(sandbox.spec.read_text().replace("framework: sklearn", "framework: custom"))
    lock = sandbox.pinned(BENTOML_HOME=str(store))
    own, other = f"sha256:{tree_sha256(versions / '7')}", f"sha256:{tree_sha256(versions / '8')}"
    assert (lock["model"]["files"], lock["references"]["second"]["digest"]) == (own, other)
    assert lock["model"]["digest"] == joint_digest({"model": own, "second": other})
    assert lock["packages"] == ["bentoml==1.4.39"]
    text = sandbox.lock.read_text()
    for arguments in ([], ["--check"], ["--verify"]):
        assert sandbox.pin(*arguments, BENTOML_HOME=str(store)).exit_code == 0
    assert sandbox.lock.read_text() == text
    weights.write_bytes(b"changed")
    for arguments in ([], ["--check"]):
        done = sandbox.pin(*arguments, BENTOML_HOME=str(store))
        assert (done.exit_code, "PIN107" in done.output) == (1, True)


def test_the_default_store_is_that_of_the_home_folder(store: Path, sandbox: Sandbox) -> None:
    shutil.copytree(store, sandbox.home / "bentoml")
    assert sandbox.ask(f"bentoml:{TAG}").pinned()["model"]["version"] == "7"


def test_an_example_digest_is_never_kept(store: Path, sandbox: Sandbox) -> None:
    sandbox.ask(f"bentoml:{TAG}").pinned(BENTOML_HOME=str(store))
    right = sandbox.locked["model"]["digest"]
    text = (
        sandbox.lock.read_text().replace(right, "sha256:" + "0" * 64).replace("sluice ", "example of sluice ")
    )
    sandbox.lock.write_text("# AN EXAMPLE: the digests are stored up.\n" + text)
    assert sandbox.pinned(BENTOML_HOME=str(store))["model"]["digest"] == right
    assert "EXAMPLE" not in sandbox.lock.read_text()


def test_a_link_in_the_store_is_refused(store: Path, sandbox: Sandbox) -> None:
    (store / "models" / "ticket_classifier" / "7" / "link").symlink_to("sub")
    done = sandbox.ask(f"bentoml:{TAG}").pin(BENTOML_HOME=str(store))
    assert (done.exit_code, "PIN109" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("ref", "code"), [("ticket_classifier:8", "PIN104"), ("ticket_classifier:latest", "REF208")]
)
def test_what_is_not_one_version_of_the_store(store: Path, sandbox: Sandbox, ref: str, code: str) -> None:
    done = sandbox.ask(f"bentoml:{ref}").pin(BENTOML_HOME=str(store))
    assert (done.exit_code, code in done.output) == (1, True)


def test_no_store(sandbox: Sandbox) -> None:
    done = sandbox.ask(f"bentoml:{TAG}").pin()
    assert (done.exit_code, "PIN102" in done.output) == (1, True)
