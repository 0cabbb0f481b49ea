"""The generator, broken in each way of `tests/cluster/sabotage.py`: the scenario on the real cluster must fail."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.cluster.sabotage import WAYS
from tests.world.scenario import Result, Scenario, command


def run(folder: Path) -> Result:
    """Break the generator in each way, on one cluster; the lint and the unit tests run too."""
    command(
        [sys.executable, "-m", "tests.cluster.bed", "up", sys.executable, "-m", "tests.cluster.sabotage"],
        folder,
    )
    rows = json.loads((folder / "sabotage.json").read_text())
    assert set(rows) == {way.name for way in WAYS}
    assert all("fails: " in row["scenario"] for row in rows.values()), (
        "not every scenario failed: see sabotage.md"
    )
    figures = {
        way.what: f"lint {rows[way.name]['lint']}; unit test {rows[way.name]['unit']}; scenario {rows[way.name]['scenario']}"
        for way in WAYS
    }
    return Result(figures)


SCENARIO = Scenario(
    title="Ways to break the generator, each of which a scenario on the real cluster notices",
    covers=("generator", "templates", "specs", "tests/cluster", "tests/unit"),
    programs=("kubernetes", "rollouts", "workflows", "argocd", "contour", "envoy"),
    run=run,
)
