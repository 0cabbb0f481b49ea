"""A program of the team that writes its measurements as JSON.

It runs in the repository's root with the variables that a container of the gate Workflow has: SLUICE_GATE (its
configuration), SLUICE_MODEL_DIGEST, SLUICE_GATE_KEY, and SLUICE_REPORT, the file to write:

    {"tool": "my-check", "version": "1.4", "model": "sha256:…",
     "measures": [{"name": "toxicity", "value": 0.01, "bound": "atMost", "threshold": 0.02}]}

The report has no verdicts: they follow from values, intervals (`"interval": {"low": …, "high": …}`) and thresholds.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from generator.gates.adapters import Claim, Expected, ExpectedSource, Outcome, Task
from generator.gates.environments import work_folder
from generator.gates.errors import NoVerdictError, describe
from generator.gates.inputs import text_source
from generator.gates.measures import measure
from generator.gates.strict_json import parse_json
from generator.source.files import RefusedError, regular_bytes
from generator.spec.evidence import Binding, Bound, Interval, Measure, Number, Source
from generator.spec.gates import CustomGate
from generator.spec.record import Record
from generator.spec.types import Digest, Line
from generator.stats import binomial

_TIMEOUT_S: Final = 3600
_IMAGE: Final = "@sha256:"


class ReportedNumber(Record):
    """One number that the program measured."""

    name: Line = Field(description="what was measured")
    value: Number = Field(description="the estimate")
    bound: Bound = Field(description="which way the threshold bounds it")
    threshold: Number = Field(description="the bound")
    interval: Interval | None = Field(None, description="its confidence interval")
    samples: dict[Line, int] = Field({}, description="sample sizes")


class CustomReport(Record):
    """The program's report."""

    tool: Line = Field(description="what measured")
    version: Line = Field(description="its version")
    model: Digest = Field(description="digest of the model that was checked: SLUICE_MODEL_DIGEST")
    measures: list[ReportedNumber] = Field(min_length=1, description="numbers against bounds")


def run(task: Task) -> Outcome:
    """Run the program and read its report."""
    gate = task.spec(CustomGate)
    if _IMAGE in gate.custom:
        raise NoVerdictError(
            "this gate is an image: run it in the cluster, or give it a command that starts the image"
        )
    command = [*shlex.split(gate.custom), *gate.args]
    with work_folder() as folder:
        path = Path(folder, "report.json")
        _start(task, command, path)
        raw = _read(path)
        return outcome_of(raw, task.inputs.lock.model.digest, text_source("report", command[0], raw))


def expected(claim: Claim) -> Expected:
    """Return what an entry that passed must contain; the numbers and bounds are the program's own."""
    gate = claim.spec(CustomGate)
    paths = {gate.custom, shlex.split(gate.custom)[0]}
    path = next((source.path for source in claim.sources("report") if source.path in paths), gate.custom)
    numbers = [
        ReportedNumber(
            name=one.name,
            value=_value(one),
            bound=one.bound,
            threshold=one.threshold,
            interval=one.interval,
            samples=one.samples,
        )
        for one in claim.entry.measures
    ]
    source = ExpectedSource("report", path, None)
    return Expected(None, None, frozenset({"digest"}), (source,), tuple(map(_measure, numbers)))


def _value(stated: Measure) -> float:
    if stated.value is None:
        raise NoVerdictError(f"`{stated.name}` has no value")
    return stated.value


def outcome_of(text: str | bytes, digest: str, source: Source) -> Outcome:
    """Return the outcome that a report describes.

    Args:
        text: the report.
        digest: that of the model which the report must be about.
        source: where the report came from.

    Raises:
        NoVerdictError: the report is invalid, or about another model.
    """
    try:
        report = CustomReport.model_validate(parse_json(text))
    except ValidationError as error:
        raise NoVerdictError(f"the report is invalid: {describe(error)}") from error
    except ValueError as error:
        raise NoVerdictError(f"the report is not valid JSON (truncated?): {error}") from error
    if report.model != digest:
        raise NoVerdictError(f"the report is about another model: it names {report.model[:19]}")
    binding: Binding = "digest"
    return Outcome(report.tool, report.version, binding, (source,), tuple(map(_measure, report.measures)))


def _measure(found: ReportedNumber) -> Measure:
    interval = binomial.Interval(found.interval.low, found.interval.high) if found.interval else None
    return measure(
        found.name, found.value, found.bound, found.threshold, interval=interval, samples=found.samples
    )


def _read(path: Path) -> bytes:
    try:
        return regular_bytes(path)
    except FileNotFoundError as error:
        raise NoVerdictError("the program wrote no report to SLUICE_REPORT") from error
    except (RefusedError, OSError) as error:
        raise NoVerdictError(f"the report of the program can't be read: {error.args[1]}") from error


def _start(task: Task, command: list[str], report: Path) -> None:
    variables = {
        "SLUICE_GATE": json.dumps(task.gate.config, sort_keys=True),
        "SLUICE_MODEL_DIGEST": task.inputs.lock.model.digest,
        "SLUICE_GATE_KEY": task.release.gate_key,
        "SLUICE_REPORT": str(report),
    }
    try:
        done = subprocess.run(  # noqa: S603 - the spec names the command, and specs are reviewed
            command,
            cwd=task.inputs.root,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, IndexError) as error:
        raise NoVerdictError(f"the program can't be started: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise NoVerdictError(f"the program was still running after {_TIMEOUT_S} s") from error
    if done.returncode:
        output = " ".join((done.stderr or done.stdout).split())[-200:]
        raise NoVerdictError(f"the program ended with code {done.returncode}: {output}")
