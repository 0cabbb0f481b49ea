"""The set that needs further programs or long times: `make test-world`.

python -m tests.world run [NAME...]     runs scenarios (default: all) and writes the report
python -m tests.world status            prints the age of each run and which covered files have changed since
"""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import generator
from tests.cluster import programs
from tests.world import report
from tests.world.report import Run
from tests.world.scenario import ROOT, SCENARIOS, Result, Scenario, UnknownScenarioError, load, names


def main(arguments: Sequence[str], scenarios: Path = SCENARIOS, docs: Path = report.DOCS) -> int:
    """Run one subcommand; return its exit code.

    Args:
        arguments: the subcommand and its own.
        scenarios: folder of the modules.
        docs: folder of the report; what a run leaves goes to `build/world` next to it.
    """
    if list(arguments) == ["status"]:
        covers = {name: load(name, scenarios).covers for name in names(scenarios)}
        print(report.status(covers, report.read(docs), _today()))
        return 0
    if arguments[:1] != ["run"]:
        print((__doc__ or "").partition("\n\n")[2], file=sys.stderr)
        return 2
    try:
        chosen = {name: load(name, scenarios) for name in arguments[1:] or names(scenarios)}
    except UnknownScenarioError as error:
        print(error, file=sys.stderr)
        return 2
    return max(run(name, scenario, docs) for name, scenario in chosen.items())


def run(name: str, scenario: Scenario, docs: Path = report.DOCS) -> int:
    """Run a scenario and write its part of the report; return 1 if it failed."""
    print(f"{name}: {scenario.title}", flush=True)
    files, uncommitted = report.covered_files(scenario.covers), report.uncommitted(scenario.covers)
    versions = _versions() | programs.versions(*scenario.programs)
    folder = docs.parent / "build" / "world" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    outcome, error, result = "passed", "", Result({})
    try:
        result = scenario.run(folder)
    except Exception as found:  # noqa: BLE001 - the report says what it was
        traceback.print_exc()
        outcome, error = "failed", _one_line(found)
    done = Run(
        title=scenario.title,
        outcome=outcome,
        error=error,
        date=_today().isoformat(),
        commit=report.git(ROOT, "rev-parse", "HEAD").strip(),
        uncommitted=uncommitted,
        seconds=round(time.monotonic() - began),
        machine=_machine(),
        versions=versions | dict(result.versions),
        figures=dict(result.figures),
        files=files,
    )
    report.write(report.read(docs) | {name: done}, docs)
    print(f"{name}: {outcome} after {done.seconds} s; output in {folder}", flush=True)
    return int(outcome == "failed")


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split()).replace("`", "'")[:300]


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _versions() -> dict[str, str]:
    return {"Sluice": generator.__version__, "Python": platform.python_version()}


def _machine() -> str:
    """The system, the processors that this process may use, and the memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = report.count(len(os.sched_getaffinity(0)), "core")
    return f"{platform.system()} {platform.release()}, {cores}, {memory / 2**30:.0f} GiB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
