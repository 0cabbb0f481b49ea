"""From a gauge to a branch: a failed watch, through a real Prometheus and a real Alertmanager, halts a version in git.

The rule is the rendered one, evaluated each second; the route is that of docs/watching.md. The stand-ins: the gauge of
the Workflows controller, and the CI's address, which keeps what Alertmanager sends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from generator.cli.main import cli
from tests import golden
from tests.bento.serving import until
from tests.docs.pages import ROOT, blocks
from tests.references.processes import free_port, running

MODEL, BRANCH = "shop/ranker", "sluice/quarantine-shop-ranker-a1a1a1a1"
GAUGE = 'argo_workflows_sluice_watch_passed{environment="live",model="ranker",team="shop"}'


class Around(ThreadingHTTPServer):
    """The gauge, and what was posted."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.passed, self.posted = 1, list[bytes]()


class Handler(BaseHTTPRequestHandler):
    server: Around

    def do_GET(self) -> None:
        self._answer(f"{GAUGE} {self.server.passed}\n".encode())

    def do_POST(self) -> None:
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def around() -> Iterator[Around]:
    server = Around()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing; install it with: sh tests/tools/prometheus.sh", pytrace=False)
    return found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The golden case that watches its model, rendered and committed."""
    root = tmp_path / "repository"
    shutil.copytree(golden.CASES / "observed" / "specs", root / "specs")
    assert sluice(root, "render").exit_code == 0
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "ranker 3"]):
        git(root, *command)
    return root


def git(root: Path, *arguments: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments]
    return subprocess.run(command, cwd=root, env=clean, check=True, capture_output=True, text=True).stdout


def sluice(root: Path, *arguments: str, given: bytes = b"") -> Result:
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    env = {"SOURCE_DATE_EPOCH": "1795392000", **dict.fromkeys(names, "ada@example.com")}
    return CliRunner(env=env).invoke(cli, [*arguments, "--root", str(root)], input=given)


def route(address: str) -> dict[str, Any]:
    """Alertmanager's configuration of the page, with this address and without waiting."""
    page = blocks(ROOT / "docs/watching.md")
    (text,) = [b.text for b in page if b.language == "yaml" and "route:" in b.text]
    config: dict[str, Any] = yaml.safe_load(text)
    (hook,) = config["receivers"][0]["webhook_configs"]
    assert hook.pop("url_file")  # newer than Debian's Alertmanager, as a secret should be
    hook["url"] = address
    config["route"] |= {
        "receiver": "people",
        "group_wait": "1s",
        "group_interval": "1s",
        "repeat_interval": "1h",
    }
    config["receivers"].append({"name": "people"})
    return config


def rules(repository: Path) -> dict[str, Any]:
    """The rendered group of the alert, evaluated as often as Prometheus' own interval says."""
    rendered = yaml.safe_load((repository / "rendered/live/shop/ranker/prometheusrule-main.yaml").read_text())
    groups = [
        g for g in rendered["spec"]["groups"] if any(r.get("alert") == "ModelWatchFailed" for r in g["rules"])
    ]
    return {"groups": [{key: value for key, value in group.items() if key != "interval"} for group in groups]}


def served(stack: ExitStack, folder: Path, repository: Path, around: Around) -> None:
    """Start both programs, which end with the stack."""
    address, ports = f"127.0.0.1:{around.server_port}", (free_port(), free_port())
    target = {"targets": [address], "labels": {"namespace": "argo"}}
    scrape = {"job_name": "workflow-controller-metrics", "static_configs": [target]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": [scrape],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ports[0]}"]}]}]},
    }
    for name, content in (
        ("rules.yml", rules(repository)),
        ("prometheus.yml", config),
        ("alertmanager.yml", route(f"http://{address}/trigger")),
    ):
        (folder / name).write_text(yaml.safe_dump(content))
    variables = {"PATH": os.defpath, "HOME": str(folder)}
    manager = [
        program("prometheus-alertmanager"), f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/am", f"--web.listen-address=127.0.0.1:{ports[0]}", "--cluster.listen-address=",
    ]  # fmt: skip
    prometheus = [
        program("prometheus"), f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{ports[1]}",
    ]  # fmt: skip
    for command, port in ((manager, ports[0]), (prometheus, ports[1])):
        where = folder / str(port)
        where.mkdir()
        stack.enter_context(running(command, where, variables, f"http://127.0.0.1:{port}/-/ready"))


def test_a_failed_watch_halts_its_version(repository: Path, around: Around, tmp_path: Path) -> None:
    folder = tmp_path / "servers"
    folder.mkdir()
    with ExitStack() as stack:
        served(stack, folder, repository, around)
        around.passed = 0
        until(lambda: bool(around.posted), 120)
    done = sluice(repository, "revert", "--quiet", "--from-webhook", "-", given=around.posted[0])
    assert (done.exit_code, done.stdout) == (0, f"{BRANCH}\n"), done.output
    git(repository, "merge", "--quiet", BRANCH)
    (entry,) = yaml.safe_load((repository / "specs/platform.yaml").read_text())["spec"]["quarantine"]
    assert entry["reason"] == "the daily watch in live: on fresh data it no longer passes drift and parity"
    assert (entry["model"], entry["digest"], entry["running"]) == (MODEL, f"sha256:{'a1' * 32}", ["live"])
    assert sluice(repository, "render", "--check").exit_code == 0
    promoted = sluice(repository, "pin", MODEL, "--version", "3")
    assert (promoted.exit_code, "in quarantine" in promoted.output) == (2, True)
