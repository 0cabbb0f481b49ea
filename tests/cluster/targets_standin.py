"""A STAND-IN for the Prometheus operator: turns the PodMonitors of the cluster into targets that Prometheus asks for.

Every port of every pod that a PodMonitor selects, with the meta labels that Kubernetes discovery would give; the
relabelings of the PodMonitor run in Prometheus itself, so the bed's configuration repeats those of our template.

    python -m tests.cluster.targets_standin KEYS PORT GAP

While the file GAP is there, nothing is found.
"""

from __future__ import annotations

import http.server
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.client import Api, Object

_MONITORS = "/apis/monitoring.coreos.com/v1/podmonitors"


def targets(api: Api) -> list[Object]:
    """Targets in the format of Prometheus' HTTP discovery."""
    pods = [
        pod
        for pod in api.items("/api/v1/pods?fieldSelector=status.phase%3DRunning")
        if pod["status"].get("podIP")
    ]
    return [
        target
        for monitor in api.items(_MONITORS)
        for pod in pods
        if pod["metadata"]["namespace"] == monitor["metadata"]["namespace"] and _selects(monitor, pod)
        for target in _endpoints(monitor, pod)
    ]


def _selects(monitor: Object, pod: Object) -> bool:
    wanted: dict[str, str] = monitor["spec"]["selector"].get("matchLabels", {})
    labels: dict[str, str] = pod["metadata"].get("labels", {})
    return wanted.items() <= labels.items()


def _endpoints(monitor: Object, pod: Object) -> Iterator[Object]:
    metadata = pod["metadata"]
    for endpoint in monitor["spec"]["podMetricsEndpoints"]:
        for container in pod["spec"]["containers"]:
            for port in container.get("ports", []):
                if port.get("name") == endpoint["port"]:
                    yield {
                        "targets": [f"{pod['status']['podIP']}:{port['containerPort']}"],
                        "labels": {
                            "namespace": metadata["namespace"],
                            "pod": metadata["name"],
                            "container": container["name"],
                            "__metrics_path__": endpoint.get("path", "/metrics"),
                            **_meta_labels(metadata.get("labels", {})),
                        },
                    }


def _meta_labels(labels: dict[str, str]) -> dict[str, str]:
    return {
        f"__meta_kubernetes_pod_label_{re.sub('[^A-Za-z0-9_]', '_', key)}": value
        for key, value in labels.items()
    }


class _Handler(http.server.BaseHTTPRequestHandler):
    api: Api
    gap: Path

    def do_GET(self) -> None:
        body = json.dumps([] if self.gap.exists() else targets(self.api)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Prometheus asks every two seconds: nothing worth a line."""


if __name__ == "__main__":
    _Handler.api, _Handler.gap = Api(Path(sys.argv[1])), Path(sys.argv[3])
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), _Handler).serve_forever()
