"""SIGTERM under load."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.bento.serving import GetBuilt, Server, until

pytestmark = pytest.mark.slow
CLIENTS = 12


def in_progress(server: Server) -> float:
    samples = server.metrics().items()
    name = "bentoml_service_request_in_progress"
    return sum(value for key, value in samples if key[0] == name and ("endpoint", "/predict") in key[1])


def test_every_accepted_request_is_answered(built: GetBuilt, tmp_path: Path) -> None:
    # More clients than threads: some requests are computed, others wait inside the server.
    with Server(built("rules"), tmp_path / "home") as server, ThreadPoolExecutor(CLIENTS) as clients:
        server.ready()
        slow = {"rows": [{"wait": 1.5, "add": 2.0}]}
        answers = [clients.submit(server.post, "/predict", slow) for _ in range(CLIENTS)]
        until(lambda: in_progress(server) == CLIENTS)
        server.process.terminate()
        for status, answer in (future.result() for future in answers):
            assert (status, answer["predictions"]) == (200, [42.0])
            assert answer["served_by"].startswith("7d9f.")
        assert server.process.wait(30) == 0
