"""One model in the cluster: the plans of its versions, and what the controllers say of it."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from generator.plan.names import HASH_LABEL
from generator.plan.values import Plan
from tests.cluster import bentos, programs, repository
from tests.cluster.client import Api, Object
from tests.cluster.layout import Layout
from tests.cluster.processes import Command
from tests.cluster.waiting import until

_PORT = 3000  # of BentoML
_SILENT_S = 3.0  # a server that is silent for so long has ended


@dataclass(frozen=True)
class Release:
    """One model in the cluster.

    Args:
        layout: of the run.
        api: the API server.
        name: `team/model`.
        environment: of the scenario.
    """

    layout: Layout
    api: Api
    name: str
    environment: str = repository.LIVE

    def plan(self, label: str, mark: str = "", behaviour: str = "", **changes: object) -> Plan:
        """The plan of a version.

        Args:
            label: the version.
            mark: goes into the pod template. Guards look back for hours and tell versions apart by the hash of that
                template, so no two tests on one cluster may use the same.
            behaviour: how bad the model is (`models/shelf.py`).
            changes: what the spec says instead at some keys.
        """
        version = next(version for version in bentos.versions(self.name) if version.label == label)
        variables = [
            {"name": "BED_MARK", "value": f"mark-{mark}"}
        ]  # 20993e16 alone would be a number to some
        if behaviour:
            variables.append({"name": "BED_BEHAVIOUR", "value": behaviour})
        service = changes.pop("service", {})
        assert isinstance(service, dict)
        given = {**changes, "service": {**service, "env": variables}}
        return repository.plan(self.name, version, given, self.environment)

    def fresh(self, label: str, behaviour: str = "", **changes: object) -> Plan:
        """The plan of a version with its own mark."""
        return self.plan(label, secrets.token_hex(4), behaviour, **changes)

    def rollout(self, plan: Plan) -> Object:
        """The Rollout as it is."""
        found = self.api.find(_address(plan))
        assert found is not None
        return found

    def until_phase(self, plan: Plan, phase: str, seconds: float) -> None:
        """Wait until the controller has seen the newest spec and says this phase."""
        until(f"{phase} of {self.name}", lambda: self._is(plan, phase), seconds, 0.2)

    def stable(self, plan: Plan) -> str:
        """Pod-template hash of the stable version."""
        stable: str = self.rollout(plan)["status"]["stableRS"]
        return stable

    def pods(self, plan: Plan, version: str) -> list[Object]:
        """Pods of a version, by its pod-template hash."""
        space = plan.identity.namespace
        return self.api.items(f"/api/v1/namespaces/{space}/pods?labelSelector={HASH_LABEL}%3D{version}")

    def end_pod(self, plan: Plan, name: str) -> float:
        """Delete a pod; seconds for which its server goes on answering, asked at the pod's own address."""
        path = f"/api/v1/namespaces/{plan.identity.namespace}/pods/{name}"
        pod = self.api.request("GET", path)
        url = f"http://{pod['status']['podIP']}:{_PORT}/livez"
        self.api.request("DELETE", path)
        began = answered = time.monotonic()
        while time.monotonic() < answered + _SILENT_S:
            with suppress(OSError, HTTPException), urlopen(url, timeout=1):
                answered = time.monotonic()
            time.sleep(0.1)
        return answered - began

    def promote(self, plan: Plan) -> None:
        """Say yes: what `kubectl argo rollouts promote` does to a paused Rollout."""
        self.api.merge(f"{_address(plan)}/status", {"status": {"pauseConditions": None}})

    def remove(self) -> None:
        """Delete the team's namespace and everything in it; do not wait for the end."""
        self.api.request("DELETE", f"/api/v1/namespaces/{self.plan('1').identity.namespace}")

    def _is(self, plan: Plan, phase: str) -> bool:
        rollout = self.rollout(plan)
        status = rollout.get("status", {})
        seen = str(status.get("observedGeneration")) == str(rollout["metadata"]["generation"])
        return seen and status.get("phase") == phase

    def provide_keys(self, plan: Plan) -> None:
        """Write the Secret whose keys sign `served_by`, as who runs a cluster does; the namespace exists."""
        if plan.feedback:
            metadata = {"name": plan.feedback.secret, "namespace": plan.identity.namespace}
            data = {"current": secrets.token_hex(32)}
            self.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})

    def send(self, files: dict[str, str]) -> None:
        """Client-side apply of rendered files, in their order."""
        with tempfile.TemporaryDirectory() as folder:
            for number, (name, text) in enumerate(files.items()):
                Path(folder, f"{number:02}-{name}").write_text(text)
            command: Command = [
                programs.folder("kubernetes") / "kubectl",
                f"--kubeconfig={self.layout.kubeconfig}",
                "apply",
            ]
            done = subprocess.run([*command, "-f", folder], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def _address(plan: Plan) -> str:
    return f"/apis/argoproj.io/v1alpha1/namespaces/{plan.identity.namespace}/rollouts/{plan.identity.model}"
