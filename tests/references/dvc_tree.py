"""A real git and DVC work tree, made with DVC's own program."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bento.serving import checked
from tests.references.sandbox import Sandbox
from tests.tools.environment import environment


@dataclass(frozen=True)
class Work:
    """A work tree under git and DVC."""

    root: Path
    home: Path

    def run(self, *command: str) -> str:
        python = environment("references-dvc")
        variables = {
            "PATH": f"{python.parent}:{os.defpath}",
            "HOME": str(self.home),
            "DVC_NO_ANALYTICS": "1",
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
        }  # fmt: skip
        return checked(
            subprocess.run(command, cwd=self.root, env=variables, capture_output=True, text=True)
        ).strip()

    def dvc(self, *arguments: str) -> None:
        self.run(str(environment("references-dvc")), "-m", "dvc", *arguments)

    def commit(self) -> str:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "data")
        return self.run("git", "rev-parse", "HEAD")

    def add(self, path: str, content: str, *others: str) -> str:
        """Put a file, and others that are there, under DVC; the new commit."""
        (self.root / path).write_text(content)
        self.dvc("add", "--quiet", path, *others)
        return self.commit()

    @property
    def head(self) -> str:
        return self.run("git", "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work tree with a model and a data set, pushed to a remote next to it; tests take copies."""
    folder = tmp_path_factory.mktemp("dvc")
    (folder / "home").mkdir()
    (folder / "tree" / "data").mkdir(parents=True)
    made = Work(folder / "tree", folder / "home")
    made.run("git", "init", "--quiet", "--initial-branch=main")
    made.dvc("init", "--quiet")
    made.dvc("remote", "add", "--quiet", "--default", "store", "../store")
    (made.root / "data" / "train.csv").write_text("x\n1\n")
    made.add("model.pkl", "weights", "data/train.csv")
    made.dvc("push", "--quiet")
    return folder


@pytest.fixture
def own(template: Path, sandbox: Sandbox) -> Work:
    """The GitOps repository itself, under DVC."""
    shutil.copytree(template / "tree", sandbox.root, dirs_exist_ok=True)
    shutil.copytree(template / "store", sandbox.root.parent / "store")
    return Work(sandbox.root, sandbox.home)
