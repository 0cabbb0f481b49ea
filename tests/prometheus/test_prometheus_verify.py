"""`sluice verify --prometheus` compared with a real Prometheus: labels as rendered, renamed, rewritten and missing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.lint import CODES
from tests.prometheus.exporter import Exporter, Release, Script
from tests.prometheus.server import Server, until

CHECKOUT = Path(__file__).resolve().parents[2]
BUNDLE = CHECKOUT / "rendered/production/shop/recommender"
NAMESPACE = "shop-production"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    """Pods of the stable version that have served for hours; no release runs."""
    now = time.time()
    script = Script(
        "shop-recommender", 100.0, now + 10_000, 20_000.0, ((0.05, 0.0, 1),), (Release(NAMESPACE),)
    )
    exporter = Exporter(script)
    yield exporter
    exporter.close()


@pytest.fixture
def scraping(tmp_path, exporter):
    """Start a Prometheus that adds labels to its target."""
    servers = []

    def start(**labels: str) -> Server:
        server = Server(tmp_path, exporter.port, labels)
        servers.append(server)
        server.start()
        until(lambda: server.query("sluice_predictions_total", time.time()), 30, "the first scrape")
        return server

    yield start
    for server in servers:
        server.stop()


def verify(where: Path, url: str) -> tuple[int, list[dict], str]:
    done = CliRunner().invoke(cli, ["verify", str(where), "--prometheus", url, "--format", "json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    found = json.loads(done.stdout)["findings"] if done.stdout else []
    return (
        done.exit_code,
        [one for one in found if one["code"] in {"VER174", "VER175", "VER178"}],
        done.stderr,
    )


def of_guards(found: list[dict]) -> list[dict]:
    return [one for one in found if one["place"]["file"].startswith("analysistemplate")]


def test_labels_as_rendered_have_data(scraping):
    """No request has failed yet, so there is no series of errors: that is not a finding."""
    _, found, _ = verify(BUNDLE, scraping().url)
    assert of_guards(found) == []
    assert {one["severity"] for one in found} == {"warning"}
    missing = {one["message"].removeprefix("Prometheus has no data for ").partition("{")[0] for one in found}
    assert missing == {
        "model:guard_events:increase5m",
        "model:guard_ratio:increase720h",
        "rollout_info",
        "up",
    }


def test_a_namespace_that_the_target_claims_is_found_under_its_new_name(scraping):
    code, found, _ = verify(BUNDLE, scraping(namespace="monitoring").url)
    guards = of_guards(found)
    assert (code, {one["severity"] for one in guards}) == (1, {"error"})
    assert {one["place"]["file"] for one in guards} == {
        file.name for file in BUNDLE.glob("analysistemplate-*")
    }
    for one in guards:
        assert one["hint"].endswith(f"`namespace` is `monitoring`, but `exported_namespace` is `{NAMESPACE}`")
        line = (BUNDLE / one["place"]["file"]).read_text().splitlines()[one["place"]["line"] - 1]
        assert "query:" in line


def test_a_target_label_model_renames_the_label_of_the_service(scraping):
    _, found, _ = verify(BUNDLE, scraping(model="recommender").url)
    hints = {one["hint"].partition(": ")[2] for one in of_guards(found)}
    assert hints == {"`model` is `recommender`, but `exported_model` is `shop-recommender`"}


@pytest.fixture
def federated(tmp_path, scraping):
    """Start a second Prometheus that federates the first one, or several copies of it."""
    servers = []

    def start(
        copies: tuple[dict[str, str], ...] = ({},), match: str = '{__name__=~".+"}', **keys: object
    ) -> Server:
        first = scraping()
        folder = tmp_path / "global"
        folder.mkdir()
        targets = [{"targets": [first.url.removeprefix("http://")], "labels": labels} for labels in copies]
        paths = {"metrics_path": "/federate", "params": {"match[]": [match]}, "static_configs": targets}
        server = Server(folder, 1, **{"honor_labels": True, **paths, **keys})
        servers.append(server)
        server.start()
        until(
            lambda: server.query("sluice_predictions_total or total", time.time()), 30, "the first federation"
        )
        return server

    yield start
    for server in servers:
        server.stop()


def test_federation_with_honoured_labels_has_data(federated):
    _, found, _ = verify(BUNDLE, federated().url)
    assert of_guards(found) == []


def test_federation_renames_what_its_own_target_claims(federated):
    url = federated(({"namespace": "monitoring"},), honor_labels=False).url
    hints = {one["hint"].partition(": ")[2] for one in of_guards(verify(BUNDLE, url)[1])}
    assert hints == {f"`namespace` is `monitoring`, but `exported_namespace` is `{NAMESPACE}`"}


def test_federation_of_some_series_only_names_those(federated):
    """A global server often takes recorded series only."""
    url = federated(match='{__name__="sluice_predictions_total"}').url
    missing = [one for one in of_guards(verify(BUNDLE, url)[1]) if "no data" in one["message"]]
    assert any("bentoml_service_request_total" in one["message"] for one in missing)
    assert not any(
        one["message"].startswith("Prometheus has no data for sluice_predictions") for one in missing
    )


def test_two_replicas_in_one_server_count_everything_twice(federated):
    code, found, _ = verify(BUNDLE, federated(({"replica": "a"}, {"replica": "b"})).url)
    (one,) = [one for one in found if one["code"] == "VER178"]
    assert (code, one["severity"]) == (1, "error")
    assert one["message"].startswith("several series differ only in `replica`: ")


def test_a_tenant_that_renames_labels_shows_where_they_went(tmp_path, exporter):
    """What a platform does to keep tenants apart: it moves `namespace`, and prefixes the model."""
    rules = [
        {"source_labels": ["namespace"], "target_label": "kubernetes_namespace"},
        {"source_labels": ["model"], "regex": "(.+)", "replacement": "acme-$1", "target_label": "model"},
        {"regex": "namespace", "action": "labeldrop"},
    ]
    server = Server(tmp_path, exporter.port, metric_relabel_configs=rules)
    server.start()
    try:
        until(lambda: server.query("sluice_predictions_total", time.time()), 30, "the first scrape")
        hints = [one["hint"] for one in of_guards(verify(BUNDLE, server.url)[1])]
    finally:
        server.stop()
    moved = f"it has no label `namespace`, but `kubernetes_namespace` is `{NAMESPACE}`"
    assert hints
    assert all(moved in hint for hint in hints)
    assert any("`model` is `acme-shop-recommender`" in hint for hint in hints)


TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{name: guards, namespace: shop}}
spec:
  args: [{{name: hash}}]
  metrics:
    - name: m
      successCondition: "true"
      provider: {{prometheus: {{address: "http://prometheus:9090", query: '{query}'}}}}
"""


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        (
            f'sum(increase(sluice_prediction_total{{namespace="{NAMESPACE}"}}[5m]))',
            "`sluice_prediction_total`; metrics with these",
        ),
        ('sum(up{served_by="{{args.hash}}"})', "it has no label `served_by`"),
        (f'sum(sluice_outcomes_total{{outcome="cvr",namespace="{NAMESPACE}"}})', "`outcome` is `ctr`"),
        (
            f'sum(sluice_outcomes_total{{outcome="ctr",served_by="{{{{args.hash}}}}",namespace="{NAMESPACE}"}})',
            None,
        ),
        ('sum(rate(bentoml_service_request_total{http_response_code=~"5.."}[$__rate_interval]))', None),
        ("sum(elsewhere_total)", "Deploy the model first"),
    ],
)
def test_each_difference_names_what_is_there_instead(scraping, tmp_path, query, hint):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "guards.yaml").write_text(TEMPLATE.format(query=query))
    _, found, _ = verify(tree, scraping().url)
    assert len(found) == (hint is not None)
    assert all(hint in one["hint"] for one in found)


