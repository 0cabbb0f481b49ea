"""Two arms of several releases as Prometheus metrics: a deterministic function of the time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

CLICKS, ERRORS, SLOW = 0.04, 0.005, 0.02
STABLE_PODS = 19


@dataclass(frozen=True)
class Release:
    """One release in its own namespace.

    Args:
        namespace: tells releases apart.
        click_ratio: clicks of the canary over those of stable.
        silent: the canary has no pod, so no series.
        gets: share of the requests that the canary gets, whatever the weight; None for what it should.
    """

    namespace: str
    click_ratio: float = 1.0
    silent: bool = False
    gets: float | None = None


@dataclass(frozen=True)
class Script:
    """What happens when, seconds since 1970 for `start_s`, seconds since then for the rest.

    Args:
        model: value of the label `model`.
        rps: requests per second of both arms.
        start_s: the first weight.
        born_s: when stable began, before it.
        weights: share of the canary, the time from which it holds, and the number of the canary's pods.
        releases: all of them at once.
    """

    model: str
    rps: float
    start_s: float
    born_s: float
    weights: tuple[tuple[float, float, int], ...]
    releases: tuple[Release, ...]

    def canary(self, at_s: float) -> float:
        """Requests of the canary by a time."""
        ends = [since for _, since, _ in self.weights[1:]] + [float("inf")]
        held = (
            share * max(0.0, min(at_s, end) - since)
            for (share, since, _), end in zip(self.weights, ends, strict=True)
        )
        return self.rps * sum(held)

    def exposition(self, now_s: float) -> str:
        """The metrics at a time, in Prometheus' text format."""
        at = now_s - self.start_s
        canary = self.canary(at)
        stable = self.rps * (at + self.born_s) - canary
        pods = max((since, pods) for _, since, pods in self.weights if since <= max(0.0, at))[1]
        lines = []
        for release in self.releases:
            own, others = canary, stable
            if release.gets is not None:
                own = self.rps * max(0.0, at) * release.gets
                others = stable + canary - own
            lines += self._arm(release.namespace, "s", others, 1.0, STABLE_PODS)
            if at >= 0 and not release.silent:
                lines += self._arm(release.namespace, "c", own, release.click_ratio, pods)
        return "\n".join(lines) + "\n"

    def _arm(self, namespace: str, arm: str, requests: float, click_ratio: float, pods: int) -> list[str]:
        own = f'namespace="{namespace}",model="{self.model}",served_by="{arm}"'
        pod = f'namespace="{namespace}",endpoint="/predict",rollouts_pod_template_hash="{arm}"'
        seconds = "bentoml_service_request_duration_seconds"
        return [
            # One target stands for all pods; Prometheus' own `up` has no such labels.
            *(
                f'up{{namespace="{namespace}",rollouts_pod_template_hash="{arm}",pod="{i}"}} 1'
                for i in range(pods)
            ),
            f"sluice_predictions_total{{{own}}} {requests!r}",
            f'sluice_outcomes_total{{{own},outcome="ctr"}} {requests * CLICKS * click_ratio!r}',
            f'bentoml_service_request_total{{{pod},http_response_code="200"}} {requests * (1 - ERRORS)!r}',
            f'bentoml_service_request_total{{{pod},http_response_code="500"}} {requests * ERRORS!r}',
            f"{seconds}_count{{{pod}}} {requests!r}",
            f'{seconds}_bucket{{{pod},le="0.25"}} {requests * (1 - SLOW)!r}',
        ]


class Exporter:
    """Serves a script on a free port of this machine until it is closed."""

    def __init__(self, script: Script) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = script.exposition(time.time()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
