"""`sluice codeowners`: the CODEOWNERS file, from the owners in the platform."""

from __future__ import annotations

import os
from pathlib import Path

import click

from generator.cli.options import json_option, require_check, root_option
from generator.pipeline.atomic_write import write_file
from generator.pipeline.owner_rows import foreign_rows
from generator.pipeline.repository_files import code_owners
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note
from generator.plan.model_files import CODEOWNERS
from generator.source.errors import CliError
from generator.source.files import has_link


@click.command("codeowners")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the file is out of date.")
@json_option
@root_option
@click.pass_context
def command(context: click.Context, fmt: str, root: Path | None, *, check: bool) -> None:
    """Generate the CODEOWNERS file.

    The first row gives everything to the `owners` of the platform; the next ones give its specs, and the bundles and
    bentos that are rendered from them, to each team. All other lines of the file are kept: Sluice's lines override
    those above them, and those below override Sluice's. A row below that may take what CI runs or reads from the
    platform is an error.
    """
    require_check(fmt, check=check)
    session = open_session(root)
    platform = session.platform
    name = _place(session.top)
    path = session.top / name
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    after = code_owners(before, platform)
    problems = foreign_rows(after, platform)
    if fmt == "json":
        emit(_checked(name, before, problems, fits=before == after))
        context.exit(int(bool(problems) or before != after))
    for problem in problems:
        note(f"{name}: {problem}")
    if before == after:
        emit("" if problems else f"{name} is up to date\n")
    elif check:
        note(f"{name} is out of date: run `sluice codeowners` and commit the result")
    else:
        write_file(path, after.encode())
        emit(f"wrote {name}\n")
    context.exit(int(bool(problems) or (check and before != after)))


def _checked(name: str, before: str, problems: list[str], *, fits: bool) -> str:
    """Return the JSON of a check."""
    from generator.report.checks import State, as_json

    state: State = "stale" if before else "missing"
    return as_json(
        {} if fits else {name: state}, ok=fits and not problems, compared=int(fits), problems=problems
    )


def _place(root: Path) -> str:
    """Return where the file is, or is to be.

    Raises:
        CliError: there are several, of which each host reads another one, or a link leads to it.
    """
    found = [place for place in CODEOWNERS if os.path.lexists(root / place)]
    if len(found) > 1:
        message = f"{' and '.join(found)}: a host reads only one of these files"
        raise CliError(message, "keep one, and remove the others")
    name = found[0] if found else CODEOWNERS[0]
    if has_link(root, root / name):
        raise CliError(f"{name} is reached through a link", "write the file itself, without a link")
    return name