def test_the_example_of_the_code_trips_it(scraping, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "one.yaml").write_text(CODES["VER174"].example.partition("$ ")[0])
    assert len(verify(tree, scraping().url)[1]) == 1


@contextmanager
def standin(seen: list, *, metricsql: bool = False, partial: bool = False) -> Iterator[str]:
    """Answer every query with one series, and that for copies with none, as VictoriaMetrics or Thanos would."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"data": {"query.partial-response": str(partial).lower()}}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.append(
                (
                    self.headers["Authorization"],
                    self.headers["X-Scope-OrgID"],
                    "partial_response=false" in body,
                )
            )
            self.send_response(400 if "increase_prometheus" in body and not metricsql else 200)
            self.end_headers()
            one = [] if "count+without" in body else [{"metric": {}, "value": [0, "1"]}]
            self.wfile.write(json.dumps({"data": {"result": one}}).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("metricsql", "partial", "hint"), [(True, False, "a Prometheus"), (False, True, "--no-query")]
)
def test_a_server_that_counts_differently_is_a_finding(tmp_path, metricsql, partial, hint):
    (tmp_path / "one.yaml").write_text(CODES["VER175"].example.partition("$ ")[0])
    with standin([], metricsql=metricsql, partial=partial) as url:
        code, found, _ = verify(tmp_path, url)
    assert (code, [one["code"] for one in found]) == (1, ["VER175"])
    assert hint in found[0]["hint"]


def test_credentials_come_from_the_environment_only(monkeypatch):
    seen: list = []
    monkeypatch.setenv("PROMETHEUS_TOKEN", "secret")
    monkeypatch.setenv("PROMETHEUS_ORG_ID", "shop")
    with standin(seen) as url:
        _, found, said = verify(BUNDLE, url)
    assert found == []
    assert set(seen) == {("Bearer secret", "shop", True)}
    assert "secret" not in said
    code, _, said = verify(BUNDLE, "http://someone:password@prometheus.example.com")
    assert (code, "password@" in said) == (2, False)
