"""What the gate images run: `sluice gates judge` and `sluice gates verdict`, told by their environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from generator.cli.gate_plans import clock
from generator.pipeline.session import today
from generator.pipeline.terminal import emit
from generator.pipeline.writing import write_file
from generator.source.errors import CliError

PASSED, FAILED, UNDECIDED = 0, 10, 11
CODES: Final[Mapping[str, int]] = {"pass": PASSED, "fail": FAILED, "inconclusive": UNDECIDED}
"""Exit codes; 10 and 11 are verdicts, which the Workflow never tries again."""

_to = click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), default="/tmp/evidence.json", show_default=True,  # noqa: S108
    help="File to write.",
)  # fmt: skip


@click.command("judge")
@click.option(
    "--inputs", type=click.Path(path_type=Path), default="/inputs", show_default=True, help="The mounted inputs."
)  # fmt: skip
@_to
def judge(inputs: Path, to: Path) -> None:
    """Judge one gate inside a gate image, and write its entry.

    SLUICE_GATE and SLUICE_RELEASE say which; the gate Workflow sets them. Exit code 10: it failed; 11: inconclusive.
    """
    from generator.gates.environments import InstallError
    from generator.gates.pod import ContainerError, gates_of, parameter, told
    from generator.gates.pod import judge as judge_gate

    image = Path(os.environ.get("SLUICE_GATE_IMAGE", "/opt/sluice"))
    try:
        release = told(os.environ)
        (gate,) = gates_of(f"[{os.environ.get('SLUICE_GATE', '')}]")
        entry = judge_gate(gate, release, inputs, image, os.environ.get("SLUICE_IMAGE", ""), clock())
    except (ContainerError, InstallError, ValueError) as error:
        raise CliError(str(error)) from error
    write_file(to, parameter(entry) + b"\n")
    emit(f"{entry.name}: {entry.verdict}: {entry.reason}\n")
    click.get_current_context().exit(CODES[entry.verdict])


@click.command("verdict")
@click.argument("said", nargs=-1, metavar="[GATE=JSON]...")
@_to
def verdict(said: tuple[str, ...], to: Path) -> None:
    """Make one document of what all gates said, and fail if one of them did not pass.

    SLUICE_GATES and SLUICE_RELEASE say which gates there should be. Exit code 10: a gate failed, is inconclusive or
    said nothing, and no waiver covers it.
    """
    from generator.gates.document import written
    from generator.gates.pod import ContainerError, gates_of, told
    from generator.gates.verdict import blocking, concluded

    try:
        release, gates = told(os.environ), gates_of(os.environ.get("SLUICE_GATES", ""))
    except ContainerError as error:
        raise CliError(str(error)) from error
    texts = {name: text for name, _, text in (item.partition("=") for item in said)}
    content = concluded(release, gates, texts, clock())
    write_file(to, written(content))
    stopped = blocking(content, release.waived, today())
    for entry in content.predicate.gates:
        waived = " (waived)" if entry.verdict != "pass" and entry not in stopped else ""
        emit(f"{entry.name}: {entry.verdict}{waived}: {entry.reason}\n")
    click.get_current_context().exit(FAILED if stopped or not gates else PASSED)
