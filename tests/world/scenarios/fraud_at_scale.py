"""The fraud example's gates on 30 days of production at 500 million rows: they name the planted drift and unfairness."""

from __future__ import annotations

import os
import resource
import shutil
import time
from pathlib import Path

from tests.gates.production import generate, judged
from tests.world.scenario import Result, Scenario

ROWS = 500_000_000


def run(folder: Path) -> Result:
    """Generate production, judge it, and delete it."""
    rows = int(os.environ.get("SLUICE_WORLD_ROWS", ROWS))
    started = time.monotonic()
    try:
        generate(folder, rows)
        figures: dict[str, str | float] = {"rows": f"{rows // 30 * 30:,}"}
        figures["generated, seconds"] = round(time.monotonic() - started)
        for name in ("drift", "parity", "schema"):
            started, before = time.monotonic(), _cpu()
            entry = judged(folder, name)
            figures[f"{name}, seconds"] = round(time.monotonic() - started)
            figures[f"{name}, CPU seconds"] = round(_cpu() - before)
            figures[f"{name}, verdict"] = (
                f"{entry.verdict}: {entry.reason}" if entry.reason else entry.verdict
            )
            assert (entry.verdict, EXPECTED[name] in entry.reason) == (VERDICTS[name], True), entry.reason
        figures["peak memory of a gate, MB"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    finally:
        for part in ("train", "production"):
            shutil.rmtree(folder / part, ignore_errors=True)
    return Result(figures)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


EXPECTED = {"drift": "amount is 0.1", "parity": "gender", "schema": ""}
VERDICTS = {"drift": "fail", "parity": "fail", "schema": "pass"}
SCENARIO = Scenario(
    title="The fraud example's gates on 30 days of production, 500 million rows",
    covers=(
        "templates/gates/ibis-framework",
        "generator/gates",
        "generator/stats/binned.py",
        "specs/risk",
        "tests/gates/production.py",
    ),
    run=run,
)
