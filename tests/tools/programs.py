"""Programs that `tests/tools/people.sh` brings; a missing one fails the test with the command that installs it."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice"


def program(name: str) -> str:
    """Path of a program of the system."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing; get it with: tests/tools/people.sh", pytrace=False)
    return found


def actionlint() -> str:
    """Path of actionlint."""
    pins = b"".join((HERE / "actionlint" / name).read_bytes() for name in ("go.mod", "go.sum"))
    built = CACHE / "actionlint" / hashlib.sha256(pins).hexdigest()[:16] / "actionlint"
    if not built.exists():
        pytest.fail("actionlint is missing; get it with: tests/tools/people.sh", pytrace=False)
    return str(built)


def language_server() -> str:
    """Path of yaml-language-server."""
    key = hashlib.sha256((HERE / "editor" / "package-lock.json").read_bytes()).hexdigest()[:16]
    found = CACHE / "editor" / key / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    if not found.exists():
        pytest.fail("yaml-language-server is missing; get it with: tests/tools/people.sh", pytrace=False)
    return str(found)


def notifications_engine() -> str:
    """Path of the judge of notifications (`tests/notifications/engine`)."""
    folder = HERE.parent / "notifications" / "engine"
    content = b"".join(file.read_bytes() for file in sorted(folder.iterdir()))
    built = CACHE / "notifications" / hashlib.sha256(content).hexdigest()[:16] / "engine"
    if not built.exists():
        pytest.fail("the notifications engine is missing; get it with: tests/tools/people.sh", pytrace=False)
    return str(built)
