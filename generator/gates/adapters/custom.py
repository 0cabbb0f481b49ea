"""Any program of the team's own that writes what it found as JSON.

It runs in the repository's root with the variables that a container of the gate Workflow has: SLUICE_GATE (its
configuration), SLUICE_MODEL_DIGEST, SLUICE_GATE_KEY, and SLUICE_REPORT, the file to write:

    {"tool": "my-check", "version": "1.4", "model": "sha256:…",
     "measures": [{"name": "toxicity", "value": 0.01, "bound": "atMost", "threshold": 0.02}]}

Verdicts are ours: they follow from values, intervals (`"interval": {"low": …, "high": …}`) and thresholds.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from generator.gates.environments import Tool
from generator.gates.form import flaw_text
from generator.gates.inputs import source_of
from generator.gates.measures import measure
from generator.gates.outcome import NoVerdictError, Outcome
from generator.gates.task import Task
from generator.spec.evidence import Bound, Interval, Measure, Number
from generator.spec.record import Record
from generator.spec.types import Digest, Line
from generator.stats import binomial

SECONDS = 3600
_IMAGE = "@sha256:"


class Found(Record):
    """One number that the program found."""

    name: Line = Field(description="what was measured")
    value: Number = Field(description="the estimate")
    bound: Bound = Field(description="which way the threshold bounds it")
    threshold: Number = Field(description="the bound")
    interval: Interval | None = Field(None, description="its confidence interval")
    samples: dict[Line, int] = Field({}, description="sample sizes")


class Report(Record):
    """What the program found."""

    tool: Line = Field(description="who measured")
    version: Line = Field(description="its version")
    model: Digest = Field(description="digest of the model that was judged: SLUICE_MODEL_DIGEST")
    measures: list[Found] = Field(min_length=1, description="numbers against bounds")


def tools(task: Task) -> tuple[Tool, ...]:
    """None: the team brings its own."""
    del task
    return ()


def judge(task: Task) -> Outcome:
    """Run the program and read its report."""
    if _IMAGE in task.config["custom"]:
        raise NoVerdictError(
            "this gate is an image: it runs in the cluster, or through a command that starts it"
        )
    command = [*shlex.split(task.config["custom"]), *task.config.get("args", [])]
    with tempfile.TemporaryDirectory(prefix="sluice-gate-") as folder:
        path = Path(folder, "report.json")
        _run(task, command, path)
        report = parse(_read(path), task.inputs.lock.model.digest)
        source = source_of("report", command[0], path)
    return Outcome(report.tool, report.version, "digest", (source,), tuple(map(judged, report.measures)))


def parse(text: str | bytes, digest: str) -> Report:
    """A report.

    Raises:
        NoVerdictError: it has another form, or is about another model.
    """
    try:
        report = Report.model_validate(json.loads(text))
    except ValidationError as error:
        raise NoVerdictError(f"the report has another form: {flaw_text(error)}") from error
    except (ValueError, RecursionError) as error:
        raise NoVerdictError(f"the report is no JSON, or only a part of it: {error}") from error
    if report.model != digest:
        raise NoVerdictError(f"the report is about another model: it names {report.model[:19]}")
    return report


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NoVerdictError("the program wrote no report to SLUICE_REPORT") from error


def judged(found: Found) -> Measure:
    """One number of the report, judged here."""
    interval = binomial.Interval(found.interval.low, found.interval.high) if found.interval else None
    return measure(
        found.name, found.value, found.bound, found.threshold, interval=interval, samples=found.samples
    )


def _run(task: Task, command: list[str], report: Path) -> None:
    given: dict[str, Any] = {
        "SLUICE_GATE": json.dumps(task.config, sort_keys=True),
        "SLUICE_MODEL_DIGEST": task.inputs.lock.model.digest,
        "SLUICE_GATE_KEY": task.release.gate_key,
        "SLUICE_REPORT": str(report),
    }
    try:
        done = subprocess.run(  # noqa: S603 - the spec names the command, and specs are reviewed
            command,
            cwd=task.inputs.root,
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, ValueError, IndexError) as error:
        raise NoVerdictError(f"the program can't be started: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise NoVerdictError(f"the program was still running after {SECONDS} s") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-200:]
        raise NoVerdictError(f"the program ended with code {done.returncode}: {said}")
