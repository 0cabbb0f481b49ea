"""`sluice schema`: JSON Schemas of the files that people write and programs read."""

from __future__ import annotations

from pathlib import Path

import click

from generator.pipeline.atomic_write import write_files
from generator.pipeline.terminal import emit, note
from generator.report.schemas import SCHEMAS, schema_text, store_files


@click.command("schema")
@click.argument("name", type=click.Choice(tuple(SCHEMAS)), default="model")
@click.option(
    "--write", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Write all of them."
)
@click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write the schemas of specs as the JSON Schema Store takes them: draft-07, and their entries of its catalog.",
)
def command(name: str, write: Path | None, store: Path | None) -> None:
    """Print the JSON Schema of a file format.

    The first line of a spec names its schema for editors; --write docs/schema writes all of them there.
    """
    if store is not None:
        files = store_files()
        write_files(store, {file: text.encode() for file, text in files.items()})
        note(f"wrote {', '.join(files)} to {store}")
        return
    if write is None:
        emit(schema_text(name))
        return
    write_files(write, {f"{each}.json": schema_text(each).encode() for each in SCHEMAS})
    note(f"wrote {', '.join(SCHEMAS)} to {write}")
