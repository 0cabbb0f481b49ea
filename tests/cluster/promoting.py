"""Staging and production in one cluster: a repository, what Argo CD delivers of it, and the jobs that CI runs in it.

The scripts of the jobs are those of `sluice ci github`; the record job reads the cluster with a token of the account
that Sluice renders for it, and with nothing else.
"""

from __future__ import annotations

import copy
import re
import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from generator import __version__
from generator.cli.main import cli
from generator.pipeline.repository_files import bootstrap
from generator.plan.release_key import RELEASE_KEY
from generator.plan.repository import Repository
from generator.plan.values import Plan
from tests.ci.runner import Ran, Runner
from tests.cluster import bentos, repository
from tests.cluster.client import Api, Object, documents
from tests.cluster.layout import Layout
from tests.cluster.load import Load
from tests.cluster.release import Release
from tests.cluster.visitors import ITEM
from tests.cluster.waiting import until
from tests.cluster.whole import Whole

MODEL = "shop/ranker"
RPS = 20.0
CLICKS = 0.8
DAY_H = 25.0
"""Hours after which the soak of a day is over for a job that runs then."""
_WORKFLOW = ".github/workflows/sluice-promote.yml"
_GUARDS = [{"outcome": "ctr", "detect": {"drop": "60%"}}, {"metric": "error-rate", "limit": "20%"}]
_WELL = ("Synced", "Healthy")
_DOCS = Path(__file__).parents[2] / "docs" / "records.md"


