"""A STAND-IN for the Hugging Face Hub: its two routes that matter, as huggingface_hub reads them."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.bento.serving import checked, tree_sha256
from tests.references.conftest import Sandbox
from tests.references.standin import Reply, Request, StandIn, standing_in

FIRST, SECOND = "1" * 40, "2" * 40
TOKEN = "hf_of-the-test"


@dataclass
class Hub:
    """One model, `acme/ranker`, in two commits; `main` moves."""

    folder: Path
    private: bool = False
    revisions: dict[str, str] = field(default_factory=lambda: {"main": FIRST, "refs/pr/1": SECOND})
    changed: bytes = b""

    def play(self, request: Request) -> Reply:
        path = request.path.split("?")[0]
        if self.private and request.authorization != f"Bearer {TOKEN}":
            return Reply(401, headers={"X-Error-Code": "RepoNotFound"})
        if path.startswith("/api/models/acme/ranker/revision/"):
            revision = path.removeprefix("/api/models/acme/ranker/revision/").replace("%2F", "/")
            commit = self.revisions.get(revision, revision if revision in {FIRST, SECOND} else "")
            return self._info(commit) if commit else Reply(404, headers={"X-Error-Code": "RevisionNotFound"})
        if path.startswith(f"/acme/ranker/resolve/{FIRST}/"):
            return Reply(body=self.changed or (self.folder / path.rpartition("/")[2]).read_bytes())
        return Reply(404, headers={"X-Error-Code": "RepoNotFound"})

    def _info(self, commit: str) -> Reply:
        weights = hashlib.sha256((self.folder / "model.safetensors").read_bytes()).hexdigest()
        siblings = [
            {"rfilename": "config.json", "blobId": self._blob("config.json")},
            {"rfilename": "model.safetensors", "blobId": "0" * 40, "lfs": {"sha256": weights, "size": 7}},
        ]
        return Reply(body=json.dumps({"sha": commit, "siblings": siblings}).encode())

    def _blob(self, name: str) -> str:
        """Git's own id of a file's content."""
        command = ["git", "hash-object", str(self.folder / name)]
        return checked(subprocess.run(command, capture_output=True, text=True)).strip()


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return Hub(folder)


@contextmanager
def hosted(hub: Hub) -> Iterator[tuple[StandIn, dict[str, str]]]:
    with standing_in(hub.play) as stand_in:
        yield stand_in, {"HF_ENDPOINT": stand_in.address}


def test_a_branch_is_locked_as_its_commit_and_its_move_is_told(hub: Hub, sandbox: Sandbox) -> None:
    with hosted(hub) as (stand_in, variables):
        model = sandbox.ask("hf:acme/ranker").pinned(**variables)["model"]
        assert (model["resolved"], model["version"]) == (f"hf:acme/ranker@{FIRST}", FIRST[:12])
        assert model["digest"] == f"sha256:{tree_sha256(hub.folder)}"
        assert not stand_in.asked(f"/acme/ranker/resolve/{FIRST}/model.safetensors")
        assert sandbox.pin("--check", **variables).exit_code == 0
        hub.revisions["main"] = SECOND
        moved = sandbox.pin("--check", **variables)
    assert (moved.exit_code, "PIN201" in moved.output, "`hf:acme/ranker` has moved" in moved.output) == (
        1,
        True,
        True,
    )


def test_a_commit_needs_the_hub_only_for_its_digest(hub: Hub, sandbox: Sandbox) -> None:
    sandbox.ask(f"hf:acme/ranker@{FIRST}")
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:1"}
    done = sandbox.pin(**nowhere)
    assert (done.exit_code, "PIN103" in done.output) == (1, True)
    with hosted(hub) as (_, variables):
        assert sandbox.pinned(**variables)["model"]["resolved"] == f"hf:acme/ranker@{FIRST}"
    assert sandbox.pin("--check", **nowhere).exit_code == 0


def test_a_private_model_needs_a_token_which_is_shown_nowhere(hub: Hub, sandbox: Sandbox) -> None:
    hub.private = True
    sandbox.ask("hf:acme/ranker@main")
    with hosted(hub) as (_, variables):
        refused = sandbox.pin(**variables)
        assert (refused.exit_code, "HF_TOKEN" in refused.output) == (1, True)
        done = sandbox.pin(**variables, HF_TOKEN=TOKEN)
    assert done.exit_code == 0
    assert TOKEN not in done.output + sandbox.lock.read_text()


def test_a_file_that_is_not_what_the_hub_lists(hub: Hub, sandbox: Sandbox) -> None:
    hub.changed = b"[]"
    with hosted(hub) as (_, variables):
        done = sandbox.ask("hf:acme/ranker").pin(**variables)
    assert (done.exit_code, "PIN106" in done.output) == (1, True)


@pytest.mark.parametrize("ref", ["hf:acme/ranker@v9", "hf:acme/nothing"])
def test_what_the_hub_does_not_know(hub: Hub, sandbox: Sandbox, ref: str) -> None:
    with hosted(hub) as (_, variables):
        done = sandbox.ask(ref).pin(**variables)
    assert (done.exit_code, "PIN104" in done.output) == (1, True)


def test_a_revision_with_a_slash(hub: Hub, sandbox: Sandbox) -> None:
    with hosted(hub) as (_, variables):
        done = sandbox.ask("hf:acme/ranker@refs/pr/1").pin("--check", **variables)
    assert (done.exit_code, "PIN202" in done.output) == (1, True)
