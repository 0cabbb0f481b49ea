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

from tests.bento.serving import checked
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