@dataclass
class Promoting:
    """One model in both environments.

    Args:
        layout: of the run.
        api: the API server.
        folder: for the clone and for the machines of the jobs.
        name: the beginning of the names of both environments.
        hold: of the only step. The limit on errors fails after 64 s: its window, and a second measurement.
    """

    layout: Layout
    api: Api
    folder: Path
    name: str
    hold: str = "35s"

    def __post_init__(self) -> None:
        self.staging, self.production = f"{self.name}stage", f"{self.name}prod"
        self.root, self.kubeconfig = self.folder / "clone", self.folder / "clusters.kubeconfig"
        self.root.mkdir()
        self._whole = Whole(self.api, self.root, self.staging)
        self._rounds = 0

    def start(self) -> None:
        """Deliver the first version to both, and make the credential of the record job as the documentation says."""
        self.write(1)
        self.platform(lambda spec: spec["environments"][self.production].pop("requires"))
        self.sluice("render")
        self.platform(self._gate)
        self.sluice("promote", "--to", self.production, "--adopt", "--reason", "from before", "--by", "bed")
        self.sluice("ci", "github")
        pinned = self.root / "ci/pins/sluicegate.txt"  # the package is here, so its hash is never compared
        pinned.write_text(f"sluicegate=={__version__} --hash=sha256:{'0' * 64}\n")
        self._whole.publish()
        platform = Repository(self.root).platform
        assert platform is not None
        for environment in (self.staging, self.production):
            for item in documents(bootstrap(repository.templates(), environment, platform)):
                self.api.apply(item)
        for environment in (self.staging, self.production):
            space = f"/api/v1/namespaces/{self.plan(environment).identity.namespace}"
            until(f"the namespace in {environment}", lambda space=space: self.api.find(space), 300)
            self._release(environment).provide_keys(self.plan(environment))
        for environment in (self.staging, self.production):
            until(f"a healthy {environment}", lambda e=environment: self.application(e) == _WELL, 300)
        self._credential()

    def remove(self) -> None:
        """Take everything away."""
        for environment in (self.staging, self.production):
            Whole(self.api, self.root, environment).remove()

    def write(self, version: int, behaviour: str = "", **changes: Any) -> None:
        """Write the spec and the lock of a version, which has its own pods."""
        variables = [{"name": "BED_MARK", "value": f"mark-{secrets.token_hex(4)}"}]
        variables += [{"name": "BED_BEHAVIOUR", "value": behaviour}] if behaviour else []
        wanted = {
            "traffic": {"minRps": RPS},
            "rollout": {"steps": [{"weight": "50%", "hold": self.hold}], "guards": _GUARDS},
            **changes,
            "service": {"env": variables},
        }
        kept = self._platform.read_text() if self._platform.exists() else ""
        found = bentos.versions(MODEL)[version - 1]
        repository.write(self.root, {MODEL: found}, wanted, self.staging)
        if kept:
            self._platform.write_text(kept)
        else:
            self.platform(self._both)

    def platform(self, change: Any) -> None:
        """Change the platform."""
        document = yaml.safe_load(self._platform.read_text())
        change(document["spec"])
        self._platform.write_text(yaml.safe_dump(document, sort_keys=False))

    def plan(self, environment: str) -> Plan:
        """The plan of the spec in an environment."""
        plans = repository.plans(self.root)
        return next(plan for plan in plans if plan.identity.environment == environment)

    def published(self, message: str) -> str:
        """Render, commit and push; the commit."""
        self.sluice("render")
        return self._whole.commit(message)

    def merged(self, branch: str) -> str:
        """Merge a branch, as a person does; the commit."""
        return self._whole.merge(branch)

    def synced(self, environment: str, commit: str) -> None:
        """Wait until Argo CD has applied a commit."""
        self._whole.synced(self._name(environment), commit)

    def projects_synced(self, environment: str, commit: str) -> None:
        """Wait until Argo CD has applied the projects of a commit."""
        self._whole.synced(f"sluice-{environment}-projects", commit)

    def compared(self, environment: str, commit: str) -> None:
        """Wait until Argo CD has compared a commit."""
        self._whole.compared(self._name(environment), commit)

    def until_phase(self, environment: str, phase: str, seconds: float = 240) -> None:
        """Wait until the controller says this phase of the newest spec."""
        self._release(environment).until_phase(self.plan(environment), phase, seconds)

    def application(self, environment: str) -> tuple[str, str]:
        """Sync and health status."""
        status = (self.api.find(self._application(environment)) or {}).get("status", {})
        return status.get("sync", {}).get("status", ""), status.get("health", {}).get("status", "")

    def operation(self, environment: str) -> Object:
        """The last operation of Argo CD."""
        found: Object = (self.api.find(self._application(environment)) or {}).get("status", {})
        return dict(found.get("operationState", {}))

    def sync_by_hand(self, environment: str) -> None:
        """A person asks Argo CD for a sync."""
        asked = {"initiatedBy": {"username": "bed"}, "sync": {"revision": self.git("rev-parse", "HEAD")}}
        self.api.merge(self._application(environment), {"operation": asked})

    def rollout(self, environment: str) -> Object:
        """The Rollout as it is."""
        return self._release(environment).rollout(self.plan(environment))

    def key(self, environment: str) -> str:
        """The release key of the pods that an environment is to have."""
        found: str = self.rollout(environment)["spec"]["template"]["metadata"]["annotations"][RELEASE_KEY]
        return found

    def visitors(self, environment: str) -> Load:
        """Users of the model."""
        return Load(self.plan(environment).routing.hosts[0], RPS, ITEM, lambda _: CLICKS)

    def sluice(self, *arguments: str, code: int = 0, hours: float = 0) -> str:
        """Run a command, some hours later than now; what it prints."""
        done = self._invoked(arguments, hours)
        assert done.exit_code == code, done.output
        return done.output

    def _invoked(self, arguments: tuple[str, ...], hours: float) -> Result:
        environment = {"SOURCE_DATE_EPOCH": str(int(time.time() + hours * 3600))}
        return CliRunner(env=environment).invoke(cli, [*arguments, "--root", str(self.root)])

    def jobs(self, hours: float = 0) -> list[Ran]:
        """Run the jobs of a schedule, some hours later than now; their last steps."""
        self._rounds += 1
        scratch = self.folder / f"jobs-{self._rounds}"
        scratch.mkdir()
        given = {
            "secrets.KUBECONFIG": self.kubeconfig.read_text(),
            "secrets.SLUICE_TOKEN || github.token": "x",
        }
        variables = {
            "GITHUB_REPOSITORY": "acme/models",
            "GITHUB_EVENT_NAME": "schedule",
            "GITHUB_EVENT_PATH": "",
            "KUBECONFIG": "",  # the administrator's is not for jobs
            "SOURCE_DATE_EPOCH": str(int(time.time() + hours * 3600)),
            "STANDIN_PULLS": "[]",
        }
        runner, found = Runner(self.root, scratch, given, variables), []
        for name in ("record", "propose"):
            ran = runner.alone(_WORKFLOW, name)
            for step in ran:
                assert step.code == 0, f"{name}, {step.name}:\n{step.output}"
            found.append(ran[-1])
        return found

    def branches(self) -> set[str]:
        """The branches of the jobs."""
        listed = self.git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/heads/sluice").splitlines()
        return {f"{name.partition('/')[0]} {name.rpartition('/')[2]}" for name in listed}

    def record(self, environment: str) -> Object:
        """The record on its branch."""
        text = self.git(
            "show", f"sluice/record/{MODEL}/{environment}:specs/{MODEL}.{environment}.record.json"
        )
        found: Object = yaml.safe_load(text)
        return found

    def git(self, *arguments: str) -> str:
        """Run git in the clone."""
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def kubectl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run kubectl with the credential of the record job."""
        command = ["kubectl", "--kubeconfig", str(self.kubeconfig), "--context", self.staging, *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    @property
    def _platform(self) -> Path:
        return self.root / "specs/platform.yaml"

    def _both(self, spec: dict[str, Any]) -> None:
        """Give a platform with staging both environments."""
        production = copy.deepcopy(spec["environments"][self.staging])
        production["domain"] = f"{self.production}.sluice.test"
        spec["environments"][self.production] = production
        spec["records"] = {"namespace": "argo-rollouts"}
        self._gate(spec)

    def _gate(self, spec: dict[str, Any]) -> None:
        spec["environments"][self.production]["requires"] = {self.staging: {"soak": "24h", "minPower": "50%"}}

    def _credential(self) -> None:
        """Run the commands of the documentation."""
        found = re.search(
            r'```console needs="a cluster"\nENVIRONMENT=staging.*\n((?:kubectl .*\n)+)', _DOCS.read_text()
        )
        assert found, f"{_DOCS} has no commands"
        variables = f"set -eu\nENVIRONMENT={self.staging} NAMESPACE=argo-rollouts FILE={self.kubeconfig}\n"
        script = variables + found[1]
        done = subprocess.run(["bash", "-c", script], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def _release(self, environment: str) -> Release:
        return Release(self.layout, self.api, MODEL, environment)

    def _name(self, environment: str) -> str:
        return f"{environment}-{MODEL.replace('/', '-')}"

    def _application(self, environment: str) -> str:
        return f"/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/{self._name(environment)}"
