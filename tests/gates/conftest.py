"""The example models: trained once a run whatever the number of pytest workers, evaluated in every variant."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result

from generator.gates.document import Evidence, read_evidence
from generator.spec.evidence import EvidenceFile
from tests.gates.models import EXAMPLES, ROOT, artifact, evaluate, gates_run, relock
from tests.gates.situations import verdicts


@dataclass(frozen=True)
class Judged:
    """A repository in which the gates of one model have run, and how that ended."""

    root: Path
    name: str
    model: Path
    inputs: Path
    exit_code: int
    output: str

    @property
    def spec(self) -> str:
        return EXAMPLES[self.name].spec

    @property
    def file(self) -> Path:
        return self.root / "specs" / f"{self.spec}.evidence.json"

    @property
    def evidence(self) -> Evidence:
        return read_evidence(self.file, self.root, self.spec)

    @property
    def content(self) -> EvidenceFile:
        content = self.evidence.content
        assert content is not None, self.output
        return content

    @property
    def verdicts(self) -> dict[str, str]:
        return verdicts(self.content)

    def again(self, *more: str) -> Result:
        """Run the gates once more."""
        return gates_run(self.root, self.name, self.model, self.inputs, *more)


Judge = Callable[..., Judged]


@pytest.fixture(scope="session")
def shared(shared_folder: Path) -> Path:
    """The folder of trained models and verdicts that all workers share."""
    folder = shared_folder / "gates"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def example(shared: Path) -> Callable[[str, str], tuple[Path, Path]]:
    """Model and inputs of an example in a variant."""

    def get(name: str, variant: str) -> tuple[Path, Path]:
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            trained, inputs = shared / name, shared / f"{name}-{variant or 'good'}"
            if not (trained / "done").exists():
                shutil.rmtree(trained, ignore_errors=True)
                artifact(name, trained)
                (trained / "done").touch()
            model = next(trained.glob("artifact*"))
            if not (inputs / "done").exists():
                evaluate(name, model, inputs, variant)
                (inputs / "done").touch()
        return model, inputs

    return get


@pytest.fixture
def judge(example, shared: Path, tmp_path: Path) -> Judge:
    """Run the gates of an example in its own repository; each variant runs once and is copied."""

    def run(name: str, variant: str = "") -> Judged:
        model, inputs = example(name, variant)
        done = shared / f"{name}-{variant or 'good'}-judged"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (done / "result.json").exists():
                shutil.rmtree(done, ignore_errors=True)
                shutil.copytree(
                    ROOT / "specs", done / "specs", ignore=shutil.ignore_patterns("*.evidence.json")
                )
                relock(done / "specs" / f"{EXAMPLES[name].spec}.lock.yaml", model, inputs)
                result = gates_run(done, name, model, inputs)
                (done / "result.json").write_text(json.dumps([result.exit_code, result.output]))
        root = tmp_path / "repository"
        shutil.copytree(done, root)
        return Judged(root, name, model, inputs, *json.loads((root / "result.json").read_text()))

    return run
