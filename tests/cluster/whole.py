"""A whole repository that Argo CD finds at once: specs, and what the command line rendered from them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.pipeline.repository_files import bootstrap
from generator.plan.values import Plan
from tests.cluster import bentos, repository
from tests.cluster.argocd import NAMESPACE
from tests.cluster.client import Api, Object, documents
from tests.cluster.waiting import until

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
        """Render, commit and push everything; the commit."""
        done = self.sluice("render")
        assert done.returncode == 0, done.stdout + done.stderr
        if not (self.root / ".git").exists():
            origin = str(repository.origin(self.environment))
            shutil.rmtree(origin, ignore_errors=True)
            self._git("init", "--quiet", "--bare", "--initial-branch=main", origin)
            self._git("init", "--quiet", "--initial-branch=main")
            self._git("remote", "add", "origin", origin)
            for key, value in (("user.name", "bed"), ("user.email", "bed@example.com")):
                self._git("config", key, value)
        return self.commit("Everything as it is written")

    def commit(self, message: str) -> str:
        """Commit and push everything as it is, without Sluice; the commit."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)
        return self._push()

    def merge(self, branch: str) -> str:
        """Merge a branch and push; the commit."""
        self._git("merge", "--quiet", "--no-edit", branch)
        return self._push()

    def changed(self) -> set[str]:
        """Files that differ from the last commit."""
        return {line[3:] for line in self._git("status", "--porcelain", "--untracked-files=all").splitlines()}

    def synced(self, name: str, commit: str, seconds: float = 300) -> None:
        """Wait until Argo CD has applied a commit to one Application, through its parent."""

        def done() -> bool:
            application = self.api.find(f"{_APPLICATIONS}/{name}") or {}
            state = application.get("status", {}).get("operationState", {})
            if state.get("phase") == "Succeeded" and state.get("syncResult", {}).get("revision") == commit:
                return True
            self._sees(name, commit)  # each refresh costs a whole comparison
            return False

        until(f"the sync of {commit[:8]}", done, seconds, 1.0)

    def compared(self, name: str, commit: str, seconds: float = 240) -> None:
        """Wait until Argo CD has compared a commit with the cluster for one Application."""
        until(f"the comparison of {commit[:8]} for {name}", lambda: self._sees(name, commit), seconds, 1.0)

    def refused(self, name: str, commit: str, seconds: float = 300) -> str:
        """Wait until a sync of this commit has failed; the messages of its objects."""

        def failed() -> str:
            self._sees(name, commit)
            state = (
                (self.api.find(f"{_APPLICATIONS}/{name}") or {}).get("status", {}).get("operationState", {})
            )
            result = state.get("syncResult", {})
            messages = [item.get("message", "") for item in result.get("resources", [])]
            refusal = " ".join(
                " ".join(message.split()) for message in messages if "not permitted" in message
            )
            return refusal if result.get("revision") == commit else ""

        return until(f"the refusal of {commit[:8]}", failed, seconds, 1.0)

    def _sees(self, name: str, commit: str) -> bool:
        """Check whether an Application was compared with a commit; ask for it if not."""
        application = self.api.find(f"{_APPLICATIONS}/{name}") or {}
        if application.get("status", {}).get("sync", {}).get("revision") == commit:
            return True
        refresh = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
        self.api.merge(f"{_APPLICATIONS}/{name}", refresh)
        return False

    def bootstrap(self) -> None:
        """What `sluice init` says is applied once by hand: two projects and an Application of all others."""
        platform = repository.platform(self.environment)
        for item in documents(bootstrap(repository.templates(), self.environment, platform)):
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
        for name in sorted(self.applications(), key=lambda name: (name != root, not name.startswith(root))):
            patch: Object = {"metadata": {"finalizers": None}}
            self.api.merge(f"{_APPLICATIONS}/{name}", patch)
            self.api.request("DELETE", f"{_APPLICATIONS}/{name}")
        for item in self.api.items("/api/v1/namespaces"):
            if item["metadata"].get("labels", {}).get("sluice.dev/environment") == self.environment:
                self.api.request("DELETE", f"/api/v1/namespaces/{item['metadata']['name']}")

    def _push(self) -> str:
        self._git("push", "--quiet", "origin", "HEAD:main")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout
