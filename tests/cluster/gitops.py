"""A model that Argo CD syncs from a git repository: every change is a commit of what Sluice rendered, nothing else."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.plan.values import Plan
from generator.render.argocd import render_application, render_project
from tests.cluster import repository
from tests.cluster.argocd import NAMESPACE
from tests.cluster.client import Object, documents
from tests.cluster.release import Release
from tests.cluster.waiting import until

_AUTHOR = ("-c", "user.name=bed", "-c", "user.email=bed@example.com")

Delivered = Callable[..., tuple["GitOps", Plan]]
"""Delivers the first version of a model: see `conftest.delivered`."""


@dataclass(frozen=True)
class GitOps:
    """One model that Argo CD delivers.

    Args:
        release: the model.
        work: a clone to commit in.
    """

    release: Release
    work: Path

    def prepare(self, plan: Plan) -> None:
        """The namespace, before anything is delivered into it."""
        self.release.send(repository.team(plan))

    def start(self, plan: Plan) -> str:
        """Make the repository, the namespace, the project and the Application; the first commit."""
        origin = repository.origin(plan.identity.environment)
        shutil.rmtree(origin, ignore_errors=True)
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(origin), cwd=Path("/"))
        self._git("clone", "--quiet", str(origin), str(self.work), cwd=Path("/"))
        first = self.commit(plan)
        until("the end of an earlier run of the same", lambda: not self._ending(plan), 120)
        self.release.send(repository.team(plan))
        self.release.provide_keys(plan)
        identity, templates = plan.identity, repository.templates()
        platform = repository.platform(identity.environment)
        self.release.send(render_project(platform, identity.environment, identity.team, templates))
        self.release.send(render_application(plan, templates))
        return first

    def commit(self, plan: Plan, edited: Mapping[str, str] | None = None) -> str:
        """Commit and push a rendered bundle; the commit.

        Args:
            plan: what was rendered.
            edited: files that were changed by hand afterwards, without Sluice.
        """
        folder = self.work / plan.delivery.folder / plan.identity.path
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, text in {**repository.bundle(plan), **(edited or {})}.items():
            (folder / name).write_text(text)
        self._git("add", "--all")
        self._git(*_AUTHOR, "commit", "--quiet", "--message", f"{plan.identity.path} {plan.version.label}")
        return self._push()

    def revert(self) -> str:
        """`git revert` of the last commit, pushed; the new commit."""
        self._git(*_AUTHOR, "revert", "--no-edit", "HEAD")
        return self._push()

    def refused(self, plan: Plan, commit: str, seconds: float = 120) -> str:
        """Wait until a sync of this commit has failed; what its user reads: the message, and that of each object."""

        def failed() -> str:
            state = self.application(plan).get("status", {}).get("operationState", {})
            if state.get("syncResult", {}).get("revision") != commit:
                self.refresh(plan, commit)
                return ""
            objects = [
                f"{item['kind']} {item['name']}: {item.get('message', '')}"
                for item in state.get("syncResult", {}).get("resources", [])
                if item.get("status") in {"SyncFailed", "PruneSkipped"} or item.get("hookPhase") == "Failed"
            ]
            over = state["phase"] in {"Failed", "Error"} or "Retrying attempt" in state.get("message", "")
            return "\n".join([state.get("message", ""), *objects]) if over else ""

        return until(f"the refusal of {commit[:8]}", failed, seconds, 1.0)

    def synced(self, plan: Plan, commit: str, seconds: float = 240) -> None:
        """Wait until Argo CD has applied a commit; a refresh that comes too soon after another is lost, so ask again."""
        until(f"the sync of {commit[:8]}", lambda: self._is_synced(plan, commit), seconds, 1.0)

    def sync(self, plan: Plan) -> None:
        """A person asks for a sync of everything, and waits for it."""
        before = self.application(plan)["status"]["operationState"].get("finishedAt")
        asked = {
            "initiatedBy": {"username": "bed"},
            "sync": {"revision": self._git("rev-parse", "HEAD").strip()},
        }
        self.release.api.merge(self._address(plan), {"operation": asked})

        def done() -> bool:
            state = self.application(plan)["status"]["operationState"]
            return state["phase"] == "Succeeded" and state.get("finishedAt") != before

        until("the end of a manual sync", done, 60)

    def tries(self, plan: Plan, commit: str) -> int:
        """How often the sync of a commit was tried again after it failed."""
        state = self.application(plan)["status"]["operationState"]
        return int(state.get("retryCount", 0)) if state.get("syncResult", {}).get("revision") == commit else 0

    def application(self, plan: Plan) -> Object:
        """The Application as it is."""
        found = self.release.api.find(self._address(plan))
        assert found is not None
        return found

    def status(self, plan: Plan) -> tuple[str, str]:
        """Sync and health status."""
        status = self.application(plan).get("status", {})
        return status.get("sync", {}).get("status", ""), status.get("health", {}).get("status", "")

    def remove(self, plan: Plan) -> None:
        """Delete the Application and everything that it created; do not wait for the end."""
        self.release.api.request("DELETE", self._address(plan))

    def _ending(self, plan: Plan) -> bool:
        """Whether the Application or the namespace is still being taken away."""
        of = (self._address(plan), f"/api/v1/namespaces/{plan.identity.namespace}")
        found = [self.release.api.find(path) for path in of]
        return any("deletionTimestamp" in one["metadata"] for one in found if one)

    def _is_synced(self, plan: Plan, commit: str) -> bool:
        state = self.application(plan).get("status", {}).get("operationState", {})
        if state.get("phase") == "Succeeded" and state.get("syncResult", {}).get("revision") == commit:
            return True
        self.refresh(plan, commit)
        return False

    def refresh(self, plan: Plan, commit: str) -> None:
        """Ask Argo CD to look into git, unless it has seen the commit: each look costs a whole comparison."""
        if self.application(plan).get("status", {}).get("sync", {}).get("revision") != commit:
            refresh = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
            self.release.api.merge(self._address(plan), refresh)

    def _push(self) -> str:
        self._git("push", "--quiet", "origin", "HEAD:main")
        return self._git("rev-parse", "HEAD").strip()

    def _address(self, plan: Plan) -> str:
        text = render_application(plan, repository.templates())["application.yaml"]
        name = documents(text)[0]["metadata"]["name"]
        return f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications/{name}"

    def _git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=cwd or self.work, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout
