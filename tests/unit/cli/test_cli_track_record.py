"""`sluice track-record` over the records in a git history."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from generator.cli.main import cli
from generator.gates.records import record_bytes
from tests.gates.record_samples import sample

FILE = "specs/shop/ranker.staging.record.json"
ABORT = {
    "aborted": True, "current": False, "phase": "Degraded", "runs.1.verdict": "Failed", "runs.1.metrics.0.verdict": "Failed",
    "runs.1.metrics.0.failed": 1,
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "specs/shop").mkdir(parents=True)
    (tmp_path / "specs/platform.yaml").write_text("spec: {}\n")
    git(tmp_path, "init", "-q")
    return tmp_path


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=root, check=True)


def commit(root: Path, edits: dict[str, Any], text: bytes = b"") -> None:
    (root / FILE).write_bytes(text or record_bytes(sample(edits)))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a record")


def run(root: Path, *words: str) -> Result:
    done = CliRunner().invoke(cli, ["track-record", *words, "--root", str(root)])
    assert done.exit_code in {0, 1}, done.output
    return done


def test_every_record_counts_once(root: Path) -> None:
    commit(root, ABORT)
    commit(root, {"rollout.revision": 3, "end": "2026-11-21T12:00:00Z"})
    commit(root, {}, b"{}\n")
    commit(root, {"rollout.revision": 3, "end": "2026-11-21T12:00:00Z"})
    done = run(root)
    assert done.output.splitlines()[:4] == [
        "records that can't be trusted and are left out: 1",
        "all: 2 releases, 1 aborted",
        "  false rollbacks: promised 5%, seen 50% (1.3% to 98.8%)",
        "  until an abort: 2h, requests to the new version: 36,000",
    ]
    first = json.loads(run(root, "--format", "json").stdout)[0]
    assert (first["releases"], first["aborted"], first["false"], first["broken"]) == (2, 1, 1, False)


def test_a_broken_promise_is_the_exit_code(root: Path) -> None:
    for number in range(8):
        edits = ABORT if number < 7 else {}
        commit(root, {**edits, "rollout.revision": 2 + number, "end": f"2026-11-2{number}T12:00:00Z"})
    done = run(root)
    assert done.exit_code == 1
    assert "the promise is broken" in done.output


def test_no_record_is_no_track_record(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "none")
    assert run(root).output == "all: 0 releases, 0 aborted\n"
