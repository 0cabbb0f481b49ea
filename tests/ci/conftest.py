"""A real repository with a remote, made by `sluice init`, and a registry."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from tests.references.test_references_oci import Registry, serving

BRANCH = "change"


@dataclass(frozen=True)
class Demo:
    """A clone with `specs/`, `rendered/`, the workflows and the scripts of both hosts.

    Args:
        root: the clone; `main` is merged, `change` is checked out with another step in one spec.
        remote: what it pushes to.
    """

    root: Path
    remote: Path

    def git(self, *arguments: str) -> str:
        return git(self.root, *arguments)

    def sluice(self, *arguments: str) -> str:
        done = CliRunner(env={"SOURCE_DATE_EPOCH": "1795392000"}).invoke(
            cli, [*arguments, "--root", str(self.root)]
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """Run git with an identity and a clock of its own; what it says."""
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**clean, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, once a worker."""
    folder = tmp_path_factory.mktemp("demo")
    root = folder / "clone"
    done = CliRunner().invoke(cli, ["init", str(root)])
    assert done.exit_code == 0, done.output
    demo = Demo(root, folder / "remote.git")
    git(folder, "init", "--quiet", "--bare", "remote.git")
    demo.git("init", "--quiet")
    demo.git("remote", "add", "origin", "../remote.git")
    demo.sluice("render")
    demo.commit("A new repository")
    demo.git("push", "--quiet", "origin", "main")
    demo.git("checkout", "--quiet", "-b", BRANCH)
    spec = root / "specs" / "shop" / "recommender.yaml"
    spec.write_text(spec.read_text().replace("hold: 60m", "hold: 90m"))
    demo.sluice("render")
    demo.commit("Look longer")
    return folder


@pytest.fixture
def demo(made: Path, tmp_path: Path) -> Demo:
    """A demo that a test may change."""
    shutil.copytree(made, tmp_path / "demo", symlinks=True)
    return Demo(tmp_path / "demo" / "clone", tmp_path / "demo" / "remote.git")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The runner's own folder."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A real registry on this machine."""
    with serving(tmp_path_factory.mktemp("registry")) as host:
        yield Registry(host)


def sha256(content: bytes) -> str:
    """Digest (hex)."""
    return hashlib.sha256(content).hexdigest()
