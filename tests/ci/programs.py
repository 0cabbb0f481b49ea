"""The real programs behind the stand-ins."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice/skopeo"


def uv() -> str:
    """The uv next to this Python, or the system's."""
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert found is not None, "uv is missing: it is in tests/pins/dev.txt"
    return found


def skopeo(folder: Path) -> str:
    """The system's skopeo, or a script that runs the one of `tests/references/skopeo.sh` with its libraries."""
    installed = shutil.which("skopeo")
    if installed:
        return installed
    program = _CACHE / "usr/bin/skopeo"
    if not program.exists():
        pytest.fail("skopeo is missing; get it with: sh tests/references/skopeo.sh", pytrace=False)
    libraries = ":".join(str(path) for path in _CACHE.glob("**/x86_64-linux-gnu"))
    script = folder / "real-skopeo"
    script.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {program} "$@"\n')
    script.chmod(0o755)
    return str(script)
