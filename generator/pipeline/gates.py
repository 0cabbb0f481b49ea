"""The gates of a model for commands: selects them, prepares their tools, and writes their evidence."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from functools import cached_property

from generator.dataclass import dataclass
from generator.gates.adapters import Release, Task, tools
from generator.gates.document import evidence_bytes, read_evidence
from generator.gates.enforce import evidence_findings, future_findings, report_findings
from generator.gates.environments import Environments
from generator.gates.inputs import Inputs
from generator.gates.run import Clock, PlannedGate, distinct_gates, document, still_valid
from generator.pipeline.atomic_write import write_file
from generator.pipeline.session import Session
from generator.plan.model_files import ModelFiles
from generator.plan.resolve import Planned, Resolved
from generator.plan.values import Plan
from generator.source.errors import CliError
from generator.source.finding import Finding
from generator.spec.evidence import EvidenceEntry
from generator.spec.gate_tools import TOOLS
from generator.spec.lock import LockFile


@dataclass(frozen=True)
class ModelGates:
    """A model with its plans in all environments and its lock."""

    session: Session
    entry: ModelFiles
    planned: tuple[Planned, ...]
    lock: LockFile

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans of all environments."""
        return tuple(item.plan for item in self.planned)

    @cached_property
    def everything(self) -> tuple[PlannedGate, ...]:
        """The gates of all environments, each configuration once."""
        return distinct_gates(self.plans)

    def planned_in(self, environment: str) -> Planned:
        """Return the plan of an environment.

        Raises:
            CliError: there is no such environment.
        """
        found = {item.plan.identity.environment: item for item in self.planned}
        if environment not in found:
            raise CliError(f"unknown environment `{environment}`; known: {', '.join(found)}")
        return found[environment]

    def chosen(self, environment: str, name: str) -> tuple[PlannedGate, ...]:
        """Return the gates of one environment or all, with one name or all.

        Raises:
            CliError: there are none.
        """
        plans = [self.planned_in(environment).plan] if environment else self.plans
        found = distinct_gates(plans, name)
        if found:
            return found
        if not name:
            raise CliError(f"{self.entry.name} has no gates")
        known = ", ".join(item.gate.name for item in self.everything) or "none"
        raise CliError(f"{self.entry.name} has no gate `{name}`; its gates: {known}")

    def task(self, item: PlannedGate, inputs: Inputs, environments: Environments) -> Task:
        """Return the task for one gate."""
        from generator.source.shipped import builtin_folder

        plan = item.plan
        return Task(
            gate=item.gate,
            release=Release(plan.server.framework, plan.gate_key),
            guaranteed=plan.gate_pods.guaranteed,
            inputs=inputs,
            environments=environments,
            scripts=builtin_folder() / "gates",
        )

    def write(self, entries: Sequence[EvidenceEntry]) -> str:
        """Write the evidence with these entries and the earlier ones that still hold; return its path."""
        old = read_evidence(self.entry.evidence, self.session.root, self.entry.name).content
        replaced = [(entry.name, entry.configuration) for entry in entries]
        kept = still_valid(old, self.lock, replaced, self.everything)
        keys = [plan.gate_key for plan in self.plans]
        content = document(self.entry.name, keys, self.lock, [*kept, *entries])
        write_file(self.entry.evidence, evidence_bytes(content))
        return self.entry.evidence.relative_to(self.session.root).as_posix()


def model_gates(session: Session, entry: ModelFiles) -> ModelGates:
    """Return the gates of a model.

    Raises:
        CliError: it can't be planned in all environments, or has no lock.
    """
    resolved = _resolve(session, entry)
    if resolved.findings or not resolved.plans:
        first = f": {resolved.findings[0].message}" if resolved.findings else ""
        raise CliError(f"{entry.name} can't be planned{first}", f"`sluice validate {entry.name}` shows more")
    lock = resolved.plans[0].source.lock
    if lock is None:
        raise CliError(f"{entry.name} has no lock", f"run `sluice pin {entry.name}`")
    return ModelGates(session, entry, tuple(resolved.plans), lock)


def check_evidence(session: Session, entry: ModelFiles) -> list[Finding]:
    """Return the findings about the evidence of one model in all environments, each once."""
    evidence = read_evidence(entry.evidence, session.root, entry.name)
    resolved = _resolve(session, entry)
    if not resolved.plans:
        return [*resolved.findings, *evidence.findings]
    plans = [planned.plan for planned in resolved.plans]
    found = [f for one in resolved.plans for f in evidence_findings(one, evidence, session.today, plans)]
    timely = future_findings(evidence, clock()())
    return list(dict.fromkeys([*evidence.findings, *found, *report_findings(evidence, plans), *timely]))


def check_tools(tasks: Sequence[Task], note: Callable[[str], None]) -> None:
    """Show the notices of the tools and check that --offline has their environments, before anything runs.

    Args:
        tasks: everything that will run.
        note: shows a line to the user.

    Raises:
        CliError: an environment is missing and may not be created.
    """
    needed = {tool.name: (tool, task.environments) for task in tasks for tool in tools(task)}
    for name in sorted(needed):
        if TOOLS[name].notice:
            note(TOOLS[name].notice)
    missing = [
        name
        for name, (tool, environments) in sorted(needed.items())
        if environments.offline and environments.missing(tool)
    ]
    if missing:
        raise CliError(
            f"--offline does not install environments, and these are missing: {', '.join(missing)}"
        )


def clock() -> Clock:
    """Return the clock (UTC); SOURCE_DATE_EPOCH fixes it, so that evidence is reproducible byte for byte."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return lambda: dt.datetime.now(tz=dt.UTC)
    fixed = dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC)
    return lambda: fixed


def _resolve(session: Session, entry: ModelFiles) -> Resolved:
    if session.repository.platform is None:
        raise CliError("the platform is invalid", "`sluice validate` shows why")
    return session.resolve(entry)
