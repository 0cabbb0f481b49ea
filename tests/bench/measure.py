"""One call of a program: wall time, CPU time, and the memory of its largest process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.system.repositories import PROGRAM, environ


@dataclass(frozen=True)
class Call:
    """What a call cost: seconds of wall and of CPU (all its processes), MB of its largest process."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    out: str


def call(command: Sequence[str], cwd: Path, **variables: str) -> Call:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environ(**variables, PYTHONDONTWRITEBYTECODE=""),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Call(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out)


def sluice(cwd: Path, *arguments: str, cache: Path | None = None) -> Call:
    """Run the program; with a cache of templates, or with an empty one."""
    own = cwd / ".bench-cache"
    shutil.rmtree(own, ignore_errors=True)
    return call([*PROGRAM, *arguments], cwd, XDG_CACHE_HOME=str(cache or own))


def python(cwd: Path) -> Call:
    """An interpreter that does nothing."""
    return call([sys.executable, "-c", "pass"], cwd)


@dataclass(frozen=True)
class Series:
    """Calls of one kind, made alternately with those of the others."""

    calls: list[Call]

    @property
    def wall_s(self) -> float:
        """Median."""
        return median(call.wall_s for call in self.calls)

    @property
    def cpu_s(self) -> float:
        """Median."""
        return median(call.cpu_s for call in self.calls)

    @property
    def peak_mb(self) -> float:
        """Largest."""
        return max(call.peak_mb for call in self.calls)
