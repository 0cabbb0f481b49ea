"""A real Prometheus behind basic authentication and a header of a tenant: guards, `replay`, `calibrate` and `verify`."""

from __future__ import annotations

import base64
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from click.testing import CliRunner, Result

from generator.cli.main import cli
from tests.prometheus.exporter import Exporter, Release, Script
from tests.prometheus.server import Server, until

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
SECRET = {"basic": base64.b64encode(b"guards:s3cret").decode()}
OWN = {"PROMETHEUS_USER": "guards", "PROMETHEUS_PASSWORD": "s3cret"}


@dataclass
class Proxy:
    """Answers only who has the credentials and the tenant."""

    behind: Server
    answered: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                own = self.headers.get("Authorization") == f"Basic {SECRET['basic']}"
                status, content = 401, b'{"error": "no credentials"}'
                if own and self.headers.get("X-Scope-OrgID") != "models":
                    status, content = 401, b'{"error": "no org id"}'
                elif own:
                    status, content = self.forwarded()
                proxy.answered.append(status)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def forwarded(self) -> tuple[int, bytes]:
                length = self.headers["Content-Length"]
                body = self.rfile.read(int(length)) if length else None
                try:
                    with urllib.request.urlopen(f"{proxy.behind.url}{self.path}", body, timeout=20) as answer:
                        return answer.status, answer.read()
                except urllib.error.HTTPError as error:
                    return error.code, error.read()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    script = Script(
        "shop-recommender",
        100.0,
        time.time() + 10_000,
        20_000.0,
        ((0.05, 0.0, 1),),
        (Release("shop-production"),),
    )
    exporter = Exporter(script)
    server = Server(tmp_path_factory.mktemp("prometheus"), exporter.port)
    server.start()
    until(lambda: server.query("sluice_predictions_total", time.time()), 30, "the first scrape")
    proxy = Proxy(server)
    yield proxy
    proxy.close()
    server.stop()
    exporter.close()


@pytest.fixture(scope="module")
def repository(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, with this Prometheus in production only."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    shutil.copytree(CHECKOUT / "rendered", root / "rendered")
    platform = root / "specs/platform.yaml"
    domain = "      domain: models.example.com\n"
    access = f"""      prometheus:
        address: "{proxy.url}"
        headers: [{{name: X-Scope-OrgID, value: models}}]
        credentials: {{basic: {{secret: prometheus, key: basic}}}}
"""
    written = platform.read_text()
    assert domain in written
    platform.write_text(written.replace(domain, domain + access))
    done = run(root, "render", "shop/recommender")
    assert done.exit_code == 0, done.output
    return root


def run(root: Path, *arguments: str, **env: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--root", str(root)], env=env)


def guards(root: Path, environment: str) -> dict:
    file = root / f"rendered/{environment}/shop/recommender/analysistemplate-guards.yaml"
    return yaml.safe_load(file.read_text())["spec"]


def test_guards_ask_with_the_key_of_the_secret_and_the_tenant(repository, proxy):
    """The controller fills in the arguments; those from Secrets it reads for each measurement."""
    spec = guards(repository, "production")
    values = {
        argument["name"]: SECRET[argument["valueFrom"]["secretKeyRef"]["key"]]
        for argument in spec["args"]
        if "valueFrom" in argument
    }
    assert len(spec["metrics"]) > 2
    for metric in spec["metrics"]:
        asked = metric["provider"]["prometheus"]
        headers = {header["key"]: header["value"] for header in asked["headers"]}
        for name, value in values.items():
            headers = {key: text.replace(f"{{{{args.{name}}}}}", value) for key, text in headers.items()}
        request = urllib.request.Request(f"{asked['address']}/api/v1/query", b"query=up", headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 200


def test_the_other_environment_keeps_the_platforms(repository):
    asked = guards(repository, "staging")["metrics"][0]["provider"]["prometheus"]
    assert asked.keys() == {"address", "query"}
    assert asked["address"] == "http://prometheus.monitoring:9090"


def test_replay_sends_the_tenant_of_the_platform(repository, proxy):
    now = time.time()
    asked = ["replay", "shop/recommender", "--prometheus", proxy.url, "--start", f"{now - 20:.0f}"]
    asked += ["--end", f"{now:.0f}", "--canary-hash", "c", "--stable-hash", "s"]
    assert run(repository, *asked, **OWN).exit_code == 0
    refused = run(repository, *asked)
    assert refused.exit_code != 0
    assert "no credentials" in refused.output


def test_calibrate_sends_it_too(repository, proxy):
    proxy.answered.clear()
    asked = ["calibrate", "shop/recommender", "--prometheus", proxy.url, "--days", "1", "--env", "production"]
    run(repository, *asked, **OWN)
    assert proxy.answered
    assert 401 not in proxy.answered


def test_verify_sends_what_the_guards_of_the_tree_send(repository, proxy):
    proxy.answered.clear()
    bundle = str(repository / "rendered/production/shop/recommender")
    done = CliRunner().invoke(cli, ["verify", bundle, "--prometheus", proxy.url], env=OWN)
    assert isinstance(done.exception, SystemExit | None), done.exception
    assert "VER174" not in done.stdout.partition("analysistemplate")[2].partition("\n")[0]
    assert 200 in proxy.answered
    assert 401 not in proxy.answered
