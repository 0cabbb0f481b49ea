"""What the history of a Prometheus adds to the odds of a tree, over HTTP."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from generator.cluster.prometheus import Prometheus
from generator.cluster.tree_history import known_from
from generator.lint import read_releases
from generator.odds.trees.odds import tree_odds
from generator.odds.trees.values import Known
from generator.promql.events import requests_of
from generator.promql.versions import Versions, without_versions
from tests.unit.odds.trees.trees import ERRORS, canary

NOW = 1_800_000_000.0
_BAD = 600  # the share is above the limit for ten minutes of every two hundred


class _Past(BaseHTTPRequestHandler):
    """Answers range queries: 40 requests per second, and errors as a share that is high from time to time."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {key: value[0] for key, value in parse_qs(body).items()}
        self.server.queries.append(asked["query"])
        start, end, step = (float(asked[key]) for key in ("start", "end", "step"))
        times = [start + number * step for number in range(int((end - start) // step) + 1)]
        share = " / " in asked["query"]
        values = [[time, str((0.05 if time % 12_000 < _BAD else 0.01) if share else 40)] for time in times]
        answer = {
            "status": "success",
            "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]},
        }
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Past) as past:
        past.queries = []
        thread = threading.Thread(target=past.serve_forever, daemon=True)
        thread.start()
        yield past
        past.shutdown()


def test_traffic_baseline_and_false_stops_come_from_the_history(tmp_path, server):
    text = canary(
        ERRORS, 'successCondition: "result[0] < 0.02"', "{interval: 1m, initialDelay: 3m, failureLimit: 3}"
    )
    (tmp_path / "tree.yaml").write_text(text)
    address = Prometheus.at(f"http://127.0.0.1:{server.server_port}")
    known = known_from(read_releases(tmp_path), address, NOW, Known())
    assert known.rps == pytest.approx(40)
    assert known.baselines["quality"] == pytest.approx(0.012, abs=0.001)
    # A window has 17 minutes; in 200 minutes at most two of 11 or 12 windows see more than three bad ones.
    assert 1 / 13 < known.fired["quality"] < 2 / 10
    assert not any("cart-canary" in query for query in server.queries)


def test_a_gauge_is_replayed_as_it_was_and_with_larger_values(tmp_path, server):
    text = canary('max(queue{service="cart-canary"})', 'successCondition: "result[0] < 70"')
    (tmp_path / "tree.yaml").write_text(text)
    found = read_releases(tmp_path)
    known = known_from(found, Prometheus.at(f"http://127.0.0.1:{server.server_port}"), NOW, Known())
    replay = known.replays["quality"]
    assert {times: len(stops) for times, stops in replay.stops.items()} == {
        1.0: 0,
        1.5: 0,
        2.0: replay.windows,
        5.0: replay.windows,
    }
    # The second failure, a minute after the first measurement, is one too many.
    assert set(replay.stops[2.0]) == {60.0}
    (metric,) = tree_odds(found, known).releases[0].metrics
    assert (metric.ground, metric.false_stop.low) == ("replay", 0.0)
    assert metric.false_stop.high < 0.01
    assert metric.harms[1].power.low > 0.99


def test_what_the_user_says_takes_precedence(tmp_path, server):
    (tmp_path / "tree.yaml").write_text(canary(ERRORS, 'successCondition: "result[0] < 0.02"'))
    address = Prometheus.at(f"http://127.0.0.1:{server.server_port}")
    known = known_from(read_releases(tmp_path), address, NOW, Known(7.0, {"error": 0.003}))
    assert (known.rps, known.baselines) == (7.0, {"error": 0.003})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('sum(rate(a_total{service="cart-canary",code="500"}[1m]))', 'sum(rate(a_total{code="500"}[1m]))'),
        ('a{h="{{args.hash}}"} / b{h="{{args.hash}}",x!="cart-canary"}', 'a{} / b{x!="cart-canary"}'),
        ('sum(a{job="web"})', 'sum(a{job="web"})'),
        ("a / b", "a / b"),
    ],
)
def test_matchers_on_a_version_are_left_out(query, expected):
    assert without_versions(query, Versions(frozenset({"cart-canary"}), frozenset({"cart"}))) == expected


def test_the_requests_of_a_query_are_its_whole():
    assert requests_of(ERRORS) == 'http_requests_total{service="cart-canary"}'
    assert requests_of("sum(up)") == ""
