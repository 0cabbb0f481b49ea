"""Real git and DVC repositories, with DVC's own program."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from generator import __version__
from tests.bento.serving import tree_sha256
from tests.references.dvc_tree import Work
from tests.references.sandbox import Sandbox

pytestmark = pytest.mark.slow
DRIFT = '{{name: drift, drift: {{reference: "{0}", current: "{1}", features: [x]}}, tool: ks}}'


def sha256(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_a_model_and_the_data_of_its_gates(own: Work, sandbox: Sandbox) -> None:
    (own.root / "rows.csv").write_text("x\n3\n")
    sandbox.ask("dvc:model.pkl", gates=DRIFT.format("dvc:data/train.csv", "rows.csv"))
    lock = sandbox.pinned()
    assert lock["model"]["resolved"] == f"dvc:model.pkl@{own.head}#md5={md5('weights')}"
    assert lock["model"]["version"] == md5("weights")[:12]
    assert lock["model"]["digest"] == sha256("weights")
    train, rows = "x\n1\n", sha256("x\n3\n")
    who = {"at": "2026-11-23T00:00:00Z", "by": f"sluice {__version__}, git and the DVC store"}
    here = {**who, "by": lock["data"]["rows.csv"]["by"]}
    assert here["by"].startswith(f"sluice {__version__}, ")
    assert lock["data"] == {
        "dvc:data/train.csv": {
            "resolved": f"dvc:data/train.csv@{own.head}#md5={md5(train)}",
            "digest": sha256(train),
            **who,
        },
        "rows.csv": {"resolved": f"rows.csv#sha256={rows[7:]}", "digest": rows, **here},
    }


def test_a_commit_that_leaves_the_data_alone_moves_nothing(own: Work, sandbox: Sandbox) -> None:
    sandbox.ask("dvc:model.pkl").pinned()
    text = sandbox.lock.read_text()
    own.commit()
    assert sandbox.pin("--check").exit_code == 0
    sandbox.pinned()
    assert sandbox.lock.read_text() == text


def test_a_branch_that_moved_is_told(own: Work, sandbox: Sandbox) -> None:
    sandbox.ask("dvc:model.pkl@main").pinned()
    own.add("model.pkl", "heavier")
    moved = sandbox.pin("--check")
    assert moved.exit_code == 1
    assert "`dvc:model.pkl@main` has moved" in moved.output
    assert sandbox.pinned()["model"]["digest"] == sha256("heavier")


def test_an_old_tag_is_read_from_the_cache(own: Work, sandbox: Sandbox) -> None:
    commit = own.head
    own.run("git", "tag", "--annotate", "--message=first", "v1")
    own.add("model.pkl", "heavier")
    model = sandbox.ask("dvc:model.pkl@v1").pinned()["model"]
    assert (model["digest"], commit in model["resolved"]) == (sha256("weights"), True)


def test_a_folder_has_the_digest_of_its_tree(own: Work, sandbox: Sandbox) -> None:
    (own.root / "model" / "sub").mkdir(parents=True)
    (own.root / "model" / "sub" / "ü").write_text("1")
    (own.root / "model" / "sub-1").write_text("2")
    own.dvc("add", "--quiet", "model")
    own.commit()
    expected = tree_sha256(own.root / "model")
    shutil.rmtree(own.root / "model")
    model = sandbox.ask("dvc:model").pinned()["model"]
    assert model["digest"] == f"sha256:{expected}"
    assert model["resolved"].endswith(".dir")


def test_an_output_of_a_pipeline(own: Work, sandbox: Sandbox) -> None:
    folder = own.root / "training"
    folder.mkdir()
    (folder / "dvc.yaml").write_text("stages: {train: {cmd: 'printf w > model.bin', outs: [model.bin]}}\n")
    own.dvc("repro", "--quiet", "training/dvc.yaml")
    own.commit()
    assert sandbox.ask("dvc:training/model.bin").pinned()["model"]["digest"] == sha256("w")


def test_bytes_of_a_local_remote_are_enough(own: Work, sandbox: Sandbox) -> None:
    shutil.rmtree(own.root / ".dvc" / "cache")
    (own.root / "model.pkl").unlink()
    assert sandbox.ask("dvc:model.pkl").pinned()["model"]["digest"] == sha256("weights")


def test_without_the_bytes_there_is_no_lock(own: Work, sandbox: Sandbox) -> None:
    shutil.rmtree(own.root / ".dvc" / "cache")
    shutil.rmtree(own.root.parent / "store")
    (own.root / "model.pkl").write_text("other")
    done = sandbox.ask("dvc:model.pkl").pin()
    assert (done.exit_code, "PIN109" in done.output, "dvc pull" in done.output) == (1, True, True)
    assert not sandbox.lock.exists()


def test_a_damaged_cache_is_refused(own: Work, sandbox: Sandbox) -> None:
    name = md5("weights")
    cached = own.root / ".dvc" / "cache" / "files" / "md5" / name[:2] / name[2:]
    cached.chmod(0o644)
    cached.write_text("weightS")
    done = sandbox.ask("dvc:model.pkl").pin()
    assert (done.exit_code, "PIN106" in done.output) == (1, True)


def test_a_pointer_that_is_not_committed_is_refused(own: Work, sandbox: Sandbox) -> None:
    (own.root / "model.pkl").write_text("heavier")
    own.dvc("add", "--quiet", "model.pkl")
    done = sandbox.ask("dvc:model.pkl").pin()
    assert (done.exit_code, "PIN110" in done.output) == (1, True)
    assert sandbox.ask("dvc:model.pkl@HEAD").pinned()["model"]["digest"] == sha256("weights")


@pytest.mark.parametrize("ref", ["dvc:nothing.pkl", "dvc:model.pkl@v9"])
def test_what_git_does_not_know(own: Work, sandbox: Sandbox, ref: str) -> None:
    done = sandbox.ask(ref).pin()
    assert (done.exit_code, "PIN104" in done.output) == (1, True)


def test_another_repository(template: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    other = Work(tmp_path / "other", sandbox.home)
    shutil.copytree(template / "tree", other.root)
    first = other.head
    other.run("git", "tag", "v1")
    other.add("model.pkl", "heavier")
    ref = f"dvc:{other.root.as_uri()}//model.pkl@v1"
    model = sandbox.ask(ref).pinned()["model"]
    assert model["resolved"] == f"dvc:{other.root.as_uri()}//model.pkl@{first}#md5={md5('weights')}"
    assert model["digest"] == sha256("weights")
    by_commit = sandbox.ask(ref.replace("v1", first)).pinned()["model"]
    assert by_commit["resolved"] == model["resolved"]
    assert sandbox.ask(ref.replace("@v1", "")).pinned()["model"]["digest"] == sha256("heavier")
    unknown = sandbox.ask(ref.replace("v1", "v9")).pin()
    assert (unknown.exit_code, "PIN104" in unknown.output) == (1, True)
    gone = sandbox.ask(ref.replace("/other/", "/nowhere/")).pin()
    assert (gone.exit_code, "PIN103" in gone.output) == (1, True)


def test_what_git_tells_its_hooks_leads_nowhere_else(own: Work, sandbox: Sandbox) -> None:
    hook = {"GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index", "GIT_WORK_TREE": "/nowhere"}
    assert own.head in sandbox.ask("dvc:model.pkl").pinned(**hook)["model"]["resolved"]


def test_no_git_repository(sandbox: Sandbox) -> None:
    done = sandbox.ask("dvc:model.pkl").pin(GIT_CEILING_DIRECTORIES=str(sandbox.root.parent))
    assert (done.exit_code, "PIN102" in done.output) == (1, True)
