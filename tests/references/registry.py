"""A real registry of containers, and artifacts pushed to it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.references.processes import free_port, running

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
USER, PASSWORD = "sluice", "not-a-secret"
HTPASSWD = f"{USER}:$2b$04$QVUszr3BW7f8LDJ0L1A9wOA0JXr08IQ/CTIQ0jJbAi9KoTdJhwcM2\n"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass(frozen=True)
class Registry:
    """A running registry."""

    host: str
    authorization: str = ""

    def push(self, name: str, tag: str, content: bytes, **files: bytes) -> str:
        """Push an artifact of one layer, or of more files by their titles; the digest of its manifest."""
        titled = {"first": content, **files}
        layers = [
            {**self.blob(name, text), "annotations": {"org.opencontainers.image.title": title}}
            for title, text in titled.items()
        ]
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(name, b"{}"),
            "layers": layers,
        }
        body = json.dumps(document).encode()
        self._send("PUT", f"http://{self.host}/v2/{name}/manifests/{tag}", body, MANIFEST)
        return "sha256:" + hashlib.sha256(body).hexdigest()

    def blob(self, name: str, content: bytes) -> dict[str, object]:
        """Upload one blob; its descriptor."""
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        upload = self._send("POST", f"http://{self.host}/v2/{name}/blobs/uploads/", b"")
        joint = "&" if "?" in upload else "?"
        self._send("PUT", f"{upload}{joint}digest={digest}", content, "application/octet-stream")
        return {"mediaType": "application/octet-stream", "digest": digest, "size": len(content)}

    def _send(self, method: str, url: str, body: bytes, kind: str = "application/json") -> str:
        headers = {"content-type": kind, "authorization": self.authorization}
        with urlopen(Request(url, body, headers, method=method), timeout=60) as answer:
            return str(answer.headers.get("Location", ""))


def sha256(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def manifest(*layers: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers}).encode()


def program() -> str:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    unpacked = cache / "sluice" / "docker-registry" / "usr" / "bin" / "docker-registry"
    found = shutil.which("docker-registry") or (str(unpacked) if unpacked.exists() else None)
    if found is None:
        pytest.fail("docker-registry is missing; get it with: sh tests/references/registry.sh", pytrace=False)
    return found


@contextmanager
def serving(folder: Path, auth: dict[str, object] | None = None, accepts: int = 200) -> Iterator[str]:
    """A registry with this authentication; its host."""
    host = f"127.0.0.1:{free_port()}"
    settings = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": host, "secret": "of the test"},
        **({"auth": auth} if auth else {}),
    }
    (folder / "config.yml").write_text(json.dumps(settings))
    variables = {"PATH": os.defpath, "HOME": str(folder), "OTEL_TRACES_EXPORTER": "none"}
    command = [program(), "serve", str(folder / "config.yml")]
    with running(command, folder, variables, f"http://{host}/v2/", accepts):
        yield host


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with serving(tmp_path_factory.mktemp("registry")) as host:
        yield Registry(host)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "htpasswd").write_text(HTPASSWD)
    auth: dict[str, object] = {"htpasswd": {"realm": "models", "path": str(folder / "htpasswd")}}
    with serving(folder, auth, 401) as host:
        yield Registry(host, BASIC)
