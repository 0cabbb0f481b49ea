"""A repository with a remote, as `sluice init` makes it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from generator.cli.main import cli


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
    """Run git with a fixed identity and clock, and return its output."""
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


def sha256(content: bytes) -> str:
    """Digest (hex)."""
    return hashlib.sha256(content).hexdigest()
