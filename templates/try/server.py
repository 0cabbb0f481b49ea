"""A server under trial: its process, its memory, and requests to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from report import Report, cause, tail

NEVER_READY = {
    "this pod never becomes ready": "the warm-up prediction failed, so no pod becomes ready",
    "Application startup failed": "the service can't start",
}


class Server:
    """A server: of a bento, in its own process, or one that runs already."""

    def __init__(self, facts: dict, bento: str | None, url: str | None, home: Path) -> None:
        self.facts = facts
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home / "log"
        self.log.touch()
        if bento is None:
            address = urlsplit(url or "")
            self.host, self.port = address.hostname or "127.0.0.1", address.port or 80
            return
        self.host, self.port, self.feedback = "127.0.0.1", free_port(), free_port()
        keys = home / "keys"
        keys.mkdir()
        (keys / "current").write_text(secrets.token_hex(32))
        self.variables = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
            "HOME": str(home),
            "TMPDIR": str(home),
            "BENTOML_HOME": str(home / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
            "BENTOML_CONTAINERIZED": "true",
            "OMP_NUM_THREADS": "1",
            "SLUICE_SERVED_BY": "try",
            "SLUICE_FEEDBACK_PORT": str(self.feedback),
            "SLUICE_FEEDBACK_HOST": self.host,
            "SLUICE_FEEDBACK_KEYS": str(keys),
            **facts["env"],
            **{name: os.environ[name] for name in facts["secrets"] if name in os.environ},
        }
        command = [
            sys.executable,
            "-m",
            "bentoml",
            "serve",
            bento,
            "--host",
            self.host,
            "--port",
            str(self.port),
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the bento that was named
                command, env=self.variables, cwd=home, stdout=log, stderr=log, start_new_session=True
            )

    def close(self) -> None:
        """End it with all its children."""
        if self.process is None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def text(self) -> str:
        """Return its log so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ask(
        self, method: str, path: str, body: Any = None, port: int = 0, timeout_s: float = 0.0
    ) -> tuple[int, str]:
        """Return status and body of one request; status 0 if there is no answer."""
        patience = timeout_s or self.facts["timeout_s"] + 5
        connection = http.client.HTTPConnection(self.host, port or self.port, timeout=patience)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(
                method, path, None if body is None else data, {"content-type": "application/json"}
            )
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error) or type(error).__name__
        finally:
            connection.close()

    def predict(self, rows: list) -> tuple[int, str]:
        """Return status and body for some rows."""
        return self.ask("POST", self.facts["path"], self.request(rows))

    def request(self, rows: list) -> dict:
        """Return a request with these rows, and with values of the attributes that are sent next to them."""
        if self.facts["body"] is not None:
            return self.facts["body"]
        others = self.facts["attributes"]
        return {"rows": rows, **({"groups": [others] * len(rows)} if others else {})}

    def wait(self, report: Report) -> bool:
        """Return whether it becomes ready in the time that a pod has."""
        began, allowed = time.monotonic(), self.facts["startup_s"]
        while time.monotonic() < began + allowed:
            if self.process and self.process.poll() is not None:
                return self._failed(report, f"the server ended with code {self.process.returncode}")
            failure = next((what for mark, what in NEVER_READY.items() if mark in self.text()), "")
            if failure:
                time.sleep(0.5)  # for the rest of the traceback
                return self._failed(report, failure)
            if self.ask("GET", self.facts["ready"], timeout_s=1.0)[0] == http.HTTPStatus.OK:
                report.startup_s = round(time.monotonic() - began, 3) if self.process else None
                return True
            time.sleep(0.05)
        return self._failed(
            report, f"not ready in {allowed:g} s, the time that `service.startup` gives a pod"
        )

    def _failed(self, report: Report, message: str) -> bool:
        line, hint = cause(self.text())
        hint = hint or cause(message)[1]
        report.wrong("start", f"{message}: {line}", hint, tail(self.text()))
        return False


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def family(pid: int) -> Iterator[int]:
    """Yield a process and all processes below it (Linux)."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                yield from family(int(child))


def memory(server: Server) -> int | None:
    """Return the memory of a server in bytes: pages that its processes share count once, as for a container's limit."""
    total = 0
    for pid in family(server.process.pid) if server.process else ():
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) * 1024 if found else 0
    return total or None


def cpu(server: Server) -> float | None:
    """Return the CPU seconds that a server has used."""
    total = 0.0
    for pid in family(server.process.pid) if server.process else ():
        with contextlib.suppress(OSError, IndexError, ValueError):
            parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    return total or None


def send(server: Server, requests: list, seconds: float) -> tuple[list[float], int, float]:
    """Send requests, one client for each: return the times of answers, the failures, and how long it took."""
    times: list[float] = []
    failed: list[int] = []
    began = time.monotonic()

    def client(rows: list) -> None:
        body = json.dumps(server.request(rows)).encode()
        connection = http.client.HTTPConnection(
            server.host, server.port, timeout=server.facts["timeout_s"] + 5
        )
        while (sent := time.monotonic()) < began + seconds:
            try:
                connection.request("POST", server.facts["path"], body, {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                connection.close()
                status = 0
            if status == http.HTTPStatus.OK:
                times.append(time.monotonic() - sent)
            else:
                failed.append(status)
        connection.close()

    clients = [threading.Thread(target=client, args=(rows,)) for rows in requests]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return times, len(failed), time.monotonic() - began
