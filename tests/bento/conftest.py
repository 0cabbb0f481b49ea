"""Bentos, built once a run whatever the number of pytest workers, and servers of them."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bento.bentos import BENTOS
from tests.bento.serving import Built, GetBuilt, Serve, Server, build
from tests.tools.environment import environment


@pytest.fixture(scope="session")
def python() -> Path:
    """Interpreter of the models' environment."""
    return environment("bento")


@pytest.fixture(scope="session")
def built(python: Path, shared_folder: Path) -> GetBuilt:
    """Build a bento, or take the one that another worker has built."""
    shared = shared_folder / "bentos"
    shared.mkdir(exist_ok=True)

    def get(name: str) -> Built:
        folder = shared / name
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "bento").is_dir():
                shutil.rmtree(folder, ignore_errors=True)
                build(name, BENTOS[name], python, folder)
        return Built(BENTOS[name], folder, python)

    return get


@pytest.fixture(scope="session")
def served(built: GetBuilt, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A ready server of a bento, one a worker; every server is ended at the end of the session."""
    servers: dict[str, Server] = {}
    with ExitStack() as stack:

        def get(name: str) -> Server:
            if name not in servers:
                home = tmp_path_factory.mktemp(name) / "home"
                servers[name] = stack.enter_context(Server(built(name), home)).ready()
            return servers[name]

        yield get
