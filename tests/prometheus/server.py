"""A real Prometheus on a free port, with its own folder; it can be stopped and started again."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

_PAUSE = threading.Event()


def until(condition: Callable[[], object], deadline_s: float, what: str) -> None:
    """Poll until a condition holds.

    Raises:
        TimeoutError: it does not in time.
    """
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {deadline_s:g} s")
        _PAUSE.wait(0.1)


class Server:
    """One Prometheus that scrapes one target every second; `scraped` are more keys of its scrape."""

    def __init__(
        self, folder: Path, target_port: int, labels: dict[str, str] | None = None, **scraped: object
    ) -> None:
        program = shutil.which("prometheus")
        if program is None:
            pytest.fail("prometheus is missing; install it with: sh tests/tools/prometheus.sh", pytrace=False)
        self._program, self._folder, self._port = program, folder, _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        target = {"targets": [f"127.0.0.1:{target_port}"], "labels": labels or {}}
        scrape = {"job_name": "models", "static_configs": [target], **scraped}
        times = {"scrape_interval": "1s", "scrape_timeout": "1s"}
        (folder / "prometheus.yml").write_text(yaml.safe_dump({"global": times, "scrape_configs": [scrape]}))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={self._folder}/prometheus.yml",
                    f"--storage.tsdb.path={self._folder}/data",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                ],
                stdout=log,
                stderr=log,
            )
        until(self._ready, 30, f"Prometheus' start (log in {self._folder})")

    def stop(self) -> None:
        """Stop it, politely at first."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def query(self, query: str, at_s: float) -> list[dict]:
        """The result of an instant query."""
        body = urllib.parse.urlencode({"query": query, "time": f"{at_s:.3f}"}).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/query", body, timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def samples(
        self, selector: str, at_s: float, window_s: int
    ) -> list[tuple[dict, list[tuple[float, float]]]]:
        """Raw samples: labels, and (seconds since 1970, value) of each series."""
        return [
            (series["metric"], [(float(at), float(value)) for at, value in series["values"]])
            for series in self.query(f"{selector}[{window_s}s]", at_s)
        ]

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError((self._folder / "log").read_text()[-2000:])
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
