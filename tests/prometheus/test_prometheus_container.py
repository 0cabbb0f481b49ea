"""A container that the team brings: a real Prometheus gives its series our names, and `sluice try` sees the same."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from tests.golden import CASES
from tests.golden import render as golden
from tests.prometheus.server import Server, until

pytestmark = pytest.mark.slow
ROOT = CASES / "container"
METRICS = """
http_requests_total{handler="/score",status="200"} 40
http_requests_total{handler="/score",status="5xx"} 2
http_requests_total{handler="/health/ready",status="200"} 900
http_request_duration_seconds_bucket{handler="/score",le="0.1"} 30
http_request_duration_seconds_bucket{handler="/score",le="0.25"} 38
http_request_duration_seconds_bucket{handler="/score",le="+Inf"} 42
http_request_duration_seconds_count{handler="/score"} 42
http_request_duration_seconds_sum{handler="/score"} 3.5
ranker_clicks_total 3
"""


class Container:
    """A server with the routes that the spec of the golden case describes."""

    def __init__(self) -> None:
        container = self
        self.metrics, self.status, self.bodies = METRICS, 200, list[object]()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                found = {"/health/ready": "", "/internal/metrics": container.metrics}.get(self.path)
                self.answer(404 if found is None else 200, found or "")

            def do_POST(self) -> None:
                container.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.answer(container.status if self.path == "/score" else 404, '{"ranking": [2, 1, 3]}')

            def answer(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def container() -> Iterator[Container]:
    found = Container()
    yield found
    found.close()


def snake(rule: dict[str, object]) -> dict[str, object]:
    """A rule of a PodMonitor as the operator writes it for Prometheus."""
    return {re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", key): value for key, value in rule.items()}


def test_prometheus_stores_the_series_under_the_names_of_every_model(
    container: Container, tmp_path: Path
) -> None:
    monitor = yaml.safe_load(golden("container")["live/shop/ranker/podmonitor-main.yaml"])
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    rules = list(map(snake, endpoint["metricRelabelings"]))
    labels = {"namespace": "shop-live", "model": "shop-ranker", "served_by": "7d9f"}
    server = Server(
        tmp_path, container.port, labels, metrics_path=endpoint["path"], metric_relabel_configs=rules
    )
    server.start()
    try:
        until(lambda: server.query('up{job="models"} == 1', time.time()), 30, "the first scrape")
        found = {
            (series.pop("__name__"), frozenset(series.items()))
            for sample in server.query('{model="shop-ranker",__name__!~"up|scrape_.*"}', time.time())
            for series in [
                {k: v for k, v in sample["metric"].items() if k not in {*labels, "job", "instance"}}
            ]
        }
    finally:
        server.stop()
    score = {"endpoint": "/predict", "handler": "/score"}
    latency = "bentoml_service_request_duration_seconds"
    wanted = [
        ("bentoml_service_request_total", {**score, "http_response_code": "200", "status": "200"}),
        ("bentoml_service_request_total", {**score, "http_response_code": "5xx", "status": "5xx"}),
        ("http_requests_total", {"handler": "/health/ready", "status": "200"}),
        *((f"{latency}_bucket", {**score, "le": bound}) for bound in ("0.1", "0.25", "+Inf")),
        (f"{latency}_count", score),
        (f"{latency}_sum", score),
        ("sluice_outcomes_total", {"outcome": "ctr"}),
    ]
    assert found == {(name, frozenset(labels.items())) for name, labels in wanted}


def tried(container: Container, root: Path = ROOT) -> tuple[int, dict]:
    arguments = ["try", "shop/ranker", "--root", str(root), "--url", f"http://127.0.0.1:{container.port}"]
    done = CliRunner().invoke(cli, [*arguments, "--seconds", "0.3", "--format", "json"])
    assert done.exit_code in {0, 1}, done.output
    return done.exit_code, json.loads(done.stdout)


def test_a_container_that_runs_is_tried(container: Container) -> None:
    code, report = tried(container)
    assert (code, report["problems"]) == (0, [])
    assert report["series"] == {"queried": 5, "there": 5}
    assert container.bodies[0] == {"user": 7, "items": [1, 2, 3]}
    assert [load["failed"] for load in report["load"]] == [0, 0, 0]


@pytest.mark.parametrize(
    ("change", "status", "stage", "message", "hint"),
    [
        (('le="0.25"', 'le="0.3"'), 200, "metrics", 'le="0.25"', "0.1, 0.3"),
        (("ranker_clicks_total", "clicks_total"), 200, "metrics", "sluice_outcomes_total", "no series has this name"),
        (("", ""), 500, "requests", "500", ""),
    ],
    ids=["a bucket that is missing", "another name of a counter", "an example that fails"],
)  # fmt: skip
def test_a_container_that_a_guard_cannot_watch_is_refused(
    container: Container, change: tuple[str, str], status: int, stage: str, message: str, hint: str
) -> None:
    container.metrics, container.status = METRICS.replace(*change) if change[0] else METRICS, status
    code, report = tried(container)
    problem = next(problem for problem in report["problems"] if problem["stage"] == stage)
    assert code == 1
    assert message in problem["message"]
    assert hint in problem["hint"]


def test_without_an_address_a_container_is_not_started(tmp_path: Path) -> None:
    root = shutil.copytree(ROOT, tmp_path / "root")
    done = CliRunner().invoke(cli, ["try", "shop/ranker", "--root", str(root)])
    assert done.exit_code == 2
    assert "--url" in done.stderr
