"""Adapters: one module per kind of gate.

`run(task)` measures with the real tool. `expected(claim)` computes again what an entry in git must contain. All other
functions are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from generator.dataclass import dataclass
from generator.gates.errors import NoVerdictError
from generator.gates.tools import Tool
from generator.plan.values import Gate
from generator.spec.evidence import Binding, EvidenceEntry, Measure, Source
from generator.spec.gate_data import DataSource, named, proof_of
from generator.spec.gate_tools import Program
from generator.spec.gates import GateBase

if TYPE_CHECKING:
    from generator.gates.environments import Environments
    from generator.gates.inputs import Inputs

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


@dataclass(frozen=True, slots=True)
class Claim:
    """An entry of evidence in git, and what the plan knows about its gate.

    Args:
        gate: the gate.
        entry: the entry with its name and configuration.
        model: the locked reference and digest of the model.
        data: locked digest of each data set, by reference.
        framework: of the model.
        guaranteed: intervals have guaranteed coverage, as in `Task`.
    """

    gate: Gate
    entry: EvidenceEntry
    model: tuple[str, str]
    data: Mapping[str, str]
    framework: str
    guaranteed: bool

    def spec(self, kind: type[G]) -> G:
        """Return the gate as this type.

        Raises:
            TypeError: it has another kind, which is a bug.
        """
        if not isinstance(self.gate.spec, kind):
            raise TypeError(f"{self.gate.name} is not {kind.tag}")
        return self.gate.spec

    def measure(self, name: str) -> Measure:
        """Return the only measure with this name.

        Raises:
            NoVerdictError: there is none, or several.
        """
        found = [measure for measure in self.entry.measures if measure.name == name]
        if len(found) != 1:
            count = "no measure" if not found else f"{len(found)} measures"
            raise NoVerdictError(f"it has {count} `{name}`")
        return found[0]

    def locked(self, data: str | DataSource) -> ExpectedSource:
        """Return a data set as a source."""
        return ExpectedSource(proof_of(data), named(data), self.data.get(named(data)))

    def sources(self, role: str) -> list[Source]:
        """Return the sources with a role."""
        return [source for source in self.entry.sources if source.role == role]


@dataclass(frozen=True, slots=True)
class ExpectedSource:
    """A source that an entry must have.

    Args:
        role: its role.
        path: its path or reference; None when the gate does not name it.
        digest: its digest; None when nothing in git has it.
    """

    role: str
    path: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What the entry of a gate that passed must contain.

    Args:
        tool: the tool that measured; None for any.
        version: its version; None when its environment, or nothing, determines it.
        bindings: how it may be tied to the model.
        sources: all its sources.
        measures: all its measures, computed again from their own numbers and the gate.
        program: the script that measured; None without one.
        reread: returns the models and the measures of the gate's report, from its bytes; None where there is no report
            that can be in the repository.
    """

    tool: str | None
    version: str | None
    bindings: frozenset[Binding]
    sources: tuple[ExpectedSource, ...]
    measures: tuple[Measure, ...]
    program: Program | None = None
    reread: Callable[[bytes], tuple[list[str], tuple[Measure, ...]]] | None = None

    @classmethod
    def by(
        cls,
        program: Program,
        bindings: set[Binding],
        sources: tuple[ExpectedSource, ...],
        measures: tuple[Measure, ...],
    ) -> Expected:
        """Return the expectation of an entry that a script measured."""
        return cls(program.tool, None, frozenset(bindings), sources, measures, program)


def sample(measure: Measure, name: str) -> int:
    """Return a sample size of a measure.

    Raises:
        NoVerdictError: it is missing.
    """
    if name not in measure.samples:
        raise NoVerdictError(f"`{measure.name}` has no sample size `{name}`")
    return measure.samples[name]


def detail(measure: Measure, name: str) -> float:
    """Return a number among the details of a measure.

    Raises:
        NoVerdictError: it is missing, or text.
    """
    found = measure.details.get(name)
    if not isinstance(found, float):
        raise NoVerdictError(f"`{measure.name}` has no number `{name}`")
    return found


def count(value: float | None, name: str) -> int:
    """Return a number that must be a count.

    Raises:
        NoVerdictError: it is not a whole number of at least 0.
    """
    if value is None or value < 0 or value != int(value):
        raise NoVerdictError(f"`{name}` is not a count")
    return int(value)


class Adapter(Protocol):
    """The module for a kind of gates."""

    def run(self, task: Task) -> Outcome:
        """Return the gate's outcome.

        Raises:
            NoVerdictError: it can't reach a verdict.
            InstallError: an environment can't be created.
        """
        ...

    def expected(self, claim: Claim) -> Expected:
        """Return what an entry that passed must contain.

        Raises:
            NoVerdictError: a number is missing or impossible.
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
