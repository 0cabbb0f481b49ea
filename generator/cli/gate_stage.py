"""`sluice gates stage`: what gate containers will read, put into the folder that they are given."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from generator.cli.gate_inputs import Given, input_options
from generator.cli.gate_plans import locked
from generator.pipeline.session import open_session, root_option, select_one
from generator.pipeline.terminal import emit, note
from generator.source.errors import CliError


@click.command("stage")
@click.argument("spec", type=click.Path())
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", required=True,
    help="The folder that is mounted; one folder a model is made in it.",
)  # fmt: skip
@click.option("--archive", is_flag=True, help="Write DIGEST.tgz instead of a folder.")
@input_options
@root_option
def stage(spec: str, to: Path, root: Path | None, given: Given, *, archive: bool) -> None:
    """Put the files that the gates of SPEC read where their containers find them.

    Data sets and the model must be those of the lock. Exit code 1: a file is missing; nothing is written.
    """
    from generator.gates.run import wanted
    from generator.gates.staging import copy, staged

    session = open_session(root)
    entry = select_one(session, spec)
    planned, lock = locked(session, entry)
    gates = [item.gate for item in wanted(item.plan for item in planned)]
    found = staged(gates, given.inputs(session.root, entry.spec, lock))
    if found.problems:
        for problem in found.problems:
            note(problem)
        click.get_current_context().exit(1)
    if not found.files:
        raise CliError(f"the gates of {entry.name} read no files")
    name = lock.model.digest.removeprefix("sha256:")
    try:
        if archive:
            target = _archive(to, name, lambda folder: copy(found, folder))
        else:
            to.mkdir(parents=True, exist_ok=True)
            target = to / name
            copy(found, target)
    except OSError as error:
        raise CliError(f"{to} can't be written to: {error.strerror}") from error
    emit(f"{target}: {len(found.files)} inputs of {entry.name}\n")


def _archive(to: Path, name: str, copy_to: Callable[[Path], None]) -> Path:
    """One folder in an archive, as Argo Workflows unpacks it; replaced in one step."""
    to.mkdir(parents=True, exist_ok=True)
    target = to / f"{name}.tgz"
    with tempfile.TemporaryDirectory(dir=to) as scratch:
        copy_to(Path(scratch, name))
        made = Path(scratch, "made.tgz")
        with tarfile.open(made, "w:gz") as tar:
            tar.add(Path(scratch, name), arcname=name)
        shutil.move(made, target)
    return target
