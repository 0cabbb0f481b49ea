"""`sluice gates`: check a model before any traffic, locally or in a gate container, and verify the evidence."""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli import gates_cluster, gates_sign
from generator.cli.group import CommandGroup
from generator.cli.options import change_option, report_option, root_option
from generator.pipeline.selection import select, select_one
from generator.pipeline.session import open_session, today
from generator.pipeline.terminal import emit, is_terminal, note, note_for_now
from generator.source.errors import CliError
from generator.source.line import visible

if TYPE_CHECKING:
    from generator.gates.adapters import Task
    from generator.gates.inputs import Inputs
    from generator.pipeline.gates import ModelGates
    from generator.source.finding import Finding
    from generator.spec.evidence import EvidenceEntry

_WIDTH: Final = 78  # overwrites the progress line
PASSED, FAILED, UNDECIDED = 0, 10, 11
CODES: Final[Mapping[str, int]] = {"pass": PASSED, "fail": FAILED, "inconclusive": UNDECIDED}
"""Exit codes of containers; 10 and 11 are verdicts, which the Workflow never retries."""


@click.group("gates", cls=CommandGroup)
def command() -> None:
    """Run offline quality gates and verify their evidence."""


command.add_command(gates_cluster.submit)
command.add_command(gates_cluster.fetch)
command.add_command(gates_sign.sign)
command.add_command(gates_sign.verify_signature)


