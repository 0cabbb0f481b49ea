"""A stand-in for the runners of GitHub Actions and GitLab CI: it runs the scripts of a real workflow file, step by step.

What is real: the workflow, bash, git, sluice, and every script below `ci/`. The stand-ins: the expressions, whose values
a test gives; the conditions, which a test decides by choosing jobs; and the programs in `standins/`, which talk to
services that do not exist here (docker, gh, aws).
"""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.tools.http_server import listening

REPORT = "report.env"
"""The variables that code of a job uploads as a report of type dotenv: jobs that take its artifacts get them."""
STANDINS = Path(__file__).with_name("standins")
_OTHERS = ("GIT", "CI", "GH_", "RUNNER_", "REGISTRY", "SLUICE", "BENTOML", "MLFLOW", "AWS_")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def variables_of(report: Path) -> dict[str, str]:
    """The variables in a report; none without one."""
    lines = report.read_text().splitlines() if report.exists() else []
    return dict(line.split("=", 1) for line in lines)


@contextmanager
def artifacts_standin(artifacts: Mapping[str, Path]) -> Iterator[str]:
    """GitLab's API for the jobs of one pipeline and the archives that they left: its address."""
    jobs = list(artifacts)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            found = re.fullmatch(r"/projects/3/jobs/(\d+)/artifacts/image\.tar", path)
            if found:
                body = (artifacts[jobs[int(found[1])]] / "image.tar").read_bytes()
            else:
                assert path == "/projects/3/pipelines/9/jobs", path
                body = json.dumps([{"id": number, "name": name} for number, name in enumerate(jobs)]).encode()
            self.send_response(200 if self.headers["PRIVATE-TOKEN"] else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with listening(Handler) as address:
        yield address


@dataclass
class Ran:
    """One script that ran."""

    name: str
    code: int
    output: str


@dataclass
class Machine:
    """The machine of one job: nothing of it reaches another job but what the job uploads.

    Args:
        folder: everything that the job may write.
    """

    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("work", "home", "temp"):
            (self.folder / name).mkdir(parents=True)
        for name in ("env", "path", "output", "summary"):
            (self.folder / name).touch()

    @property
    def work(self) -> Path:
        """The workspace."""
        return self.folder / "work"

    def variables(self) -> dict[str, str]:
        """The variables of a step: the runner's own, and what earlier steps wrote to GITHUB_ENV."""
        files = {f"GITHUB_{name.upper()}": str(self.folder / name) for name in ("env", "path", "output")}
        own = {"HOME": str(self.folder / "home"), "RUNNER_TEMP": str(self.folder / "temp")}
        return {**own, **files, "TMPDIR": str(self.folder / "temp"), **self.more}

    def after(self) -> dict[str, str]:
        """Take over what a step wrote to GITHUB_ENV and GITHUB_PATH, as a runner does; return its outputs."""
        self.more |= dict(line.split("=", 1) for line in (self.folder / "env").read_text().splitlines())
        self.path[:0] = (self.folder / "path").read_text().splitlines()
        found = dict(line.split("=", 1) for line in (self.folder / "output").read_text().splitlines())
        for name in ("env", "path", "output"):
            (self.folder / name).write_text("")
        return found


def _placed(script: str, document: Mapping[str, Any], job: Mapping[str, Any]) -> str:
    """The script of a step in the folder that the defaults of its job, or of the workflow, name."""
    defaults = job.get("defaults") or document.get("defaults") or {}
    folder = defaults.get("run", {}).get("working-directory")
    return f"cd '{folder}'\n{script}" if folder else script


@dataclass
class Runner:
    """Runs scripts in a checkout.

    Args:
        checkout: where.
        scratch: the runner's own files.
        given: values of expressions.
        variables: more environment variables.
    """

    checkout: Path
    scratch: Path
    given: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)

    def alone(self, workflow: str, name: str) -> list[Ran]:
        """Run all steps of one job on a machine that no other job sees, actions for checkout and artifacts included.

        What the job says in `outputs` is a value of later jobs' `needs`.
        """
        document = yaml.safe_load((self.checkout / workflow).read_text())
        job = document["jobs"][name]
        machine = Machine(self._folder(name))
        kept = dict(self.given)
        self.given = kept | {"runner.temp": str(machine.folder / "temp")}
        ran: list[Ran] = []
        for step in job["steps"]:
            if "uses" in step:
                outputs = self._action(step, machine)
            else:
                said = {**document.get("env", {}), **step.get("env", {})}
                own = {key: self._value(str(value)) for key, value in said.items()}
                script = _placed(step["run"], document, job)
                ran.append(self._run(step["name"], ["-eo", "pipefail"], script, own, machine))
                outputs = machine.after()
            steps = {f"steps.{step.get('id')}.outputs.{key}": value for key, value in outputs.items()}
            self.given = {**self.given, **steps}
            if ran and ran[-1].code:
                break
        else:
            told = {key: self._value(value) for key, value in job.get("outputs", {}).items()}
            kept |= {f"needs.{name}.outputs.{key}": value for key, value in told.items()}
        self.given = kept
        return ran

    def gitlab_alone(self, document: Mapping[str, Any], name: str) -> list[Ran]:
        """Run the script of one job of a GitLab pipeline on a machine that no other job sees, artifacts included."""
        job = document[name]
        machine = Machine(self._folder(name))
        variables = {
            key: value["value"] if isinstance(value, dict) else value
            for key, value in {**document.get("variables", {}), **job.get("variables", {})}.items()
        }
        if variables.get("GIT_STRATEGY") != "none":
            self._clone(machine)
        reported: dict[str, str] = {}
        for needed in job.get("needs", []):
            if isinstance(needed, str):
                shutil.copytree(self.artifacts[needed], machine.work, symlinks=True, dirs_exist_ok=True)
                reported |= variables_of(self.artifacts[needed] / REPORT)
        head = ["git", "-C", str(self.checkout), "rev-parse", "HEAD"]
        own = {
            **variables,
            "CI_PROJECT_DIR": str(machine.work),
            "CI_REPOSITORY_URL": str(self.checkout),
            "CI_COMMIT_SHA": subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip(),
        }
        if "environment" in job:
            own |= {
                key: value for key, value in self.given.items() if key.startswith(f"{job['environment']}:")
            }
            own = {key.rpartition(":")[2]: value for key, value in own.items()}
        with artifacts_standin(self.artifacts) as address:
            own |= {"CI_API_V4_URL": address, "CI_PROJECT_ID": "3", "CI_PIPELINE_ID": "9", **reported}
            done = self._run(name, ["-eo", "pipefail"], "\n".join(job["script"]), own, machine)
        left = self._folder(f"artifact {name}")
        for path in job.get("artifacts", {}).get("paths", []):
            if done.code == 0:
                shutil.copy(machine.work / path, left / path)
        self.artifacts[name] = left
        return [done]

    def _folder(self, name: str) -> Path:
        folder = self.scratch / "machines" / f"{len(self.artifacts)} {name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def _clone(self, machine: Machine) -> None:
        command = ["git", "clone", "--quiet", str(self.checkout), str(machine.work)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def _action(self, step: Mapping[str, Any], machine: Machine) -> dict[str, str]:
        """Do what an action does, for those that move files; return its outputs."""
        action = step["uses"].partition("@")[0]
        said = {key: self._value(str(value)) for key, value in step.get("with", {}).items()}
        if action == "actions/checkout":
            self._clone(machine)
        elif action == "actions/upload-artifact":
            number = str(1000 + len(self.artifacts))
            self.artifacts[number] = self._folder(f"artifact {number}")
            shutil.copy(said["path"], self.artifacts[number])
            return {"artifact-id": number}
        elif action == "actions/download-artifact":
            shutil.copytree(
                self.artifacts[said["artifact-ids"]], said["path"], symlinks=True, dirs_exist_ok=True
            )
        else:
            assert action in {"actions/setup-python", "actions/attest-build-provenance", "actions/attest"}
            with (self.scratch / "calls").open("a") as stream:
                stream.write(f"{action} {json.dumps(said, sort_keys=True)}\n")
        return {}

    def job(self, workflow: str, name: str) -> list[Ran]:
        """Run all steps of one job of a GitHub workflow; the first failure ends it unless a later step asks to run."""
        document = yaml.safe_load((self.checkout / workflow).read_text())
        job = document["jobs"][name]
        steps = [
            {**step, "run": _placed(step["run"], document, job)} if "run" in step else step
            for step in job["steps"]
        ]
        return self.steps(steps, {**document.get("env", {}), **job.get("env", {})})

    def steps(self, steps: Sequence[Mapping[str, Any]], shared: Mapping[str, Any] | None = None) -> list[Ran]:
        """Run steps of a job or of a composite action; after a failure only those that ask to run."""
        ran: list[Ran] = []
        for step in steps:
            if "uses" in step or (ran and ran[-1].code and "!cancelled()" not in step.get("if", "")):
                continue
            said = {**(shared or {}), **step.get("env", {})}
            own = {key: self._value(str(value)) for key, value in said.items()}
            ran.append(self._run(step.get("name", step["run"]), ["-eo", "pipefail"], step["run"], own))
        return ran

    def gitlab(self, name: str) -> list[Ran]:
        """Run the script of one job of a GitLab pipeline; it is one shell, as GitLab's."""
        document = yaml.safe_load((self.checkout / ".gitlab-ci.yml").read_text())
        script = "\n".join(document[name]["script"])
        return [self._run(name, ["-eo", "pipefail"], script, dict(document["variables"]))]

    def output(self, name: str) -> str:
        """What the steps so far have left as an output."""
        text = (self.scratch / "output").read_text()
        block = re.search(rf"^{name}<<(\S+)\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE)
        return (
            block[2] if block else dict(line.split("=", 1) for line in text.splitlines() if "=" in line)[name]
        )

    @property
    def summary(self) -> str:
        """The job summary."""
        return (self.scratch / "summary").read_text()

    @property
    def calls(self) -> list[str]:
        """What the stand-ins were called with, one a line."""
        log = self.scratch / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def _value(self, text: str) -> str:
        """Evaluate the expressions in a text: values that were given, and the first of several joined by `||`.

        Raises:
            KeyError: none of them was given.
        """
        return _EXPRESSION.sub(lambda found: self._first_of(found[1]), text)

    def _first_of(self, expression: str) -> str:
        if expression in self.given:
            return self.given[expression]
        known = [self.given[one] for one in expression.split(" || ") if one in self.given]
        if not known:
            raise KeyError(expression)
        return next(filter(None, known), "")

    def _run(
        self,
        name: str,
        options: list[str],
        script: str,
        own: Mapping[str, Any],
        machine: Machine | None = None,
    ) -> Ran:
        file = (machine.folder if machine else self.scratch) / "script.sh"
        file.write_text(script)
        # The machine's own settings of package registries (proxies, certificates) stay; whatever a real CI says does not.
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_OTHERS)}
        environment = {
            **inherited,
            "PATH": f"{STANDINS}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.scratch),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv"),
            "TMPDIR": str(self.scratch),
            "SOURCE_DATE_EPOCH": "1795392000",
            "STANDIN_CALLS": str(self.scratch / "calls"),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "GITHUB_OUTPUT": str(self.scratch / "output"),
            "GITHUB_STEP_SUMMARY": str(self.scratch / "summary"),
            **self.variables,
            **(machine.variables() if machine else {}),
            **{key: str(value) for key, value in own.items()},
        }
        if machine:
            environment["PATH"] = ":".join([*machine.path, environment["PATH"]])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", *options, str(file)],
            cwd=machine.work if machine else self.checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Ran(name, done.returncode, done.stdout + done.stderr)
