"""Programs that a world scenario starts on this machine, without a cluster."""

from __future__ import annotations

import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.prometheus.server import until


def free_address() -> str:
    """Return an address of this machine whose port is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def started(folder: Path, name: str, ready: str, *command: str) -> Iterator[None]:
    """Run a program until the end of the block; it has started when an address answers.

    Args:
        folder: its working folder; its log is written there.
        name: its name.
        ready: the address; empty if the caller waits.
        command: its command line.
    """
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            until(lambda: not ready or _answers(ready), 60, f"the start of {name} (log in {folder})")
            yield
        finally:
            process.terminate()
            process.wait(30)


def accepts(address: str) -> bool:
    """Return whether something listens at an address."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 2).close()
    except OSError:
        return False
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
