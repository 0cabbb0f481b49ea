"""Processes of a run: started in separate sessions, known by name to every process of the run."""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.waiting import TooLateError, until

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SHOWN_LINES = 25

# Of programs in Go the collector runs a quarter as often: processors are scarcer here than memory.
_THRIFT = {"GOGC": "400"}

Command = list[str | Path]
"""A program and its arguments."""
# They outlive who started them; without their objects Python would complain that they still run.
_STARTED: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Processes:
    """The processes of one run.

    Args:
        folder: keeps a log and a process id for each name.
    """

    folder: Path

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start a process.

        Args:
            name: how it is called here.
            command: program and arguments.
            cwd: working directory.
            env: variables in addition to those of this process.
        """
        self.folder.mkdir(exist_ok=True)
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **_THRIFT, **(env or {})},
                start_new_session=True,
            )
        _STARTED.append(process)
        (self.folder / f"{name}.pid").write_text(str(process.pid))

    def ready(self, name: str, probe: Callable[[], object], seconds: float = 60) -> None:
        """Wait until a process answers.

        Raises:
            RuntimeError: it ended, or did not answer in time; with the end of its log.
        """

        def ask() -> bool:
            if not self.alive(name):
                raise RuntimeError(f"{name} ended\n{self.tail(name)}")
            return bool(probe())

        try:
            until(name, ask, seconds)
        except TooLateError as late:
            raise RuntimeError(f"{late}\n{self.tail(name)}") from None

    def alive(self, name: str) -> bool:
        """Whether a process runs; one that ended and was not waited for does not."""
        return not _ended(self._pid(name))

    def stop(self, name: str, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End a process, then what it started and left behind, and wait for the end of both."""
        group = self._pid(name)
        with suppress(ProcessLookupError):
            os.kill(group, with_signal)
        until(f"the end of {name}", lambda: not self.alive(name), 30)
        until(f"the end of what {name} started", lambda: not _killed(group), 30)

    def log(self, name: str) -> Path:
        """What a process said."""
        return self.folder / f"{name}.log"

    def tail(self, name: str) -> str:
        """The end of what a process said."""
        return "\n".join(self.log(name).read_text(errors="replace").splitlines()[-_SHOWN_LINES:])

    def _pid(self, name: str) -> int:
        return int((self.folder / f"{name}.pid").read_text())


def _ended(process: int) -> bool:
    """Whether a process has ended. The last thread closes its ports, and it may end after the first one."""
    folder = Path(f"/proc/{process}")
    try:
        state = (folder / "stat").read_text().rpartition(") ")[2]
        return state.startswith("Z") and len(list((folder / "task").iterdir())) == 1
    except OSError:
        return True


def _killed(group: int) -> list[int]:
    """Kill what still runs of a process group; who ended and was not waited for does not."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            its_group = file.read_text().rpartition(") ")[2].split()[2]
            process = int(file.parent.name)
            if int(its_group) == group and not _ended(process):
                found.append(process)
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return found


def answers(url: str) -> Callable[[], bool]:
    """A probe: whether this address answers 200."""

    def probe() -> bool:
        with _DIRECT.open(url, timeout=5) as answer:
            return bool(answer.status == 200)

    return probe
