"""`make bench`: Sluice next to go-jsonnet and KCL, and its own bars. The figures are kept; a missed bar says so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.world.scenario import ROOT, Result, Scenario, command

_BAR = re.compile(
    r"^(?P<what>\S.*?) {2,}(?P<value>[0-9.]+) {3}(?P<bar>bar [0-9.]+(?: +MISSED)?)$", re.MULTILINE
)


def run(folder: Path) -> Result:
    """Measure once in each of three rounds; another load on the machine changes the figures, not the outcome."""
    text = command([sys.executable, "-m", "tests.bench"], folder)
    figures = bars(text)
    assert figures, "the output has no bars"
    return Result(figures, _peers())


def bars(text: str) -> dict[str, str]:
    """Return every line of the output that has a bar."""
    return {
        found["what"]: f"{found['value']} ({' '.join(found['bar'].split())})" for found in _BAR.finditer(text)
    }


def _peers() -> dict[str, str]:
    pins = (ROOT / "tests" / "pins" / "bench.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", pins, re.MULTILINE))


SCENARIO = Scenario(
    title="Speed next to go-jsonnet and KCL, per line, and the bars of `make bench`",
    covers=("generator", "templates", "tests/bench", "tests/pins/bench.txt"),
    run=run,
)
