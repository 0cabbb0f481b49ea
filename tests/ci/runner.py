"""A stand-in for the runners of GitHub Actions and GitLab CI: it runs the scripts of a real workflow file, step by step.

What is real: the workflow, bash, git, sluice, and every script below `ci/`. The stand-ins: the expressions, whose values
a test gives; the conditions, which a test decides by choosing jobs; and the programs in `standins/`, which talk to
services that do not exist here (docker, gh, aws).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

STANDINS = Path(__file__).with_name("standins")
_OTHERS = ("GIT", "CI", "GH_", "RUNNER_", "REGISTRY", "SLUICE", "BENTOML", "MLFLOW", "AWS_")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass
class Ran:
    """One script that ran."""

    name: str
    code: int
    output: str


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

    def job(self, workflow: str, name: str) -> list[Ran]:
        """Run all steps of one job of a GitHub workflow; the first failure ends it unless a later step asks to run."""
        document = yaml.safe_load((self.checkout / workflow).read_text())
        job = document["jobs"][name]
        return self.steps(job["steps"], {**document.get("env", {}), **job.get("env", {})})

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
        return _EXPRESSION.sub(lambda found: self.given[found[1]], text)

    def _run(self, name: str, options: list[str], script: str, own: Mapping[str, Any]) -> Ran:
        file = self.scratch / "script.sh"
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
            **{key: str(value) for key, value in own.items()},
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", *options, str(file)],
            cwd=self.checkout,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Ran(name, done.returncode, done.stdout + done.stderr)
