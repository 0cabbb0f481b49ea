"""Programs on a system that opens no folders and knows no locks, as Windows: what is missing there is taken away.

`python -m tests.unit.output.elsewhere` reads a program from standard input and runs it there.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

_MISSING = (
    "O_NONBLOCK",
    "O_NOFOLLOW",
    "O_DIRECTORY",
    "O_CLOEXEC",
    "fork",
    "geteuid",
    "sched_getaffinity",
    "supports_dir_fd",
    "supports_fd",
)
_REAL = {
    name: getattr(os, name) for name in ("open", "mkdir", "unlink", "rmdir", "replace", "stat", "scandir")
}


def move() -> None:
    """Take away what Windows does not have, before anything of Sluice is imported."""
    assert "generator" not in sys.modules
    sys.modules["fcntl"] = None  # type: ignore[assignment]
    for name in _MISSING:
        delattr(os, name)
    os.supports_dir_fd = os.supports_fd = set()
    for name, real in _REAL.items():
        setattr(os, name, _without_descriptors(name, real))


def _without_descriptors(name: str, real: Any) -> Any:
    def call(path: Any, *args: Any, **options: Any) -> Any:
        if isinstance(path, int) or any(
            key.endswith("dir_fd") and options[key] is not None for key in options
        ):
            raise NotImplementedError(f"os.{name} takes no descriptor of a folder here")
        if name == "open" and Path(path).is_dir():
            raise PermissionError(13, os.strerror(13), path)
        if name == "open" and Path(path).exists() and not stat.S_ISREG(_REAL["stat"](path).st_mode):
            raise AssertionError(f"{path} would be waited for")
        return real(path, *args, **options)

    return call


if __name__ == "__main__":
    move()
    exec(compile(sys.stdin.read(), "program", "exec"), {"__name__": "program"})
