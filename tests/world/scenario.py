"""What a world scenario is, and where scenarios are found: one module each in `tests/world/scenarios`.

A module defines `SCENARIO`. A scenario on the real cluster also holds its tests, as `tests/cluster/scenarios` do:

    SCENARIO = Scenario(
        title="A canary behind the real Istio",
        covers=("generator/routers", "templates/kubernetes", "tests/cluster"),
        programs=("istio",),  # tests/world/programs/istio.sh
        run=in_cluster(__file__),
    )

    def test_a_canary(delivered): ...
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SCENARIOS: Final = Path(__file__).with_name("scenarios")


@dataclass(frozen=True)
class Result:
    """What a scenario measured.

    Args:
        figures: value by what it is.
        versions: of what it ran, beyond its programs and Python.
    """

    figures: Mapping[str, str | float]
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A test that needs further programs or a long time.

    Args:
        title: one line.
        covers: files and folders whose change makes an earlier run old, relative to the root.
        run: runs the scenario; the argument is an empty folder whose content is left for the reader. An exception means
            that the scenario failed.
        programs: recipes of `tests/cluster/build.sh` or `tests/world/programs` that are built before.
    """

    title: str
    covers: tuple[str, ...]
    run: Callable[[Path], Result]
    programs: tuple[str, ...] = ()


class UnknownScenarioError(Exception):
    """There is no scenario with this name."""


def names(folder: Path = SCENARIOS) -> list[str]:
    """Return the names of all scenarios, sorted."""
    return sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")


def load(name: str, folder: Path = SCENARIOS) -> Scenario:
    """Import one scenario.

    Raises:
        UnknownScenarioError: there is none with this name.
    """
    known = names(folder)
    if name not in known:
        raise UnknownScenarioError(f"there is no scenario {name}; choose one of: {', '.join(known)}")
    spec = importlib.util.spec_from_file_location(f"world_scenario_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    assert isinstance(module.SCENARIO, Scenario)
    return module.SCENARIO


def command(arguments: list[str], folder: Path) -> str:
    """Run a command at the root of the checkout; its output goes to `output.log` and is returned.

    Raises:
        AssertionError: it failed.
    """
    environment = os.environ | {"SLUICE_REPORT": str(folder)}
    log = folder / "output.log"
    with log.open("a") as stream:
        done = subprocess.run(arguments, cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT)
    text = log.read_text()
    last = (text.strip().splitlines() or ["no output"])[-1]
    assert done.returncode == 0, f"{' '.join(arguments[1:4])} ended with {done.returncode}: {last}"
    return text


def in_cluster(file: str) -> Callable[[Path], Result]:
    """Return what runs the tests of a module on a cluster of the test bed, with the fixtures of its scenarios.

    The figures are those that the tests write with `tests.cluster.report.figures`.
    """

    def run(folder: Path) -> Result:
        bed = [sys.executable, "-m", "tests.cluster.bed", "up"]
        pytest = [sys.executable, "-m", "pytest", "-v", "-s", "-p", "no:cacheprovider"]
        command([*bed, *pytest, "-p", "tests.cluster.scenarios.conftest", file], folder)
        return Result(table_rows((folder / "report.md").read_text()))

    return run


def table_rows(text: str) -> dict[str, str]:
    """Return the rows of a table with two columns, without its head."""
    rows = [line.strip("| ").split(" | ", 1) for line in text.splitlines()[2:] if line.startswith("| ")]
    return {name.strip(): value.strip() for name, value in rows}
