"""`ci/fetch-model.sh` for every kind of reference, with the real tools: what it fetches is what the lock pins.

Real: the script, DVC, MLflow and its server, the registry and skopeo, BentoML's store, the clients of Hugging Face and
AWS, curl. Stand-ins: `uv`, which takes these tools from pinned environments, the Hub, the bucket, and the https server.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from generator.pipeline.ci_files import workflow_files
from generator.render.environment import Templates
from generator.source.content import path_digest
from tests.ci.demo import git
from tests.ci.programs import skopeo
from tests.ci.runner import STANDINS
from tests.references.bentoml_store import TAG
from tests.references.dvc_tree import Work
from tests.references.hub import FIRST, Hub
from tests.references.mlflow_server import Mlflow
from tests.references.registry import Registry, sha256
from tests.references.sandbox import Sandbox
from tests.references.standin import Reply, Request, standing_in
from tests.tools.environment import environment

pytestmark = pytest.mark.slow
_ENVIRONMENTS = {"mlflow": "references-mlflow", "dvc": "references-dvc", "hf": "ci-fetch", "aws": "ci-fetch"}


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """The programs that uv would install."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name, pins in _ENVIRONMENTS.items():
        (folder / name).symlink_to(environment(pins).with_name(name))
    return folder


def run(sandbox: Sandbox, tools: Path, resolved: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script as `ci/build-image.sh` does, in the checkout."""
    for path, text in workflow_files("gitlab", Templates(), "main", "r.example.com/m").items():
        if path.startswith("ci/"):
            (sandbox.root / path).parent.mkdir(exist_ok=True)
            (sandbox.root / path).write_text(text)
    target = sandbox.home / "fetched"
    shutil.rmtree(target, ignore_errors=True)
    environ = {
        "PATH": f"{_programs(sandbox)}:{os.defpath}",
        "HOME": str(sandbox.home),
        "STANDIN_TOOLS": str(tools),
        "DVC_NO_ANALYTICS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        **variables,
    }
    command = ["sh", "ci/fetch-model.sh", resolved, str(target)]
    return subprocess.run(command, cwd=sandbox.root, env=environ, capture_output=True, text=True, timeout=300)


def fetched(sandbox: Sandbox, tools: Path, model: Any, **variables: str) -> Path:
    """What the script fetched for a lock: the pinned bytes."""
    done = run(sandbox, tools, model["resolved"], **variables)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.rstrip("\n"))
    assert path_digest(path, "the model") == model["digest"]
    return path


def _programs(sandbox: Sandbox) -> Path:
    """A folder with the stand-in of uv, and with skopeo for a registry on this machine without TLS."""
    folder = sandbox.home / "bin"
    folder.mkdir(exist_ok=True)
    shutil.copy(STANDINS / "uv", folder)
    options = "--insecure-policy --registries-conf " + str(sandbox.home / "registries.conf")
    (sandbox.home / "registries.conf").write_text(
        'unqualified-search-registries = []\n[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n'
    )
    (folder / "skopeo").write_text(
        f'#!/bin/sh\nexec {skopeo(sandbox.home)} {options} "$@" --src-tls-verify=false\n'
    )
    (folder / "skopeo").chmod(0o755)
    return folder


@pytest.mark.parametrize("version", ["1", "2"])
def test_mlflow(mlflow: Mlflow, sandbox: Sandbox, tools: Path, version: str) -> None:
    model = sandbox.ask(f"mlflow:ranker/{version}").pinned(**mlflow.variables)["model"]
    path = fetched(sandbox, tools, model, **mlflow.variables)
    assert (path / "MLmodel").is_file()


def test_a_bentoml_store_that_the_machine_sees(store: Path, sandbox: Sandbox, tools: Path) -> None:
    model = sandbox.ask(f"bentoml:{TAG}").pinned(BENTOML_HOME=str(store))["model"]
    path = fetched(sandbox, tools, model, SLUICE_BENTOML_STORE=str(store))
    assert (path / "sub/weights.bin").read_bytes() == b"weights"


def test_dvc_of_this_repository_at_the_commit_of_the_lock(own: Work, sandbox: Sandbox, tools: Path) -> None:
    model = sandbox.ask("dvc:model.pkl").pinned()["model"]
    own.add("model.pkl", "heavier")
    assert fetched(sandbox, tools, model).read_text() == "weights"


def test_a_folder_under_dvc(own: Work, sandbox: Sandbox, tools: Path) -> None:
    (own.root / "model" / "sub").mkdir(parents=True)
    (own.root / "model" / "sub" / "ü").write_text("1")
    own.dvc("add", "--quiet", "model")
    own.commit()
    assert (fetched(sandbox, tools, sandbox.ask("dvc:model").pinned()["model"]) / "sub" / "ü").is_file()


def test_dvc_of_another_repository(template: Path, sandbox: Sandbox, tools: Path, tmp_path: Path) -> None:
    other = Work(tmp_path / "other", sandbox.home)
    shutil.copytree(template / "tree", other.root)
    # DVC clones the repository, so its remote can't be next to it.
    other.dvc("remote", "modify", "--quiet", "store", "url", str(template / "store"))
    other.commit()
    model = sandbox.ask(f"dvc:{other.root.as_uri()}//model.pkl@main").pinned()["model"]
    assert fetched(sandbox, tools, model).read_text() == "weights"


_REMOTE = """['remote "store"']\n    url = s3://bucket/x\n"""
_EVIL = {
    "a profile": f"{_REMOTE}    profile = evil\n    credentialpath = /proc/self/cwd/specs/shop/aws.cfg\n",
    "a quoted key": f"{_REMOTE}    'credentialpath' = specs/shop/aws.cfg\n",
    "a line end of another kind": _REMOTE[:-1] + "\vcredentialpath = specs/shop/aws.cfg\n",
    "no verification": f"{_REMOTE}    ssl_verify = false\n",
    "a section": "[db]\n    x = 1\n",
}


@pytest.mark.parametrize("place", [".dvc/config", "ü/.dvc/config", ".dvc/config.local"])
@pytest.mark.parametrize("text", _EVIL.values(), ids=_EVIL)
def test_a_dvc_configuration_runs_nothing(
    sandbox: Sandbox, tools: Path, tmp_path: Path, place: str, text: str
) -> None:
    """AWS runs `credential_process` of a profile; a team decides what another repository configures."""
    refused_dvc(
        sandbox, tools, Work(tmp_path / "other", sandbox.home), {place: text}, "more than names and addresses"
    )


@pytest.mark.parametrize(
    "pointer",
    [
        "deps:\n- path: m\n  repo:\n    url: https://git.example.com/x\nouts:\n- path: model.pkl\n",
        'deps: [{path: m, "repo": {url: x}}]\nouts: [{path: model.pkl}]\n',
        'deps: [{path: m, "\\x72epo": {url: x}}]\nouts: [{path: model.pkl}]\n',
        "desc: &a repo\ndeps: [{path: m, *a : {url: x}}]\nouts: [{path: model.pkl}]\n",
    ],
)
def test_an_import_of_dvc_is_refused(sandbox: Sandbox, tools: Path, tmp_path: Path, pointer: str) -> None:
    """The configuration of the repository that it imports from would count, too."""
    files = {"model.pkl.dvc": pointer, ".dvc/config": _REMOTE}
    refused_dvc(sandbox, tools, Work(tmp_path / "other", sandbox.home), files, "imports from another one")


def refused_dvc(sandbox: Sandbox, tools: Path, other: Work, files: dict[str, str], why: str) -> None:
    """Fetch from a repository with these files; DVC is not even installed."""
    for path, text in files.items():
        (other.root / path).parent.mkdir(parents=True, exist_ok=True)
        (other.root / path).write_bytes(text.encode())
    commit = committed(other.root)
    done = run(sandbox, tools, f"dvc:{other.root.as_uri()}//model.pkl@{commit}#md5=0")
    assert (done.returncode, done.stdout) == (1, "")
    assert why in done.stderr
    assert not (sandbox.home / "fetched" / "tools").exists()


def committed(root: Path) -> str:
    """Make a repository of a folder; return its commit."""
    git(root, "init", "--quiet")
    git(root, "add", "--all", "--force")
    git(root, "commit", "--quiet", "--message", "x")
    return git(root, "rev-parse", "HEAD")


def test_the_hub(hub: Hub, sandbox: Sandbox, tools: Path) -> None:
    """The stand-in says what a download needs, too: the tree, the commit, and an ETag of each file."""
    tree = [
        {"type": "file", "path": file.name, "oid": "0" * 40, "size": file.stat().st_size}
        for file in hub.folder.iterdir()
    ]

    def play(request: Request) -> Reply:
        path = request.path.split("?")[0]
        if path == f"/api/models/acme/ranker/tree/{FIRST}":
            return Reply(body=json.dumps(tree).encode(), headers={"Content-Type": "application/json"})
        reply = hub.play(request)
        if "/resolve/" in path and reply.status == 200:
            etag = {"ETag": f'"{sha256(reply.body).removeprefix("sha256:")}"', "X-Repo-Commit": FIRST}
            return Reply(body=reply.body, headers=etag)
        return reply

    with standing_in(play) as stand_in:
        variables = {"HF_ENDPOINT": stand_in.address}
        model = sandbox.ask("hf:acme/ranker").pinned(**variables)["model"]
        path = fetched(sandbox, tools, model, **variables)
    assert sorted(file.name for file in path.iterdir()) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("files", [{}, {"sub/ü": b"two", "sub-1": b"three"}], ids=["a file", "a folder"])
def test_a_registry(registry: Registry, sandbox: Sandbox, tools: Path, files: dict[str, bytes]) -> None:
    name = f"acme/fetched-{len(files)}"
    registry.push(name, "v1", b"one", **files)
    model = sandbox.ask(f"oci://{registry.host}/{name}:v1").pinned()["model"]
    path = fetched(sandbox, tools, model)
    assert path.is_dir() == bool(files)


@pytest.mark.parametrize("title", ["../outside", "/etc/outside", "a//b", ""])
def test_a_layer_that_is_no_file_of_a_folder(
    registry: Registry,
    sandbox: Sandbox,
    tools: Path,
    title: str,
) -> None:
    digest = registry.push("acme/odd", "v1", b"one", **{title: b"two"})
    done = run(sandbox, tools, f"oci://{registry.host}/acme/odd@{digest}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "which is not a file name" in done.stderr
    assert not (sandbox.home / "outside").exists()
    assert not (sandbox.home / "fetched" / "outside").exists()


def test_a_bucket(sandbox: Sandbox, tools: Path) -> None:
    """A stand-in for S3, path-style; the client is AWS's own."""
    body = b"weights"
    digest = sha256(body).removeprefix("sha256:")
    headers = {"ETag": '"0"', "Last-Modified": "Mon, 23 Nov 2026 00:00:00 GMT"}
    with standing_in(lambda _: Reply(body=body, headers=headers)) as stand_in:
        variables = {"AWS_ENDPOINT_URL_S3": stand_in.address}
        more = f', sha256: "{digest}"'
        model = sandbox.ask("s3://models/ranker/7.pkl", more).pinned(**variables)["model"]
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "eu-central-1"}
        path = fetched(sandbox, tools, model, **variables, **keys)
        assert stand_in.asked("/models/ranker/7.pkl")
    assert path.read_bytes() == body


@contextmanager
def https(folder: Path, home: Path) -> Iterator[tuple[str, str]]:
    """Start a server with its own certificate; yield its address and the certificate."""
    certificate, key = home / "certificate.pem", home / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *arguments: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"https://localhost:{server.server_port}", str(certificate)
    finally:
        server.shutdown()
        server.server_close()


def test_an_address(sandbox: Sandbox, tools: Path, tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    (served / "ranker.onnx").write_bytes(b"weights")
    with https(served, sandbox.home) as (address, certificate):
        more = f', sha256: "{sha256(b"weights").removeprefix("sha256:")}"'
        model = sandbox.ask(f"{address}/ranker.onnx", more).pinned(SSL_CERT_FILE=certificate)["model"]
        fetched(sandbox, tools, model, CURL_CA_BUNDLE=certificate)
        gone = run(sandbox, tools, f"{address}/gone.onnx", CURL_CA_BUNDLE=certificate)
    assert (gone.returncode != 0, gone.stdout) == (True, "")


def test_every_kind_of_reference_has_a_way(sandbox: Sandbox, tools: Path) -> None:
    """The kinds that a spec may name are those of the script; another one is refused with its name."""
    from generator.cluster.pins.reference import _MODELS

    text = workflow_files("gitlab", Templates(), "main", "r.example.com/m")["ci/fetch-model.sh"]
    assert {prefix for prefix in _MODELS if f"\n  {prefix}*)" in text} == set(_MODELS)
    done = run(sandbox, tools, "ftp://models/ranker")
    assert (done.returncode, "knows no way to fetch ftp://models/ranker" in done.stderr) == (1, True)
