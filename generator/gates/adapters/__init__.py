"""Adapters: one module a kind of gate. `run(task)` measures with the real tool; all other functions are pure."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from generator.gates.environments import Environments, Tool
from generator.gates.inputs import Inputs
from generator.plan.values import Gate
from generator.spec.evidence import Binding, Measure, Source
from generator.spec.gate_tools import Program
from generator.spec.gates import GateBase

G = TypeVar("G", bound=GateBase)


@dataclass(frozen=True, slots=True)
class Release:
    """What an adapter may know of a release, apart from its files.

    Args:
        framework: that of the model.
        gate_key: SHA-256 (hex) of what is checked, and by what.
    """

    framework: str
    gate_key: str


@dataclass(frozen=True, slots=True)
class Task:
    """A gate to run, its inputs and its tools.

    Args:
        gate: the gate.
        release: what it belongs to.
        guaranteed: intervals keep their level whatever the truth (Clopper-Pearson), as regulated tiers require.
        inputs: where files are.
        environments: where tools run.
        scripts: folder of the tools' scripts.
    """

    gate: Gate
    release: Release
    guaranteed: bool
    inputs: Inputs
    environments: Environments
    scripts: Path

    def spec(self, kind: type[G]) -> G:
        """Return the gate as it is written.

        Raises:
            TypeError: it is of another kind; a bug.
        """
        if not isinstance(self.gate.spec, kind):
            raise TypeError(f"{self.gate.name} is not {kind.tag}")
        return self.gate.spec

    def tool(self, program: Program) -> Tool:
        """Return the tool behind a script."""
        return Tool(self.scripts, program.tool, program.script)

    def report(self, program: Program, config: dict[str, Any]) -> Report:
        """Run a script, and return what it measured.

        Raises:
            NoVerdictError: it left no report.
            InstallError: its environment can't be made.
        """
        tool = self.tool(program)
        return Report(self.environments.run(tool, config), tool.digest)


@dataclass(frozen=True, slots=True)
class Report:
    """What a script measured.

    Args:
        content: its report.
        environment: digest of packages and script.
    """

    content: dict[str, Any]
    environment: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one gate found.

    Args:
        tool: what measured.
        version: its version.
        binding: how the outcome is tied to the model.
        sources: the files it was made from.
        measures: numbers against bounds.
        environment: digest of the environment that the tool ran in; None for none.
    """

    tool: str
    version: str
    binding: Binding
    sources: tuple[Source, ...]
    measures: tuple[Measure, ...]
    environment: str | None = None

    @classmethod
    def of(
        cls, report: Report, binding: Binding, sources: tuple[Source, ...], measures: tuple[Measure, ...]
    ) -> Outcome:
        """Return the outcome of a script's report."""
        tool, version = report.content["tool"], report.content["version"]
        return cls(tool, version, binding, sources, measures, report.environment)


class Adapter(Protocol):
    """The module of a kind of gates."""

    def run(self, task: Task) -> Outcome:
        """Return what the gate finds.

        Raises:
            NoVerdictError: it can't reach a verdict.
            InstallError: an environment can't be made.
        """
        ...


def adapter(kind: str) -> Adapter:
    """Return the adapter of a kind of gates."""
    return cast("Adapter", import_module(f"{__name__}.{kind}"))


def tools(task: Task) -> tuple[Tool, ...]:
    """Return the tools that a gate will run."""
    needs = task.gate.spec.needs
    compared = needs.comparisons if needs.comparisons and task.inputs.tables(task.gate.name) else ()
    return tuple(map(task.tool, (*needs.programs, *compared)))
