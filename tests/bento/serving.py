"""Builds and serves a rendered bento with the real program."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import uuid4

from generator.plan.bento import Bento
from generator.render.bento import render_bento
from generator.render.environment import Templates

T = TypeVar("T")
Sample = tuple[str, frozenset[tuple[str, str]]]
Answer = tuple[int, dict[str, str], bytes]
Done = subprocess.CompletedProcess[str]
TRAIN = Path(__file__).with_name("train.py")


def until(probe: Callable[[], T], seconds: float = 60.0) -> T:
    """The first true answer of a probe that is asked again and again.

    Raises:
        AssertionError: there was none in time.
    """
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"nothing in {seconds} s"
        threading.Event().wait(0.05)
    return answer


@dataclass(frozen=True)
class Built:
    """An exported bento, unpacked as in an image, and the answers its model should give."""

    bento: Bento
    folder: Path
    python: Path

    @property
    def expected(self) -> dict[str, Any]:
        answers: dict[str, Any] = json.loads((self.folder / "trained" / "expected.json").read_text())
        return answers


KEY = "0123456789abcdef" * 4
"""The key that servers sign with."""


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def surroundings(python: Path, home: Path) -> dict[str, str]:
    """Environment variables of a child: nothing of this process leaks in, all writes go to `home`."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": f"{python.parent}:{os.defpath}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "BENTOML_HOME": str(home / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
    }


def run(python: Path, home: Path, *arguments: str, cwd: Path | None = None) -> Done:
    """Run the model environment's Python to its end."""
    command = [str(python), *arguments]
    return subprocess.run(command, env=surroundings(python, home), cwd=cwd, capture_output=True, text=True)


def checked(done: Done) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tree_sha256(artifact: Path) -> str:
    """The digest of an artifact by coreutils, as a pipeline without Sluice would make it."""
    listing = "find . -type f | cut -c3- | LC_ALL=C sort | tr '\\n' '\\0' | xargs -0 sha256sum -- | sha256sum"
    command = ["sha256sum", str(artifact)] if artifact.is_file() else ["sh", "-c", listing]
    cwd = artifact.parent if artifact.is_file() else artifact
    return checked(subprocess.run(command, cwd=cwd, capture_output=True, text=True)).split()[0]


def train(name: str, python: Path, folder: Path, program: Path = TRAIN) -> Path:
    """Train a model; the artifact it leaves."""
    folder.mkdir(parents=True)
    checked(run(python, folder / "home", str(program), name, str(folder)))
    return next(folder.glob("artifact*"))


def write(bento: Bento, folder: Path) -> None:
    """Write the rendered files."""
    folder.mkdir(parents=True)
    for name, text in render_bento(bento, Templates()).items():
        (folder / name).write_text(text)


def build(
    name: str, bento: Bento, python: Path, folder: Path, trainer: Path | None = None, program: Path = TRAIN
) -> None:
    """Train, render, import, build, export and unpack: the steps of the rendered README."""
    package(bento, train(name, trainer or python, folder / "trained", program), python, folder)


def package(bento: Bento, artifact: Path, python: Path, folder: Path) -> None:
    """Render, import, build, export and unpack what a pipeline handed over."""
    source, home = folder / "source", folder / "home"
    write(bento if bento.references else replace(bento, digest=tree_sha256(artifact)), source)
    checked(run(python, home, "import_model.py", str(artifact), cwd=source))
    checked(run(python, home, "-m", "bentoml", "build", "--version", bento.build_version, cwd=source))
    exported = folder / "bento.tar"
    tag = f"{bento.name}:{bento.build_version}"
    checked(run(python, home, "-m", "bentoml", "export", tag, str(exported)))
    with tarfile.open(exported) as archive:
        archive.extractall(folder / "bento", filter="data")
    shutil.rmtree(home)


@dataclass
class Server:
    """One running server with its own home folder, under the conditions of its image."""

    built: Built
    home: Path
    served_by: str = "7d9f"
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    feedback_port: int = 0
    variables: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.port, self.feedback_port = free_port(), self.feedback_port or free_port()
        self.write_keys(current=KEY)
        python = self.built.python
        arguments = ["-m", "bentoml", "serve", str(self.built.folder / "bento"), "--host", "127.0.0.1"]
        variables = {
            "BENTOML_CONTAINERIZED": "true",
            "SLUICE_SERVED_BY": self.served_by,
            "SLUICE_FEEDBACK_PORT": str(self.feedback_port),
            "SLUICE_FEEDBACK_KEYS": str(self.keys),
            **self.variables,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(python), *arguments, "--port", str(self.port)],
                env=surroundings(python, self.home) | variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def log(self) -> Path:
        return self.home.with_suffix(".log")

    @property
    def keys(self) -> Path:
        """The folder of the keys, as the mounted Secret has them."""
        return self.home.with_suffix(".keys")

    def write_keys(self, **keys: str) -> None:
        """Replace all keys at once, as the kubelet does: a link to a new folder takes the place of the old link."""
        folder = self.keys.with_name(f"{self.keys.name}-{uuid4().hex}")
        folder.mkdir(parents=True)
        for name, key in keys.items():
            (folder / name).write_text(key + "\n")
        link = folder.with_suffix(".link")
        link.symlink_to(folder)
        link.rename(self.keys)

    def status(self, path: str = "/readyz") -> int:
        """Answer of a probe; 0 while nothing listens."""
        try:
            return self.request("GET", path)[0]
        except OSError:
            return 0

    def ready(self, seconds: float = 240) -> Self:
        """Wait for readiness."""

        def probe() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            return self.status() == 200

        until(probe, seconds)
        return self

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Return status, headers and body of one request on a separate connection."""
        if path == "/feedback":
            host = self.variables.get("SLUICE_FEEDBACK_HOST", "127.0.0.1")
            connection = http.client.HTTPConnection(host, self.feedback_port, timeout=30)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def post(self, path: str, document: object) -> tuple[int, Any]:
        """Status and JSON of a posted document."""
        status, _, body = self.request("POST", path, json.dumps(document).encode())
        return status, json.loads(body)

    def token(self, row: object) -> str:
        """The `served_by` of a prediction."""
        status, answer = self.post("/predict", {"rows": [row]})
        assert status == 200, answer
        token: str = answer["served_by"]
        return token

    def metrics(self) -> dict[Sample, float]:
        """Every sample: value by name and labels."""
        text = self.request("GET", "/metrics")[2].decode()
        found: dict[Sample, float] = {}
        for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE):
            found[name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels))] = float(value)
        return found

    def sample(self, name: str, **labels: str) -> float | None:
        """One sample, by exactly these labels."""
        return self.metrics().get((name, frozenset(labels.items())))


GetBuilt = Callable[[str], Built]
Serve = Callable[[str], Server]
