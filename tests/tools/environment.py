"""Virtual environments for tests, built once from a hashed requirement list and cached outside the tree."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OFFLINE = {"UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
"""Variables for `sluice pin` where the list of packages is not the subject: it is not made, whatever uv has cached."""

PINS = Path(__file__).resolve().parents[1] / "pins"


def environment(name: str) -> Path:
    """The interpreter of an environment that holds exactly the packages of `tests/pins/<name>.txt`.

    The cache key is the content of the list and this interpreter. A lock file lets two pytest workers
    ask at once; a marker file, written last, tells a complete environment from one that was interrupted.

    Args:
        name: stem of the list.

    Returns:
        Path of the environment's python.

    Raises:
        RuntimeError: the packages could not be installed.
    """
    pins = PINS / f"{name}.txt"
    key = hashlib.sha256(f"{sys.version}\n{sys.base_prefix}\n".encode() + pins.read_bytes()).hexdigest()[:32]
    folder = _cache() / key
    complete = folder / ".complete"
    with _locked(folder.with_suffix(".lock")):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            python = str(folder / "bin" / "python")
            _uv("venv", "--quiet", "--python", sys.executable, str(folder))
            _uv("pip", "sync", "--quiet", "--require-hashes", "--python", python, str(pins))
            complete.touch()
    return folder / "bin" / "python"


def _cache() -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice" / "envs"
    root.mkdir(parents=True, exist_ok=True)
    return root


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _uv(*arguments: str) -> None:
    command = [sys.executable, "-m", "uv", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}\nIs uv there? `make test` installs it.")
