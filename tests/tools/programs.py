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
