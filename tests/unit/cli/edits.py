"""Edits of specs, and the git that keeps them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git(root: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(root), *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def change(root: Path, file: str, old: str, new: str) -> None:
    path = root / "specs" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
