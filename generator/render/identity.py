"""What rendered text depends on beside its inputs and templates: the code that makes it."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

# Rooms whose code decides what a file says; commands and output can change without any file changing.
_ROOMS = ("plan", "promql", "render", "rules/odds.py", "spec", "stats")


@lru_cache(maxsize=1)
def code_digest() -> str:
    """SHA-256 (hex) of that code: a new release that renders the same leaves bundles up to date."""
    package = Path(__file__).resolve().parent.parent
    total = hashlib.sha256()
    for room in _ROOMS:
        for name in _sources(package / room):
            with open(name, "rb") as file:  # noqa: PTH123 - a hundred small files, on every run
                text = file.read()
            total.update(f"{os.path.relpath(name, package)}\0{len(text)}\0".encode())
            total.update(text)
    return total.hexdigest()


def _sources(room: Path) -> list[str]:
    if room.is_file():
        return [str(room)]
    found: list[str] = []
    for folder, folders, files in os.walk(room):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        found += [os.path.join(folder, name) for name in sorted(files) if name.endswith(".py")]  # noqa: PTH118
    return found
