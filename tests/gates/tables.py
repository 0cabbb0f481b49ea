"""Small tables, and tools run on them, for tests of single gates."""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.gates.adapters import Release, Report, Task
from generator.gates.environments import Environments, surroundings
from generator.gates.inputs import Inputs
from generator.gates.run import run_gate
from generator.gates.tools import Tool
from generator.plan.gates import gate_from
from generator.plan.values import Gate
from generator.spec.evidence import EvidenceEntry
from generator.spec.lock import LockFile
from tests.gates.models import SCRIPTS

MODEL = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
LOCKED = "2026-11-20T00:00:00Z"


def write(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    """A CSV file of these columns."""
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return path


def normal(rows: int, seed: int, shift: float = 0.0) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(shift, 1.0) for _ in range(rows)]


def groups(**sizes: tuple[int, int]) -> dict[str, list[object]]:
    """Columns of predictions: of each group, so many selected of so many rows; every label is the prediction."""
    gender: list[object] = []
    selected: list[object] = []
    for name, (chosen, rows) in sizes.items():
        gender += [name] * rows
        selected += [1] * chosen + [0] * (rows - chosen)
    return {"label": selected, "prediction": list(selected), "gender": gender, "model": [MODEL] * len(gender)}


def lock(data: Mapping[str, str] = {}) -> LockFile:
    return LockFile.model_validate(
        {
            "schema": "sluice/lock/v1",
            "model": {
                "ref": "m",
                "resolved": "m/1",
                "version": "1",
                "digest": MODEL,
                "at": LOCKED,
                "by": "test",
            },
            "data": {ref: {"resolved": ref, "digest": digest} for ref, digest in data.items()},
        }
    )


RELEASE = Release("sklearn", "0" * 64)


def run(folder: Path, config: Mapping[str, Any], **inputs: Any) -> EvidenceEntry:
    """Run a gate on files in a folder with its real tool."""
    gate = gate_from({"name": "gate", **config})
    given = {"root": folder, "spec": folder / "spec.yaml", "lock": lock(), "folder": folder, **inputs}
    task = Task(gate, RELEASE, False, Inputs(**given), Environments(print), SCRIPTS)
    return run_gate(task, lambda: dt.datetime(2026, 11, 23, tzinfo=dt.UTC))


def measured(
    tool: str, configs: Mapping[str, Mapping[str, Any]], folder: Path, script: str = "run"
) -> dict[str, Any]:
    """What a tool reports of many configurations, by name, before anything is concluded; all in one process."""
    runs = Tool(SCRIPTS, tool, script)
    python = Environments(print).python(runs)
    asked, answer = folder / f"{tool}-configs.json", folder / f"{tool}-reports.json"
    asked.write_text(json.dumps(configs))
    batch = Path(__file__).with_name("batch.py")
    command = [str(python), str(batch), str(runs.program), str(asked), str(answer)]
    done = subprocess.run(command, env=surroundings(runs, str(folder)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(answer.read_text()))


def report_of(gate: Gate, content: dict[str, Any]) -> Report:
    """A report of a gate's script, of the version that is installed."""
    program = gate.spec.needs.programs[0]
    tool = Tool(SCRIPTS, program.tool, program.script)
    names = {program.tool, f"{program.tool}-skinny"}
    lines = (line.partition("==") for line in tool.requirements.read_text().splitlines())
    version = next(rest.split()[0] for name, _, rest in lines if name in names)
    return Report({"tool": program.tool, "version": version, **content}, tool.digest)
