"""Real servers: started on a free port of the loopback interface, asked until they answer, ended whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

from tests.bento.serving import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: list[str], folder: Path, variables: Mapping[str, str], ready: str, accepts: int = 200
) -> Iterator[None]:
    """A server process that answers.

    Args:
        command: program and arguments.
        folder: where it runs and logs.
        variables: its whole environment.
        ready: an address that it answers once it is up.
        accepts: the status of that answer.
    """
    log = folder / "server.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(variables),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def probe() -> bool:
        assert process.poll() is None, log.read_text()
        return _status(ready) == accepts

    try:
        until(probe, 300)
        yield
    finally:
        with suppress(ProcessLookupError):  # it ended by itself: the log that the probe shows says why
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _status(address: str) -> int:
    try:
        with urlopen(address, timeout=10) as answer:
            return int(answer.status)
    except OSError as error:
        code = getattr(error, "code", 0)
        with suppress(AttributeError):
            error.close()  # type: ignore[attr-defined]
        return code