def _input_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options for the locations of gate files; they become one argument, `inputs_of`."""

    @click.option(
        "--from", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER",
        help="Folder that is searched first for the files that gates name.",
    )  # fmt: skip
    @click.option("--data", multiple=True, metavar="NAME=FILE", help="The file for a name that a gate uses.")
    @click.option(
        "--predictions", multiple=True, metavar="[GATE=]FILE",
        help="A table of predictions, for all gates or for one; default: predictions.parquet or .csv in --from.",
    )  # fmt: skip
    @click.option("--model", type=click.Path(path_type=Path, exists=True), help="The model's file or folder.")
    @functools.wraps(function)
    def wrapped(
        *arguments: Any,
        folder: Path | None,
        data: tuple[str, ...],
        predictions: tuple[str, ...],
        model: Path | None,
        **others: Any,
    ) -> None:
        files, tables = _named_files(data), _tables(predictions)

        def inputs_of(gates: ModelGates) -> Inputs:
            from generator.gates.inputs import Inputs

            return Inputs(gates.session.root, gates.entry.spec, gates.lock, folder, files, tables, model)

        function(*arguments, inputs_of=inputs_of, **others)

    return wrapped


@command.command("run")
@click.argument("spec", type=click.Path())
@click.option(
    "--gate", "name", default="", metavar="NAME", help="Run only this gate; keep the entries of the others."
)
@click.option(
    "--env", "environment", default="", metavar="ENV", help="Run the gates of one environment only."
)
@click.option("--offline", is_flag=True, help="Do not install environments; stop if one is missing.")
@_input_options
@report_option
@root_option
def run(
    spec: str,
    name: str,
    environment: str,
    fmt: str,
    root: Path | None,
    inputs_of: Callable[[ModelGates], Inputs],
    *,
    offline: bool,
) -> None:
    """Run the gates of SPEC with their tools; write evidence.

    Exit code 1: a gate failed, or is inconclusive.
    """
    from generator.gates.environments import Environments
    from generator.pipeline.gates import check_tools, model_gates

    session = open_session(root, near=[spec])
    model = model_gates(session, select_one(session, spec))
    inputs, environments = inputs_of(model), Environments(note, offline=offline)
    tasks = [model.task(item, inputs, environments) for item in model.chosen(environment, name)]
    check_tools(tasks, note)
    entries = _run(tasks)
    note(f"wrote {model.write(entries)}")
    _report(model, entries, fmt)
    if any(entry.verdict != "pass" for entry in entries):
        click.get_current_context().exit(1)


@command.command("check")
@click.argument("paths", nargs=-1, type=click.Path())
@report_option
@change_option
@root_option
def check(paths: tuple[str, ...], fmt: str, against: str | None, root: Path | None) -> None:
    """Check evidence without running anything.

    PATH is a spec, its evidence, a team's folder, or TEAM/MODEL; default: all. Exit code 1: there are findings.
    """
    from generator.pipeline.gates import check_evidence

    session = open_session(root, near=paths)
    entries = select(session, paths).entries
    findings = [finding for entry in entries for finding in check_evidence(session, entry)]
    if against is not None:
        from generator.pipeline.untouched import with_untouched_as_warnings

        findings = with_untouched_as_warnings(
            findings,
            session,
            against,
            lambda one: [f for entry in one.entries for f in check_evidence(one, entry)],
        )
    _emit_findings(session.root, findings, fmt, len(entries))
    if any(finding.severity == "error" for finding in findings):
        click.get_current_context().exit(1)


@command.command("stage")
@click.argument("spec", type=click.Path())
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", required=True,
    help="The mounted folder; each model gets a folder in it.",
)  # fmt: skip
@click.option("--archive", is_flag=True, help="Write DIGEST.tgz instead of a folder.")
@_input_options
@root_option
def stage(
    spec: str, to: Path, root: Path | None, inputs_of: Callable[[ModelGates], Inputs], *, archive: bool
) -> None:
    """Copy the files that the containers of gates read.

    Data sets and the model must be those of the lock. Exit code 1: a file is missing; nothing is written.
    """
    from generator.gates.staging import archive as write_archive
    from generator.gates.staging import copy, staged_files
    from generator.pipeline.gates import model_gates

    session = open_session(root, near=[spec])
    model = model_gates(session, select_one(session, spec))
    found = staged_files([item.gate.spec for item in model.everything], inputs_of(model))
    for problem in found.problems:
        note(problem)
    if found.problems:
        click.get_current_context().exit(1)
    if not found.files:
        raise CliError(f"the gates of {model.entry.name} read no files")
    name = model.lock.model.digest.removeprefix("sha256:")
    try:
        to.mkdir(parents=True, exist_ok=True)
        target = write_archive(found, to, name) if archive else to / name
        if not archive:
            copy(found, target)
    except OSError as error:
        raise CliError(f"can't write to {to}: {error.strerror}") from error
    emit(f"{target}: {len(found.files)} inputs of {model.entry.name}\n")


_to = click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), default="/tmp/evidence.json", show_default=True,  # noqa: S108
    help="File to write.",
)  # fmt: skip


@command.command("judge")
@click.option(
    "--inputs", type=click.Path(path_type=Path), default="/inputs", show_default=True, help="The mounted inputs."
)  # fmt: skip
@_to
def judge(inputs: Path, to: Path) -> None:
    """Run one gate inside a gate image, and write its entry.

    The gate is described by SLUICE_GATE and SLUICE_RELEASE, which the gate Workflow sets. Exit code 10: it failed; 11:
    it is inconclusive.
    """
    from generator.gates.pod import parameter, read_gates, read_release, run_in_container
    from generator.pipeline.atomic_write import write_file
    from generator.pipeline.gates import clock

    image = Path(os.environ.get("SLUICE_GATE_IMAGE", "/opt/sluice"))
    release = read_release(os.environ)
    (gate,) = read_gates(f"[{os.environ.get('SLUICE_GATE', '')}]")
    entry = run_in_container(gate, release, inputs, image, os.environ.get("SLUICE_IMAGE", ""), clock())
    write_file(to, parameter(entry) + b"\n")
    emit(f"{entry.name}: {entry.verdict}: {visible(entry.reason)}\n")
    click.get_current_context().exit(CODES[entry.verdict])


@command.command("verdict")
@click.argument("outputs", nargs=-1, metavar="[GATE=JSON]...")
@_to
def verdict(outputs: tuple[str, ...], to: Path) -> None:
    """Combine the entries of all gates; fail unless all pass.

    SLUICE_GATES and SLUICE_RELEASE describe the expected gates. Exit code 10: a gate failed, is inconclusive
    or left no entry, and no waiver covers it.
    """
    from generator.gates.document import evidence_bytes
    from generator.gates.pod import blocking, conclude, read_gates, read_release
    from generator.pipeline.atomic_write import write_file
    from generator.pipeline.gates import clock

    release, gates = read_release(os.environ), read_gates(os.environ.get("SLUICE_GATES", ""))
    texts = {name: text for name, _, text in (item.partition("=") for item in outputs)}
    content = conclude(release, gates, texts, clock())
    write_file(to, evidence_bytes(content))
    stopped = blocking(content, release.waived, today())
    for entry in content.predicate.gates:
        waived = " (waived)" if entry.verdict != "pass" and entry not in stopped else ""
        emit(f"{entry.name}: {entry.verdict}{waived}: {visible(entry.reason)}\n")
    click.get_current_context().exit(FAILED if stopped or not gates else PASSED)


def _run(tasks: Sequence[Task]) -> list[EvidenceEntry]:
    from generator.gates.run import run_gate
    from generator.pipeline.gates import clock

    now, entries = clock(), []
    terminal = is_terminal(sys.stderr)
    for number, task in enumerate(tasks, 1):
        began = time.monotonic()
        title = f"[{number}/{len(tasks)}] {task.gate.name}"
        if terminal:
            note_for_now(f"{title}: {task.gate.tool} …")
        entries.append(run_gate(task, now))
        seconds = time.monotonic() - began
        note(f"{title}: {entries[-1].verdict} in {seconds:.1f} s".ljust(_WIDTH if terminal else 0))
    return entries


def _report(model: ModelGates, entries: Sequence[EvidenceEntry], fmt: str) -> None:
    """Show the verdicts: as a table, or as a report for other programs."""
    if fmt == "text":
        from generator.report.sections.gates import gates_table
        from generator.report.tables import Screen

        emit("\n".join(gates_table(entries, Screen.of(sys.stdout))) + "\n")
        return
    from generator.gates.document import read_evidence
    from generator.gates.enforce import verdict_findings

    evidence = read_evidence(model.entry.evidence, model.session.root, model.entry.name)
    _emit_findings(model.session.root, verdict_findings(entries, evidence), fmt, len(entries))


def _emit_findings(root: Path, findings: Sequence[Finding], fmt: str, checked: int) -> None:
    from generator.report.formats import render
    from generator.report.tables import Screen

    text = render(findings, fmt, screen=Screen.of_messages(sys.stdout), checked=checked, root=root)
    emit(text, commands=fmt == "github")


def _named_files(texts: Sequence[str]) -> dict[str, Path]:
    """Parse `NAME=FILE`; the name of a data set may contain `=` itself."""
    out = {}
    for text in texts:
        name, found, file = text.rpartition("=")
        if not found or not name or not file:
            raise CliError(f"--data needs NAME=FILE, not {text}")
        out[name] = Path(file)
    return out


def _tables(texts: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    out: dict[str, tuple[Path, ...]] = {}
    for text in texts:
        gate, _, file = text.rpartition("=")
        out[gate] = (*out.get(gate, ()), Path(file))
    return out
