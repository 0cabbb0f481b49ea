"""Adapters: one module per kind of gate. `run(task)` measures with the real tool; all other functions are pure."""

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
    """The properties of a release that an adapter reads, apart from its files.

    Args:
        framework: of the model.
        gate_key: SHA-256 (hex) of the model, the data and the gates.
    """

    framework: str
    gate_key: str


@dataclass(frozen=True, slots=True)
class Task:
    """A gate to run, its inputs and its tools.

    Args:
        gate: the gate.
        release: the release that it is for.
        guaranteed: intervals have guaranteed coverage (Clopper-Pearson), as regulated tiers require.
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
        """Return the gate as this type.

        Raises:
            TypeError: it has another kind, which is a bug.
        """
        if not isinstance(self.gate.spec, kind):
            raise TypeError(f"{self.gate.name} is not {kind.tag}")
        return self.gate.spec

    def tool(self, program: Program) -> Tool:
        """Return the tool for a script."""
        return Tool(self.scripts, program.tool, program.script)

    def report(self, program: Program, config: dict[str, Any]) -> Report:
        """Run a script and return its report.

        Raises:
            NoVerdictError: it left no report.
            InstallError: its environment can't be created.
        """
        tool = self.tool(program)
        return Report(self.environments.run(tool, config), tool.digest)


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a script.

    Args:
        content: the parsed report.
        environment: digest of packages and script.
    """

    content: dict[str, Any]
    environment: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one gate.

    Args:
        tool: the tool that measured.
        version: its version.
        binding: how the outcome is tied to the model.
        sources: the files that were read.
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
    """The module for a kind of gates."""

    def run(self, task: Task) -> Outcome:
        """Return the gate's outcome.

        Raises:
            NoVerdictError: it can't reach a verdict.
            InstallError: an environment can't be created.
        """
        ...


def adapter(kind: str) -> Adapter:
    """Return the adapter for a kind of gates."""
    return cast("Adapter", import_module(f"{__name__}.{kind}"))


def tools(task: Task) -> tuple[Tool, ...]:
    """Return the tools that a gate runs."""
    needs = task.gate.spec.needs
    compared = needs.comparisons if needs.comparisons and task.inputs.tables(task.gate.name) else ()
    return tuple(map(task.tool, (*needs.programs, *compared)))
