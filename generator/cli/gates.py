"""`sluice gates`: judge a model before any traffic, and check what earlier judgements left."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from generator.cli import gate_pods, gate_stage, gate_workflow
from generator.cli.gate_inputs import Given, input_options
from generator.cli.gate_plans import clock, locked, plans_in, resolved_of
from generator.cli.options import report_option
from generator.gates.document import Evidence, read_evidence, written
from generator.gates.environments import Environments, InstallError
from generator.gates.inputs import Inputs
from generator.gates.run import Wanted, document, kept, run_gate, wanted
from generator.gates.task import Release, Task
from generator.pipeline.session import Session, open_session, root_option, select, select_one
from generator.pipeline.terminal import emit, has_color, is_terminal, note
from generator.plan.entries import Entry
from generator.plan.resolve import Planned
from generator.report.formats import render
from generator.source.errors import CliError
from generator.source.finding import Finding
from generator.spec.evidence import Entry as Judged
from generator.spec.lock import LockFile

_WIDTH = 78  # covers the line that said what was running
_LICENCES = {
    "alibi-detect": "Alibi Detect: Business Source License 1.1; production use needs a licence of its owner"
}


@click.group("gates")
def command() -> None:
    """Judge a model before any traffic, and check the evidence that this leaves."""


command.add_command(gate_pods.judge)
command.add_command(gate_pods.verdict)
command.add_command(gate_stage.stage)
command.add_command(gate_workflow.submit)
command.add_command(gate_workflow.fetch)


@command.command("run")
@click.argument("spec", type=click.Path())
@click.option(
    "--gate", "name", default="", metavar="NAME", help="Run one gate; what the others found is kept."
)
@click.option(
    "--env", "environment", default="", metavar="ENV", help="Run the gates of one environment only."
)
@click.option("--offline", is_flag=True, help="Make no environment: refuse when one is missing.")
@input_options
@report_option
@root_option
def run(
    spec: str,
    name: str,
    environment: str,
    fmt: str,
    root: Path | None,
    given: Given,
    *,
    offline: bool,
) -> None:
    """Run the gates of SPEC with their real tools, and write its evidence.

    Exit code 1: a gate failed, or is inconclusive.
    """
    session = open_session(root)
    entry = select_one(session, spec)
    planned, lock = locked(session, entry)
    inputs = given.inputs(session.root, entry.spec, lock)
    everything = wanted(item.plan for item in planned)
    chosen = wanted((item.plan for item in plans_in(planned, environment)), name)
    if not chosen:
        known = ", ".join(item.gate.name for item in everything) or "none"
        raise CliError(
            f"{entry.name} has no gate `{name}`; its gates: {known}" if name else f"{entry.name} has no gates"
        )
    tasks = [_task(planned, item, inputs, offline=offline) for item in chosen]
    refuse_missing(tasks, offline=offline)
    entries = _run(tasks)
    _write(session, entry, planned, lock, entries, (chosen, everything))
    _tell(session, entry, entries, fmt)
    if any(item.verdict != "pass" for item in entries):
        click.get_current_context().exit(1)


@command.command("check")
@click.argument("paths", nargs=-1, type=click.Path())
@report_option
@root_option
def check(paths: tuple[str, ...], fmt: str, root: Path | None) -> None:
    """Check evidence without running anything.

    PATH is a spec, its evidence, a team's folder, or TEAM/MODEL; default: all. Exit code 1: something is wrong.
    """
    session = open_session(root)
    entries = select(session, paths).entries
    findings = [finding for entry in entries for finding in check_one(session, entry)]
    emit(render(findings, fmt, color=has_color(sys.stdout), checked=len(entries), rules=_rules()))
    if any(finding.severity == "error" for finding in findings):
        click.get_current_context().exit(1)


def check_one(session: Session, entry: Entry) -> list[Finding]:
    """Everything that is wrong with the evidence of one model, in all environments, each once."""
    from generator.gates.enforce import evidence_findings, report_findings

    evidence = _evidence(session, entry)
    resolved = resolved_of(session, entry)
    if not resolved.plans:
        return [*resolved.findings, *evidence.findings]
    found = [f for planned in resolved.plans for f in evidence_findings(planned, evidence, session.today)]
    return list(dict.fromkeys([*evidence.findings, *found, *report_findings(evidence)]))


def _rules() -> dict[str, str]:
    from generator.gates.enforce import CODES

    return dict(CODES)


def _evidence(session: Session, entry: Entry) -> Evidence:
    return read_evidence(entry.evidence, session.root, entry.name)


def _task(planned: Sequence[Planned], item: Wanted, inputs: Inputs, *, offline: bool) -> Task:
    from generator.render.environment import builtin_folder

    platform = planned[0].written.platform
    return Task(
        gate=item.gate,
        release=Release(item.plan.bento.framework, item.plan.gate_key),
        guaranteed=platform.tiers[item.plan.identity.tier].requires.image_digest,
        inputs=inputs,
        environments=Environments(note, offline=offline),
        scripts=builtin_folder() / "gates",
    )


def refuse_missing(tasks: Sequence[Task], *, offline: bool) -> None:
    """Before anything runs: with --offline, all environments must be there."""
    from generator.gates.adapters import tools

    needed = {tool.name: tool for task in tasks for tool in tools(task)}
    for name in needed.keys() & _LICENCES.keys():
        note(_LICENCES[name])
    missing = sorted(name for name, tool in needed.items() if Environments(note).missing(tool))
    if offline and missing:
        raise CliError(f"--offline makes no environment, and these are missing: {', '.join(missing)}")


def _run(tasks: Sequence[Task]) -> list[Judged]:
    now = clock()
    entries = []
    for number, task in enumerate(tasks, 1):
        began = time.monotonic()
        if is_terminal(sys.stderr):
            click.echo(f"[{number}/{len(tasks)}] {task.gate.name}: {task.gate.tool} …\r", nl=False, err=True)
        try:
            entries.append(run_gate(task, now))
        except InstallError as error:
            raise CliError(str(error)) from error
        said = f"{entries[-1].verdict} in {time.monotonic() - began:.1f} s"
        note(
            f"[{number}/{len(tasks)}] {task.gate.name}: {said}".ljust(
                _WIDTH if is_terminal(sys.stderr) else 0
            )
        )
    return entries


def _write(
    session: Session,
    entry: Entry,
    planned: Sequence[Planned],
    lock: LockFile,
    entries: Sequence[Judged],
    asked: tuple[Sequence[Wanted], Sequence[Wanted]],
) -> None:
    """Write the evidence: what was judged now, and of before what still holds."""
    from generator.pipeline.writing import write_file

    resolved = [item.plan for item in planned]
    old = _evidence(session, entry).content
    content = document(entry.name, resolved, lock, [*kept(old, lock, *asked), *entries])
    write_file(entry.evidence, written(content))
    note(f"wrote {entry.evidence.relative_to(session.root)}")


def _tell(session: Session, entry: Entry, entries: Sequence[Judged], fmt: str) -> None:
    """Show what the gates found: as a table, or as a report for other programs."""
    color = has_color(sys.stdout)
    if fmt == "text":
        from generator.report.sections.gates import gates_table

        emit("\n".join(gates_table(entries, color=color)) + "\n")
        return
    from generator.gates.enforce import verdict_findings

    findings = verdict_findings(entries, _evidence(session, entry))
    emit(render(findings, fmt, color=color, checked=len(entries), rules=_rules()))
