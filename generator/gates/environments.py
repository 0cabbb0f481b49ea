"""Environments of the gate tools and of services: libraries conflict, so each has its own, from a list of packages.

An environment is created once, and found by its content: the list of packages and the Python version. A gate tool reads
a configuration file and writes a report file.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from generator.dataclass import dataclass
from generator.gates.errors import InstallError, NoVerdictError
from generator.gates.tools import Tool

_TAIL: Final = 300
_FOLDER: Final = "sluice-gate-"
_YOUNG_S: Final = 60  # a folder is locked long before this age


class Packages(Protocol):
    """What an environment is created from."""

    @property
    def name(self) -> str:
        """Its name, for progress."""

    @property
    def requirements(self) -> Path:
        """The list of packages."""


@dataclass(frozen=True, slots=True)
class Environments:
    """All environments of this machine.

    Args:
        note: shows progress to the user.
        offline: create none.
        ready: folder with one finished environment per tool, as in an image; then none is ever created.
        kind: folder of the cache.
        interpreter: Python of the environments: a path, or with uv a version.
        hashed: refuse packages without a hash.
        indexes: (name, address) of further package indexes; only with `hashed`, where no index can supply other bytes.
    """

    note: Callable[[str], None]
    offline: bool = False
    ready: Path | None = None
    kind: str = "gates"
    interpreter: str = sys.executable
    hashed: bool = True
    indexes: tuple[tuple[str, str], ...] = ()

    def missing(self, tool: Packages) -> bool:
        """Return whether an environment still has to be created."""
        return self.ready is None and not (self._home(tool) / ".complete").exists()

    def python(self, tool: Packages) -> Path:
        """Return the interpreter of an environment, created if missing.

        Raises:
            NoVerdictError: it is missing and may not be created.
            InstallError: it could not be created.
        """
        if self.ready is not None:
            return self.ready / tool.name / "bin" / "python"
        home = self._home(tool)
        if self.missing(tool):
            if self.offline:
                raise NoVerdictError(
                    f"the environment of {tool.name} is not installed, and --offline does not create it"
                )
            with _locked(home.with_suffix(".lock")):
                if self.missing(tool):
                    self._make(tool, home)
        return home / "bin" / "python"

    def run(self, tool: Tool, config: dict[str, Any]) -> dict[str, Any]:
        """Run a tool's script on a configuration and return its report.

        Raises:
            NoVerdictError: the tool left no report.
            InstallError: its environment could not be created.
        """
        python = self.python(tool)
        with work_folder() as folder:
            configured, reported = Path(folder, "config.json"), Path(folder, "report.json")
            configured.write_text(json.dumps(config), encoding="utf-8")
            command = [str(python), str(tool.program), str(configured), str(reported)]
            done = subprocess.run(  # noqa: S603 - our script in our environment
                command, env=surroundings(tool, folder), capture_output=True, text=True, check=False
            )
            if done.returncode:
                output = " ".join(done.stderr.split())[-_TAIL:]
                raise NoVerdictError(f"{tool.name} ended with code {done.returncode}: {output}")
            report = json.loads(reported.read_text(encoding="utf-8"))
        if report.get("problem"):
            raise NoVerdictError(str(report["problem"]))
        return dict(report)

    def _make(self, tool: Packages, home: Path) -> None:
        count = sum(1 for line in tool.requirements.read_text().splitlines() if line[:1].isalnum())
        self.note(f"installing the environment of {tool.name}: {count} packages, once per machine")
        shutil.rmtree(home, ignore_errors=True)
        for command in self._commands(home, tool.requirements):
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own list
            if done.returncode:
                shutil.rmtree(home, ignore_errors=True)
                raise InstallError(
                    f"the environment of {tool.name} can't be created: {done.stderr.strip()[-_TAIL:]}",
                    log=done.stdout + done.stderr,
                )
        (home / ".complete").touch()

    def _home(self, tool: Packages) -> Path:
        chosen = "" if self.interpreter == sys.executable else f"{self.interpreter}\n"
        start = f"{sys.version}\n{sys.base_prefix}\n{chosen}".encode()
        key = hashlib.sha256(start + tool.requirements.read_bytes())
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return root / "sluice" / self.kind / key.hexdigest()[:32]

    def _commands(self, home: Path, requirements: Path) -> list[list[str]]:
        """Return the commands that create it: with uv if installed (ten times as fast), else with pip.

        Both compile the modules: a tool may not write them later, and would compile its libraries at every start.
        """
        python = str(home / "bin" / "python")
        uv, hashed = uv_command(), ["--require-hashes"] if self.hashed else []
        if uv:
            install = (
                [*uv, "pip", "sync", *hashed] if self.hashed else [*uv, "pip", "install", "--requirement"]
            )
            # Usually uv stops at the first index that has a package, whichever version; the hashes decide here.
            more = [word for name, url in self.indexes for word in ("--index", f"{name}={url}")]
            more += ["--index-strategy", "unsafe-best-match"] if more else []
            return [
                [*uv, "venv", "--quiet", "--python", self.interpreter, str(home)],
                [*install, str(requirements), *more, "--compile-bytecode", "--quiet", "--python", python],
            ]
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *hashed, "-r"]
        return [[self.interpreter, "-m", "venv", str(home)], [python, *pip, str(requirements)]]


def uv_command() -> list[str]:
    """Return how to start uv; empty if it is not installed."""
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    found = shutil.which("uv")
    return [found] if found else []


def surroundings(tool: Tool, folder: str) -> dict[str, str]:
    """Return the environment variables of a script: none of our Python settings, no telemetry, and its own folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    quiet = {"GX_ANALYTICS_ENABLED": "False", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
    fixed = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tool.folder)}
    places = dict.fromkeys(("TMPDIR", "MPLCONFIGDIR", "NUMBA_CACHE_DIR"), folder)
    return {**kept, **quiet, **fixed, **places, "MPLBACKEND": "Agg"}


@contextmanager
def work_folder() -> Iterator[str]:
    """Yield a temporary folder, after removing those that killed processes have left.

    A process locks its folder, so a folder without a lock belongs to none.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        _remove_left(left)
    with tempfile.TemporaryDirectory(prefix=_FOLDER) as folder, _opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder


def _remove_left(folder: Path) -> None:
    with suppress(OSError), _opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(descriptor)
        if found.st_uid == os.getuid() and found.st_mtime < time.time() - _YOUNG_S:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _opened(folder: str | Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
