"""`sluice codeowners`: the CODEOWNERS file, from the owners in the platform."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.atomic_write import write_file
from generator.pipeline.repository_files import OWNERS_PLACES, code_owners
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note


@click.command("codeowners")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the file is out of date.")
@root_option
@click.pass_context
def command(context: click.Context, check: bool, root: Path | None) -> None:  # noqa: FBT001 - click hands flags over
    """Generate the CODEOWNERS file.

    The first row gives everything to the `owners` of the platform; the next ones give its specs, and the bundles and
    bentos that are rendered from them, to each team. All other lines of the file are kept: Sluice's lines override
    those above them, and those below override Sluice's.
    """
    session = open_session(root)
    platform = session.platform
    name = next((place for place in OWNERS_PLACES if (session.root / place).is_file()), OWNERS_PLACES[0])
    path = session.root / name
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    after = code_owners(before, platform)
    if before == after:
        emit(f"{name} is up to date\n")
    elif check:
        note(f"{name} is out of date: run `sluice codeowners` and commit the result")
        context.exit(1)
    else:
        write_file(path, after.encode())
        emit(f"wrote {name}\n")
