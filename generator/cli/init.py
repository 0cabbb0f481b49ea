"""`sluice init`: create a GitOps repository that renders, without network access."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.pipeline.atomic_write import write_files
from generator.pipeline.terminal import emit
from generator.plan.model_files import folder_in_git
from generator.source.line import visible
from generator.spec.quantities import plural

if TYPE_CHECKING:
    from generator.pipeline.new_repository import NewRepository

_SCHEMAS = ("model", "platform", "lock")


@click.command("init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--only", multiple=True, metavar="PATH", help="Write only this file or folder; repeatable.")
def command(folder: Path, only: tuple[str, ...]) -> None:
    """Create a GitOps repository that renders.

    DIR is created if it is missing; default: the current folder. It may be a folder of a larger git repository. Nothing
    is overwritten: files that exist stay as they are, and are listed with what to do; `.gitignore` and `.gitattributes`
    get the lines that they lack.
    """
    from generator.pipeline.new_repository import planned_repository
    from generator.render.environment import Templates
    from generator.report.schemas import schema_text

    schemas = {f"{name}.json": schema_text(name) for name in _SCHEMAS}
    found = planned_repository(Templates(), schemas, folder, only)
    write_files(found.top, {name: text.encode() for name, text in found.files.items()})
    emit(_summary(folder, found))


def _summary(folder: Path, found: NewRepository) -> str:
    listed = "".join(f"  {visible(name)}\n" for name in sorted(found.files))
    kept = "".join(f"  {visible(name)}: {advice}\n" for name, advice in sorted(found.kept.items()))
    enter = "" if str(folder) == "." else f"cd {shlex.quote(str(folder))} && "
    git = "" if folder_in_git(folder.absolute()) is not None else "git init && "
    readme = "SLUICE.md" if any(name.endswith("SLUICE.md") for name in found.files) else "README.md"
    return (
        f"wrote {plural(len(found.files), 'file')} to {visible(str(folder))}:\n{listed}"
        + (f"left as they were:\n{kept}" if kept else "")
        + "".join(found.changed)
        + f"next: {visible(enter)}{git}sluice render; see {readme}\n"
    )
