"""Builds the service of a model as its image would be built, and runs the trial of CI on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from generator.dataclass import dataclass
from generator.gates.environments import Environments, uv_command
from generator.gates.errors import InstallError
from generator.pipeline.ci_files import TRIAL, pin_files
from generator.pipeline.session import Session
from generator.pipeline.terminal import note
from generator.plan.values import Plan
from generator.render.trial import TRIAL_FACTS, trial_facts
from generator.source.errors import CliError
from generator.source.shipped import builtin_folder

_FETCH: Final = "ci/fetch-model.sh"


@dataclass(frozen=True, slots=True)
class TrialResult:
    """A trial: what its program printed, its report as JSON, and whether nothing is wrong."""

    text: str
    report: str
    ok: bool


class _StepError(Exception):
    """A step before the trial failed; the arguments are its name and its log."""


@dataclass(frozen=True, slots=True)
class _Service:
    """The packages of a service, as `Environments` takes them."""

    name: str
    requirements: Path


@dataclass(frozen=True, slots=True)
class Trial:
    """The trial of one model.

    Args:
        session: the repository.
        plans: the plans of the model, in all environments.
        seconds: how long each load lasts.
    """

    session: Session
    plans: Sequence[Plan]
    seconds: float

    def run(self, artifact: Path | None) -> TrialResult:
        """Build the service, serve it, and try it.

        Args:
            artifact: the downloaded model; None to fetch it as CI does.

        Raises:
            CliError: a program is missing.
        """
        with self._scratch() as folder:
            try:
                python, bento = self._built(folder, artifact)
            except _StepError as error:
                step, log = error.args
                (folder / "step.log").write_bytes(log.encode())
                options = ["--failed", step, "--log", str(folder / "step.log")]
                return _tried(Path(sys.executable), folder, options)
            note("serving it, sending requests and measuring")
            return _tried(python, folder, [str(bento), "--seconds", f"{self.seconds:g}"])

    def run_at(self, url: str) -> TrialResult:
        """Try a server that runs already."""
        with self._scratch() as folder:
            return _tried(Path(sys.executable), folder, ["--url", url, "--seconds", f"{self.seconds:g}"])

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="sluice-try-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            (folder / TRIAL_FACTS).write_bytes(trial_facts(self.plans).encode())
            yield folder

    def _built(self, folder: Path, artifact: Path | None) -> tuple[Path, Path]:
        """Return the Python of the service and its unpacked bento, by the steps of the bento's README.

        Raises:
            _StepError: a step failed.
        """
        bento, source = self.plans[-1].bento, folder / "source"
        if bento is None:
            message = "`sluice try` starts no container that a team brings"
            raise CliError(message, "start it, and name its address: `--url http://localhost:8080`")
        source.mkdir()
        for name, text in self.session.bentos.files(bento).items():
            (source / name).write_bytes(text.encode())
        model = artifact or self._fetched(folder)
        own = f"{sys.version_info.major}.{sys.version_info.minor}"
        listed, known = bento.packages, self.session.platform.indexes
        environments = Environments(
            note,
            kind="services",
            interpreter=sys.executable if bento.python_version == own else bento.python_version,
            hashed=listed is not None,
            indexes=tuple((name, known[name].url) for name, _ in listed.indexes) if listed else (),
        )
        try:
            python = environments.python(
                _Service(f"the service of {bento.name}", source / "requirements.txt")
            )
        except InstallError as error:
            raise _StepError("install", error.log) from error
        variables = _variables(folder, python)
        _step("import", [str(python), "import_model.py", str(model.resolve())], source, variables)
        build = [str(python), "-m", "bentoml", "build", "--version", bento.build_version]
        if not bento.endpoints:  # the team has built its own bento
            _step("build", build, source, variables)
        exported = folder / "bento.tar"
        tag = f"{bento.name}:{bento.build_version}"
        _step("build", [str(python), "-m", "bentoml", "export", tag, str(exported)], source, variables)
        with tarfile.open(exported) as archive:
            archive.extractall(folder / "bento", filter="data")
        return python, folder / "bento"

    def _fetched(self, folder: Path) -> Path:
        """Fetch the model as CI does: by the repository's own script if it has one.

        Raises:
            _StepError: it could not be fetched.
        """
        scripts = folder / "fetch"
        for path, text in pin_files().items():
            (scripts / path).parent.mkdir(parents=True, exist_ok=True)
            (scripts / path).write_bytes(text.encode())
        own = self.session.root / _FETCH
        script = own.read_text("utf-8") if own.exists() else self.session.templates.render(f"{_FETCH}.j2", {})
        lists = self.session.root / "ci/pins" if own.exists() else scripts / "ci/pins"
        (scripts / "fetch.sh").write_bytes(script.replace("list=ci/pins/", f"list={lists}/").encode())
        store = os.environ.get("BENTOML_HOME") or Path.home() / "bentoml"
        variables = {"SLUICE_BENTOML_STORE": str(store), **os.environ, "PATH": _path(folder)}

        def fetched(resolved: str, target: Path) -> Path:
            note(f"fetching {resolved}")
            command = ["sh", str(scripts / "fetch.sh"), resolved, str(target)]
            return Path(_step("fetch", command, self.session.root, variables).splitlines()[-1])

        plan = self.plans[-1]
        references = plan.bento.references if plan.bento else ()
        if not references:
            return fetched(plan.version.resolved, folder / "fetched")
        for name, resolved in (("model", plan.version.resolved), *references):
            target = folder / "models" / name
            target.mkdir(parents=True)
            artifact = fetched(resolved, folder / "fetched" / name)
            shutil.move(artifact, target / artifact.name)
        return folder / "models"


def _path(folder: Path) -> str:
    """Return a search path with uv, which BentoML's build and the script that fetches models need.

    Raises:
        CliError: uv is not installed.
    """
    uv = uv_command()
    if not uv:
        raise CliError("`sluice try` needs uv, which is not installed", "install it: `pip install uv`")
    programs = folder / "programs"
    if not programs.exists():
        programs.mkdir()
        (programs / "uv").write_bytes(f'#!/bin/sh\nexec {" ".join(uv)} "$@"\n'.encode())
        (programs / "uv").chmod(0o755)
    return f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _variables(folder: Path, python: Path) -> dict[str, str]:
    """Return the variables of the build: nothing of this user's, whose model code runs here."""
    return {
        "PATH": f"{python.parent}{os.pathsep}{_path(folder)}",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
    }


def _step(name: str, command: Sequence[str], cwd: Path, variables: dict[str, str]) -> str:
    """Run one step and return what it printed.

    Raises:
        _StepError: it failed.
    """
    done = subprocess.run(  # noqa: S603 - our own programs in a folder of our own
        command, cwd=cwd, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise _StepError(name, done.stdout + done.stderr)
    return done.stdout


def _tried(python: Path, folder: Path, options: Sequence[str]) -> TrialResult:
    """Run the program of the trial with the Python of the service.

    Raises:
        CliError: it left no report.
    """
    report = folder / "report.json"
    command = [
        str(python),
        "-B",
        str(builtin_folder() / TRIAL),
        str(folder / TRIAL_FACTS),
        *options,
        "--report",
        str(report),
    ]
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)  # noqa: S603
    if not report.exists():
        raise CliError(f"the trial left no report: {done.stderr.strip()[-300:]}")
    return TrialResult(done.stdout, report.read_text("utf-8"), done.returncode == 0)
