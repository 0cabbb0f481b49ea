"""Shares of requests behind a real Envoy while clients keep their connections, and what the split check makes of them."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

from generator.stats.split import FALSE_PAUSE, SplitTest, split_llr
from tests.cluster import programs
from tests.world.processes import free_address, started
from tests.world.scenario import Result, Scenario

_REQUESTS: Final = 6000
_WEIGHTS: Final = (5, 50)
_CONNECTIONS: Final = (1, 8, 64)
_Envoy = dict[str, Any]


def run(folder: Path) -> Result:
    """Send requests over a few connections that are kept, split by request and by connection."""
    figures: dict[str, str | float] = {}
    with ExitStack() as running:
        canary, stable = running.enter_context(_version("canary")), running.enter_context(_version("stable"))
        doors = {
            (split, weight): free_address() for split in ("request", "connection") for weight in _WEIGHTS
        }
        admin = free_address()
        (folder / "envoy.json").write_text(json.dumps(_configuration(admin, doors, canary, stable)))
        command = [
            str(programs.folder("envoy") / "envoy"),
            "-c",
            str(folder / "envoy.json"),
            "--base-id",
            "77",
        ]
        running.enter_context(started(folder, "envoy", f"http://{admin}/ready", *command))
        for (split, weight), door in doors.items():
            for connections in _CONNECTIONS:
                verdict = _judged(weight / 100, _sent(door, connections))
                figures[f"{weight}% by {split}, {connections} kept connections"] = verdict
    wrong = [
        name for name, text in figures.items() if " by request" in name and not str(text).endswith("passes")
    ]
    assert not wrong, figures
    return Result(figures)


def _judged(asked: float, seen: Counter[str]) -> str:
    canary, stable = seen["canary"], seen["stable"]
    test = SplitTest(asked, FALSE_PAUSE)
    evidence = split_llr(canary, stable, asked)
    verdict = "passes" if evidence < test.level and canary + stable >= test.floor else "pauses"
    return (
        f"{100 * canary / (canary + stable):.2f}% of {canary + stable:,}, evidence {evidence:.1f}: {verdict}"
    )


def _sent(door: str, connections: int) -> Counter[str]:
    """Send the requests over connections that stay open, and count who answered."""

    def send(_: int) -> Counter[str]:
        kept, seen = http.client.HTTPConnection(door, timeout=30), Counter[str]()
        for _ in range(_REQUESTS // connections):
            kept.request("GET", "/")
            seen[kept.getresponse().read().decode()] += 1
        kept.close()
        return seen

    with ThreadPoolExecutor(min(connections, 8)) as pool:
        return sum(pool.map(send, range(connections)), Counter())


@contextmanager
def _version(name: str) -> Iterator[str]:
    """Run a server that answers with its name and keeps connections."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # head and body in one packet

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(name)))
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()


def _configuration(admin: str, doors: dict[tuple[str, int], str], canary: str, stable: str) -> _Envoy:
    """Return a configuration of Envoy: one listener for each way to split and weight."""
    return {
        "admin": {"address": _address(admin)},
        "static_resources": {
            "clusters": [_cluster("canary", canary), _cluster("stable", stable)],
            "listeners": [
                {
                    "name": f"{split}-{weight}",
                    "address": _address(door),
                    "filter_chains": [
                        {"filters": [_by_request(weight) if split == "request" else _by_connection(weight)]}
                    ],
                }
                for (split, weight), door in doors.items()
            ],
        },
    }


def _address(text: str) -> _Envoy:
    host, port = text.split(":")
    return {"socket_address": {"address": host, "port_value": int(port)}}


def _cluster(name: str, address: str) -> _Envoy:
    endpoint = {"endpoint": {"address": _address(address)}}
    return {
        "name": name,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _weighted(weight: int) -> list[_Envoy]:
    return [{"name": "canary", "weight": weight}, {"name": "stable", "weight": 100 - weight}]


def _by_request(weight: int) -> _Envoy:
    route = {"match": {"prefix": "/"}, "route": {"weighted_clusters": {"clusters": _weighted(weight)}}}
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "split",
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
        },
    }


def _by_connection(weight: int) -> _Envoy:
    return {
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "split",
            "weighted_clusters": {"clusters": _weighted(weight)},
        },
    }


SCENARIO = Scenario(
    title="Shares of requests behind Envoy while clients keep their connections",
    covers=("generator/stats/split.py", "generator/promql/split.py"),
    run=run,
    programs=("envoy",),
)
