"""Rendered services next to hand-written ones of BentoML: at least 0.95 of the better one, for each model and number of clients."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.world.scenario import Result, Scenario, command

BAR = 0.95


def run(folder: Path) -> Result:
    """Measure five rounds; a ratio below the bar is marked, because another load on the machine changes the figures."""
    lines = command([sys.executable, "-m", "tests.bench.services"], folder).splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    assert found, "the output has no figures"
    return Result({f"{one['model']}, {one['clients']} clients": shown(one) for one in found})


def shown(one: dict) -> str:
    """Return the requests a second of the three, and the ratio to the better one with its smallest and largest value."""
    middle, low, high = one["ratio"]
    rates = ", ".join(f"{name} {one[f'{name} req/s']}" for name in ("rendered", "hand", "batch"))
    missed = "" if middle >= BAR else ", MISSED"
    return f"{middle} ({low} to {high}) of the better one; requests/s: {rates}{missed}"


SCENARIO = Scenario(
    title="Requests a second of rendered services, next to hand-written services of BentoML",
    covers=("templates/bento", "tests/bench/services.py", "tests/pins/bento.txt"),
    run=run,
)
