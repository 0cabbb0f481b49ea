"""`sluice explain`: what a finding means, why it matters, and how to fix it."""

from __future__ import annotations

import re
from pathlib import Path

import click

from generator.cli.options import json_option
from generator.pipeline.terminal import emit, emit_paged, note
from generator.source.errors import CliError


@click.command("explain")
@click.argument("code", required=False)
@click.option(
    "--write",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write the pages of all codes to a folder.",
)
@json_option
def command(code: str | None, write: Path | None, fmt: str) -> None:
    """Explain the code of a finding, with an example.

    CODE is the text in brackets at the start of a finding, such as REF202. Its letters alone (REF) list the codes of
    a family; without CODE the families are listed. JSON has the pages of all codes that are meant.
    """
    from generator.report.codes import as_json, families

    name = re.sub(r"[^A-Z0-9]", "", (code or "").upper())
    if write is not None and fmt == "json":
        raise CliError("--write writes pages in Markdown; leave --format json out")
    if write is not None:
        _write(write)
    elif fmt == "json":
        emit(as_json(name))
    elif code is None:
        emit(
            f"{families()}\n`sluice explain PLAN` lists a family, `sluice explain PLAN501` explains a code.\n"
        )
    else:
        emit_paged(_explained(name))


def _explained(code: str) -> str:
    from generator.report.codes import FAMILIES, code_named, listing, page

    return listing(code) if code in FAMILIES else page(code_named(code))


def _write(folder: Path) -> None:
    """Write the page of every code, and remove pages of codes that no longer exist."""
    from generator.pipeline.atomic_write import write_file
    from generator.report.codes import pages

    files = pages()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_file(folder / name, text.encode())
    for path in folder.glob("*.md"):
        if path.name not in files:
            path.unlink()
    note(f"{len(files)} pages in {folder}")
