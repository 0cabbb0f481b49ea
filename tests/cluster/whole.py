"""A whole repository that Argo CD finds at once: specs, and what the command line rendered from them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.plan.values import Plan
from tests.cluster import bentos, repository
from tests.cluster.argocd import NAMESPACE
from tests.cluster.client import Api, Object, documents

_AUTHOR = ("-c", "user.name=bed", "-c", "user.email=bed@example.com")
_APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"


@dataclass(frozen=True)
class Whole:
    """The repository of an environment.

    Args:
        api: the API server.
        root: a clone to work in.
        environment: of the scenario.
    """

    api: Api
    root: Path
    environment: str

    def write(self, changes: Mapping[str, Mapping[str, Any]]) -> list[Plan]:
        """Specs and locks of these models at their first version, with what their specs say instead; their plans."""
        for name, change in changes.items():
            version = bentos.versions(name)[0]
            repository.write(self.root, {name: version}, change, self.environment)
        return repository.plans(self.root)

    def sluice(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line, as people call it."""
        program = [sys.executable, "-c", "from generator.cli.main import run; run()"]
        surroundings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.run(
            [*program, *arguments], cwd=self.root, env=surroundings, capture_output=True, text=True
        )

    def publish(self) -> str:
        """Render, commit and push everything; what `sluice render` said."""
        done = self.sluice("render")
        assert done.returncode == 0, done.stdout + done.stderr
        origin = repository.origin(self.environment)
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("add", "--all")
        self._git(*_AUTHOR, "commit", "--quiet", "--message", "Everything")
        self._git("push", "--quiet", str(origin), "HEAD:main")
        return done.stdout + done.stderr

    def bootstrap(self) -> None:
        """What `sluice init` says is applied once by hand: a project and an Application of all others."""
        context = {"environment": self.environment, "repo": f"file://{repository.origin(self.environment)}"}
        for template in ("project", "application"):
            text = repository.templates().render(f"init/{template}.yaml.j2", context)
            for item in documents(text):
                self.api.apply(item)

    def applications(self) -> dict[str, tuple[str, str]]:
        """Sync and health status of every Application of this environment."""
        found = {}
        for item in self.api.items(_APPLICATIONS):
            name, status = item["metadata"]["name"], item.get("status", {})
            if self.environment in name.split("-"):
                sync, health = status.get("sync", {}), status.get("health", {})
                found[name] = (sync.get("status", ""), health.get("status", ""))
        return found

    def told(self) -> str:
        """Where each Application stands, for people."""
        lines = []
        for item in self.api.items(_APPLICATIONS):
            state = item.get("status", {}).get("operationState", {})
            lines.append(f"{item['metadata']['name']}: {state.get('phase')} {state.get('message', '')}")
        return "\n".join(lines)

    def remove(self) -> None:
        """Take every Application away, the root first, and the namespaces."""
        root = f"sluice-{self.environment}"
        for name in sorted(self.applications(), key=lambda name: name != root):
            patch: Object = {"metadata": {"finalizers": None}}
            self.api.merge(f"{_APPLICATIONS}/{name}", patch)
            self.api.request("DELETE", f"{_APPLICATIONS}/{name}")
        for item in self.api.items("/api/v1/namespaces"):
            if item["metadata"].get("labels", {}).get("sluice.dev/environment") == self.environment:
                self.api.request("DELETE", f"/api/v1/namespaces/{item['metadata']['name']}")

    def _git(self, *arguments: str) -> None:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
