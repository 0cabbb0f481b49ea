"""Two pytest sessions at once: each has its own folders, and neither removes those of another that still runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.system.repositories import CHECKOUT

INNER = """
import os
import time
from pathlib import Path

def test_folders_stay(tmp_path, shared_folder):
    mine = [tmp_path / "own", shared_folder / "shared"]
    for file in mine:
        file.touch(exist_ok=False)
    waits = Path(os.environ["WAITS"]) if "WAITS" in os.environ else None
    if waits:
        waits.touch()
    while waits and waits.exists():
        time.sleep(0.05)
    assert all(file.exists() for file in mine)
"""
AT_ONCE = 5  # pytest keeps the folders of three sessions


def start(folder: Path, **variables: str) -> subprocess.Popen[str]:
    """A separate session, started as a test on a worker of pytest-xdist starts one."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest"]
    environment = os.environ | {
        "PYTHONPATH": str(CHECKOUT),
        "PYTEST_DEBUG_TEMPROOT": str(folder),
        "PYTEST_XDIST_WORKER": "gw0",
    }
    return subprocess.Popen(
        [*command, "--rootdir", str(folder), str(folder / "test_inner.py")],
        cwd=folder,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_later_sessions_leave_the_folders_of_one_that_runs(tmp_path: Path):
    (tmp_path / "test_inner.py").write_text(INNER)
    waits = tmp_path / "waits"
    first = start(tmp_path, WAITS=str(waits))
    while not waits.exists():
        assert first.poll() is None, first.communicate()[0]
        time.sleep(0.05)
    for _ in range(AT_ONCE):
        later = start(tmp_path)
        printed = later.communicate()[0]
        assert later.returncode == 0, printed
    waits.unlink()
    printed = first.communicate()[0]
    assert first.returncode == 0, printed
