"""A stand-in for an API server: it serves objects in the shape that the controllers leave, from a table that tests edit."""

from __future__ import annotations

import http.server
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.tools.http_server import listening

ARGO = "/apis/argoproj.io/v1alpha1"
Table = dict[str, Any]
HASH, OLD = "7c9d8f5b6", "5f6c7d8e9"


def rollout(plan: Any, **status: Any) -> dict[str, Any]:
    """A Rollout as the controller has left it in the middle of a release."""
    steps = [{"setWeight": 5}, {"pause": {"duration": "1h"}}, {"pause": {}}, {"setWeight": 50}]
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": plan.identity.model, "generation": 4, "annotations": {"rollout.argoproj.io/revision": "2"}},
        "spec": {
            "selector": {"matchLabels": {"app.kubernetes.io/name": plan.identity.model}},
            "strategy": {"canary": {"steps": steps}},
            "template": template(plan.version.label, plan.version.digest),
        },
        "status": {
            "observedGeneration": "4", "phase": "Progressing", "currentPodHash": HASH, "stableRS": OLD,
            "currentStepIndex": 1, "canary": {"weights": {"canary": {"weight": 5}, "stable": {"weight": 95}}},
        },
    }  # fmt: skip
    body["status"] |= status
    return body


def template(version: str, digest: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/version": version}
    return {"metadata": {"labels": labels, "annotations": {"sluice.dev/model-digest": digest}}}


def replica_set(pod_hash: str, version: str, digest: str, ready: int = 4) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"rollouts-pod-template-hash": pod_hash}},
        "spec": {"replicas": 4, "template": template(version, digest)},
        "status": {"readyReplicas": ready},
    }


def analysis_run(name: str, revision: str, created: str, *results: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        "name": name,
        "creationTimestamp": created,
        "annotations": {"rollout.argoproj.io/revision": revision},
    }
    return {"metadata": metadata, "status": {"phase": "Running", "metricResults": list(results)}}


def result(name: str, phase: str, value: str, message: str = "") -> dict[str, Any]:
    measured = [{"phase": phase, "value": "[0]"}, {"phase": phase, "value": value}]
    return {"name": name, "phase": phase, "measurements": measured, "message": message}


def application(sync: str = "Synced", health: str = "Progressing", **operation: str) -> dict[str, Any]:
    return {
        "status": {
            "sync": {"status": sync, "revision": "0123456789abcdef0123"},
            "health": {"status": health},
            "operationState": operation,
        }
    }


@contextmanager
def serving(table: Table, on_request: Callable[[str], None] = lambda path: None) -> Iterator[str]:
    """The server; its address. A path that is not in the table is 404; a number in it is that status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            parts = urlsplit(self.path)
            on_request(parts.path)
            found = table.get(parts.path, 404)
            if isinstance(found, list):
                wanted = parse_qs(parts.query)["labelSelector"][0]
                found = {"items": [item for item in found if _matches(item, wanted)]}
            status, body = (
                (found, {"kind": "Status", "message": "said no"}) if isinstance(found, int) else (200, found)
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    with listening(Handler) as address:
        yield address


def _matches(item: dict[str, Any], selector: str) -> bool:
    """Runs are queried by pod hash; the test adds `of` to those of other versions."""
    return item.get("of", selector) == selector


def kubeconfig(folder: Path, **addresses: str) -> Path:
    """A kubeconfig with a context an address; the first is the current one."""
    file = folder / "kubeconfig"
    named = list(addresses.items())
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": named[0][0],
        "clusters": [{"name": name, "cluster": {"server": address}} for name, address in named],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}} for name, _ in named],
    }
    file.write_text(yaml.safe_dump(document))
    return file
